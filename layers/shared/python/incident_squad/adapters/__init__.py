"""The only code that knows AWS, databases and HTTP clients."""
