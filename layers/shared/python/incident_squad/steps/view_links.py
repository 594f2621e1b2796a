"""Signed links that let somebody look at an incident without an account."""

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from incident_squad.ports import Clock, Signer

EVERYTHING = "*"
"""The id that a link to the list and to every incident is made for."""

_VIEW = re.compile(
    r"(?P<expires>[0-9]{9,12})~(?:(?P<person>[A-Za-z0-9_-]{4,400})~)?(?P<mac>[A-Za-z0-9_-]{10,200})"
)


@dataclass(frozen=True)
class ViewLinks:
    """Makes and checks links; a link only shows, it decides nothing.

    One that was made for a person also says who opens it: it is sent to nobody else.
    """

    signer: Signer
    clock: Clock
    public_url: Callable[[], str]
    good_for: timedelta = timedelta(days=7)

    def address(self, incident_id: str, person: str = "") -> str:
        """The address of an incident's page, good for a week; for one person, or for anybody."""
        base = self.public_url().rstrip("/")
        return f"{base}/incidents/{incident_id}?view={self.token(incident_id, person)}"

    def list_address(self) -> str:
        """The address of the list, from which every incident can be opened."""
        return f"{self.public_url().rstrip('/')}/incidents?view={self.token(EVERYTHING)}"

    def token(self, subject: str, person: str = "") -> str:
        """What stands after `?view=` for an incident, or for everything."""
        expires = int((self.clock.now() + self.good_for).timestamp())
        mac = self.signer.sign(_message(subject, expires, person))
        parts = (str(expires), *([_encode(person.encode())] if person else []), _encode(mac))
        return "~".join(parts)

    def admits(self, token: str, subject: str) -> bool:
        """Whether the link was made by us for this incident (or for everything) and is in time."""
        return self.person(token, subject) is not None

    def person(self, token: str, subject: str) -> str | None:
        """Whom a good link was made for, empty for anybody; None when the link is not good."""
        found = _VIEW.fullmatch(token)
        if found is None or int(found["expires"]) <= self.clock.now().timestamp():
            return None
        try:
            mac, person = _decode(found["mac"]), _decode(found["person"] or "").decode()
        except (binascii.Error, UnicodeDecodeError):
            return None
        for known in dict.fromkeys((subject, EVERYTHING)):
            if self.signer.verify(_message(known, int(found["expires"]), person), mac):
                return person
        return None


def _message(subject: str, expires: int, person: str) -> bytes:
    return "|".join(("view", subject, str(expires), *([person] if person else []))).encode()


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
