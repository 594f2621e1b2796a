"""One module a source: payload to alert, and the proof of its sender."""
