"""The squad: specialists and the communicator, each with its deterministic floor."""
