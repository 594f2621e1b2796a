"""Which service an alert is about, as the catalogue names it."""

import fnmatch
import re
from dataclasses import dataclass

from incident_squad.domain.alert import Alert
from incident_squad.domain.catalog import Catalog
from incident_squad.policy.triage.claims import claim_reader
from incident_squad.policy.triage.clauses import sentences
from incident_squad.policy.triage.reading import plain
from incident_squad.policy.triage.words import fold

_WELL = frozenset({"fine", "unfelt", "unused"})
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{2,}")
_LABELS = (
    "service service_name app application app_kubernetes_io_name kube_deployment deployment "
    "component container job_name dbinstanceidentifier dbclusteridentifier servicename "
    "functionname loadbalancer queuename name host hostname instance pod cluster tag_name"
)
_TOLD = _LABELS.split()


@dataclass(frozen=True, slots=True)
class Services:
    """The catalogue's names, aliases and resource globs, prepared for quick look-ups."""

    names: dict[str, str]
    globs: tuple[tuple[re.Pattern[str], str], ...]

    def find(self, alert: Alert) -> str | None:
        """The catalogue's name of the service, or what the alert calls it, or None."""
        labels = {name.lower(): value for name, value in alert.labels.items()}
        told = [alert.service, alert.resource, *(labels.get(name) for name in _TOLD)]
        for name in [*told, *_spoken_of(alert)]:
            known = self._known(name or "")
            if known:
                return known
        return alert.service or None

    def _known(self, name: str) -> str | None:
        wanted = name.strip().lower().rstrip(".,:;")
        if not wanted:
            return None
        if wanted in self.names:
            return self.names[wanted]
        return next((service for pattern, service in self.globs if pattern.match(wanted)), None)


def _spoken_of(alert: Alert) -> list[str]:
    """The words of the text, without those that only say what is well."""
    text = plain(alert.title) + "\n" + plain(alert.description)[:3000]
    claims = [c for sentence in sentences(text) for c in claim_reader().claims(sentence)]
    well = {w for c in claims if c.state in _WELL for w in c.text.split()}
    well -= {w for c in claims if c.state not in _WELL for w in c.text.split()}
    return [word for word in _WORD.findall(text) if fold(word).rstrip(".,:;") not in well]


def services(catalog: Catalog) -> Services:
    """Prepare a catalogue."""
    names = {
        alias.lower(): name
        for name, service in catalog.services.items()
        for alias in (*service.aliases, name)
    }
    globs = tuple(
        (re.compile(fnmatch.translate(pattern.lower())), name)
        for name, service in catalog.services.items()
        for pattern in service.resources
    )
    return Services(names, globs)
