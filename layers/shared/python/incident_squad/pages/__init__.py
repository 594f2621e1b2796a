"""Pages for people: server-rendered, a few kilobytes, nothing from anywhere else."""
