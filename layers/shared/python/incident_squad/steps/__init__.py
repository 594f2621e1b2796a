"""Use cases, one a state of the workflow or a route of the API."""
