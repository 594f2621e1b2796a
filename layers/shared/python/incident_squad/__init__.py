"""Incident Squad: agents that triage, diagnose, repair and explain incidents."""
