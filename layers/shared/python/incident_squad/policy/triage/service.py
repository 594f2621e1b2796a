"""Which service an alert is about, as the catalogue names it."""

import fnmatch
import re
from dataclasses import dataclass

from incident_squad.domain.alert import Alert
from incident_squad.domain.catalog import Catalog
from incident_squad.policy.triage.reading import plain

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
        said = _WORD.findall(plain(alert.title) + " " + plain(alert.description)[:3000])
        for name in [*told, *said]:
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
