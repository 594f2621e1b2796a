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

_VIEW = re.compile(r"(?P<expires>[0-9]{9,12})~(?P<mac>[A-Za-z0-9_-]{10,200})")


@dataclass(frozen=True)
class ViewLinks:
    """Makes and checks links; a link only shows, it decides nothing."""

    signer: Signer
    clock: Clock
    public_url: Callable[[], str]
    good_for: timedelta = timedelta(days=7)

    def address(self, incident_id: str) -> str:
        """The address of an incident's page, good for a week."""
        base = self.public_url().rstrip("/")
        return f"{base}/incidents/{incident_id}?view={self.token(incident_id)}"

    def list_address(self) -> str:
        """The address of the list, from which every incident can be opened."""
        return f"{self.public_url().rstrip('/')}/incidents?view={self.token(EVERYTHING)}"

    def token(self, subject: str) -> str:
        """What stands after `?view=` for an incident, or for everything."""
        expires = int((self.clock.now() + self.good_for).timestamp())
        mac = self.signer.sign(_message(subject, expires))
        return f"{expires}~{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"

    def admits(self, token: str, subject: str) -> bool:
        """Whether the link was made by us for this incident (or for everything) and is in time."""
        found = _VIEW.fullmatch(token)
        if found is None or int(found["expires"]) <= self.clock.now().timestamp():
            return False
        try:
            mac = base64.urlsafe_b64decode(found["mac"] + "=" * (-len(found["mac"]) % 4))
        except binascii.Error:
            return False
        subjects = dict.fromkeys((subject, EVERYTHING))
        return any(self.signer.verify(_message(s, int(found["expires"])), mac) for s in subjects)


def _message(subject: str, expires: int) -> bytes:
    return f"view|{subject}|{expires}".encode()
