"""The vendors that take messages to people, one module each."""
