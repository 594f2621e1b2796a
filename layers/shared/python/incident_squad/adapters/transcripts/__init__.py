"""Judgements on tape: what they were told from outside, kept and given again."""
