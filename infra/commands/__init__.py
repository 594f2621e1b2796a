"""The commands of `squad`, a module a group."""
