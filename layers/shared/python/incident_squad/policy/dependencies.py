"""Which services a fault can spread between."""

from collections.abc import Iterator

from incident_squad.domain.catalog import Catalog

STEPS = 2
"""How far a fault is followed from service to service."""


def around(catalog: Catalog, service: str | None) -> Iterator[tuple[str, bool]]:
    """Services near this one, nearest first, and whether this one depends on them.

    What it depends on comes before what depends on it: causes lie below.
    """
    seen = {service}
    below, above = [service] if service else [], [service] if service else []
    for _ in range(STEPS):
        below = [name for one in below for name in _needs(catalog, one) if name not in seen]
        yield from ((name, True) for name in dict.fromkeys(below))
        seen.update(below)
        above = [name for one in above for name in _needed_by(catalog, one) if name not in seen]
        yield from ((name, False) for name in dict.fromkeys(above))
        seen.update(above)


def family(catalog: Catalog, service: str) -> str:
    """A name for all services that hang together by dependencies, the same for each of them."""
    found, new = {service}, [service]
    while new:
        one = new.pop()
        near = {*_needs(catalog, one), *_needed_by(catalog, one)} - found
        found |= near
        new += near
    return min(found)


def _needs(catalog: Catalog, service: str) -> tuple[str, ...]:
    known = catalog.services.get(service)
    return known.depends_on if known else ()


def _needed_by(catalog: Catalog, service: str) -> tuple[str, ...]:
    return tuple(name for name, one in catalog.services.items() if service in one.depends_on)
