"""Pure values of incident response: no I/O, no clock, no SDK."""
