"""What the small practice services have in common: JSON in, JSON out, bearer tokens."""

import hmac
import json
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler
from typing import Any

_LARGEST = 65_536


class JsonHandler(BaseHTTPRequestHandler):
    """A request handler that says nothing on the terminal and answers JSON or plain text."""

    protocol_version = "HTTP/1.1"
    timeout = 10

    def log_message(self, *_: object) -> None:
        """Say nothing: the terminal belongs to the incident."""

    def may(self, *tokens: str) -> bool:
        """Whether the caller showed one of these tokens."""
        given = self.headers.get("Authorization", "").encode()
        return any(hmac.compare_digest(given, f"Bearer {one}".encode()) for one in tokens)

    def body(self) -> dict[str, Any]:
        """The JSON object that was sent; an empty one for anything else."""
        length = self.headers.get("Content-Length", "0")
        text = self.rfile.read(min(int(length), _LARGEST) if length.isdigit() else 0)
        try:
            body = json.loads(text or b"{}")
        except ValueError:
            return {}
        return body if isinstance(body, dict) else {}

    def answer(self, status: int, content: Mapping[str, Any]) -> None:
        """Send a JSON object."""
        self._send(status, "application/json", json.dumps(content).encode())

    def answer_text(self, status: int, text: str) -> None:
        """Send plain text."""
        self._send(status, "text/plain; charset=utf-8", text.encode())

    def _send(self, status: int, kind: str, text: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)
