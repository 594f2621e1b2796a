"""Pure decisions: triage, who may apply, what may be said."""
