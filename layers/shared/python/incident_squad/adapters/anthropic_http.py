"""The HTTP client under the SDK, with limits that hold for every answer, also for errors.

The SDK reads the body of an error to its end, however long it is and however slowly it comes. A
function has a gigabyte at most, so bodies end here at a size and at a time. This module imports
the SDK's HTTP library, so it is itself imported late.
"""

import time
from collections.abc import Iterator

import anthropic
import httpx2

LONGEST_ANSWER = 1_000_000
"""Bytes. No agent of ours asks for a tenth of it."""

_LONGEST_SECONDS = 60.0


class _Counted(httpx2.SyncByteStream):
    """A body that breaks off when it is too long or too late."""

    def __init__(self, stream: httpx2.SyncByteStream, seconds: float) -> None:
        self._stream = stream
        self._ends = time.monotonic() + seconds

    def __iter__(self) -> Iterator[bytes]:
        total = 0
        for chunk in self._stream:
            total += len(chunk)
            if total > LONGEST_ANSWER:
                raise httpx2.DecodingError("the body is longer than any that is asked for")
            if time.monotonic() > self._ends:
                raise httpx2.ReadTimeout("the body came too slowly")
            yield chunk

    def close(self) -> None:
        self._stream.close()


class _Limited(httpx2.HTTPTransport):
    """Plain bodies only: what is packed small can be large."""

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        response = super().handle_request(request)
        if response.headers.get("content-encoding", "identity") != "identity":
            response.close()
            raise httpx2.DecodingError("a packed body was not asked for")
        seconds = (request.extensions.get("timeout") or {}).get("read") or _LONGEST_SECONDS
        if isinstance(response.stream, httpx2.SyncByteStream):
            response.stream = _Counted(response.stream, seconds)
        return response


def limited_client() -> httpx2.Client:
    """A client of the SDK's own kind whose bodies are limited."""
    return anthropic.DefaultHttpxClient(
        transport=_Limited(), headers={"accept-encoding": "identity"}
    )
