"""The doctor: what the squad may do at each target, and whether that is what it should."""
