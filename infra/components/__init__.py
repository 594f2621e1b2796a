"""The constructs that the stack is composed of, one capability each."""
