"""The Model Context Protocol, by the official SDK: the only package that imports it.

It takes half a second to load, so the composition imports it when a request has passed the door.
"""
