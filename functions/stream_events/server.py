"""StreamEvents: an incident's events in one long answer, behind the Lambda Web Adapter."""

import sys
from collections.abc import Iterator
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from incident_squad import bootstrap
from incident_squad.entrypoint import logger
from incident_squad.pages.web import Answer, Request, problem
from incident_squad.steps.stream_events import Opened, StreamEvents


@lru_cache(maxsize=1)
def streams() -> StreamEvents:
    """The interface of this process."""
    return bootstrap.stream_events()


class Handler(BaseHTTPRequestHandler):
    """One request: a whole answer, or a stream in chunks for as long as somebody listens."""

    protocol_version = "HTTP/1.1"
    timeout = 60

    def do_GET(self) -> None:
        """The events of an incident, or a sign of life for the adapter."""
        address = urlsplit(self.path)
        match address.path.strip("/").split("/"):
            case ["health"]:
                self._whole(Answer(200, '{"status":"ok"}', {"Content-Type": "application/json"}))
            case ["incidents", incident_id, "events"]:
                headers = {name.lower(): text for name, text in self.headers.items()}
                request = Request(dict(parse_qsl(address.query)), headers, "")
                self._answer(request, incident_id)
            case _:
                self._whole(problem(404, "Not Found", "There is nothing here."))

    def log_message(self, *_: object) -> None:
        """The API writes the access log: a path would put links into this one."""

    def _answer(self, request: Request, incident_id: str) -> None:
        try:
            opened = streams()(request, incident_id)
        except Exception as error:  # noqa: BLE001 - the boundary of this process
            logger.error("failed", exc_info=error)
            opened = problem(500, "Internal Server Error", "The failure was logged.")
        if isinstance(opened, Opened):
            self._stream(opened.headers, opened.parts)
        else:
            self._whole(opened)

    def _whole(self, answer: Answer) -> None:
        content = answer.body.encode()
        self._head(answer.status, {**answer.headers, "Content-Length": str(len(content))})
        self.wfile.write(content)

    def _stream(self, headers: dict[str, str], parts: Iterator[str]) -> None:
        self._head(200, {**headers, "Transfer-Encoding": "chunked"})
        try:
            for part in parts:
                data = part.encode()
                self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
                self.wfile.flush()
            self.wfile.write(b"0\r\n\r\n")
        except OSError:
            self.close_connection = True  # whoever listened has left
        except Exception as error:  # noqa: BLE001 - the head is out: only the end tells of trouble
            logger.error("failed", exc_info=error)
            self.close_connection = True

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()


def main(port: int) -> None:
    """Serve until the environment ends."""
    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        server.daemon_threads = True
        server.serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]))
