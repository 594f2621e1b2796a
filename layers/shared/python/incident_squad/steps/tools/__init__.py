"""The tools, documents and prompts that agents and people reach over MCP, without any protocol."""
