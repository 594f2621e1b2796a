"""One careful HTTP call to a vendor: bounded in time and size, with its answer judged alike."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from incident_squad.domain.errors import ChannelDown, MessageRefused

if TYPE_CHECKING:
    import urllib3

LARGEST = 1024 * 1024
_REFUSED = frozenset({400, 405, 410, 411, 413, 414, 415, 422})
_OK = range(200, 300)
_BROKEN = 500


@dataclass(frozen=True)
class Reply:
    """What came back; `content` is the parsed JSON or None."""

    status: int
    content: Any
    text: str
    retry_after: float | None


@dataclass(frozen=True)
class Vendor:
    """Calls one vendor. A hanging one costs no more than `seconds`."""

    name: str
    connect_seconds: float = 3.0
    seconds: float = 8.0

    def call(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> Reply:
        """One request, not followed elsewhere and not repeated; raises ChannelDown.

        The text of an error never holds headers or the address: both can be secrets.
        """
        import urllib3  # noqa: PLC0415 - only where something is sent

        timeout = urllib3.Timeout(connect=self.connect_seconds, read=self.seconds)
        deadline = time.monotonic() + self.seconds
        try:
            with urllib3.PoolManager() as pool:
                response = pool.request(
                    method,
                    url,
                    body=body,
                    headers={"User-Agent": "incident-squad", **headers},
                    timeout=timeout,
                    retries=False,
                    redirect=False,
                    preload_content=False,
                )
                try:
                    return self._read(response, deadline)
                finally:
                    response.close()
        except (
            urllib3.exceptions.NewConnectionError,
            urllib3.exceptions.ConnectTimeoutError,
            urllib3.exceptions.SSLError,
        ) as error:
            raise ChannelDown(f"{self.name} cannot be reached: {type(error).__name__}") from None
        except urllib3.exceptions.HTTPError as error:
            why = f"{self.name} gave no answer: {type(error).__name__}"
            raise ChannelDown(why, doubtful=True) from None

    def accepted(self, reply: Reply) -> Reply:
        """The reply if it is a success; raises ChannelDown or MessageRefused."""
        if reply.status in _OK:
            return reply
        why = f"{self.name} answered {reply.status}: {reply.text[:200]}"
        if reply.status in _REFUSED:
            raise MessageRefused(why)
        doubtful = reply.status >= _BROKEN
        raise ChannelDown(why, retry_after=reply.retry_after, doubtful=doubtful)

    def send_json(
        self, method: str, url: str, headers: Mapping[str, str], content: object
    ) -> Reply:
        """A call with JSON that must succeed."""
        body = json.dumps(content).encode()
        typed = {"Content-Type": "application/json; charset=utf-8", **headers}
        return self.accepted(self.call(method, url, typed, body))

    def _read(self, response: "urllib3.BaseHTTPResponse", deadline: float) -> Reply:
        data = bytearray()
        for chunk in response.stream(8192):
            data += chunk
            if len(data) > LARGEST or time.monotonic() > deadline:
                raise ChannelDown(f"{self.name} does not stop talking", doubtful=True)
        text = bytes(data).decode("utf-8", "replace")
        waiting = seconds_of(response.headers.get("retry-after"))
        return Reply(response.status, _json(text), text, waiting)


def _json(text: str) -> Any:  # noqa: ANN401 - any JSON
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def seconds_of(given: str | None) -> float | None:
    """Retry-After, as seconds or as a date."""
    if not given:
        return None
    if given.strip().isdecimal():
        return float(given)
    try:
        moment = parsedate_to_datetime(given)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
