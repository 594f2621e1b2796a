"""The one release of MiniStack that our edits fit."""

VERSION = "1.5.33"
