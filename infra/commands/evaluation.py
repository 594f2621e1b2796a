"""`squad eval`: score the floor on labelled alerts."""
