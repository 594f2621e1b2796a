"""What may go into a metric query, and what a query says about its own range.

A runbook's query is the runbook's text plus names of the catalogue, nothing else: no word of an
alert is ever put into one.
"""

import re
from collections.abc import Iterator
from datetime import timedelta

from incident_squad.domain.catalog import Catalog
from incident_squad.domain.errors import InvalidParameter
from incident_squad.domain.runbook import MetricProbe
from incident_squad.policy.cloudwatch_query import read_cloudwatch
from incident_squad.policy.pagerduty_query import read_pagerduty

_PLACEHOLDER = re.compile(r"\{(service|target\.[A-Za-z0-9_-]+)\}")
_SERVICE = re.compile(r"[a-z][a-z0-9_-]{0,63}")
# No quote, brace, backslash, blank or comma: nothing that could end a string in any query language.
_FIELD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@-]{0,199}")
_LAST = re.compile(r"\s+last_(\d{1,4})(m|h|d)$")
MARK = 'service="{service}"'
"""How runbooks write which series of Prometheus are a service's."""
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def fill_query(query: str, catalog: Catalog, service: str | None) -> str:
    """Put `{service}` and `{target.<field>}` into a runbook's query; raises InvalidParameter.

    The service is one of the catalogue's or the query is not asked: a name that only an alert
    knows gets nowhere.
    """

    def value(match: re.Match[str]) -> str:
        name = match[1]
        if service is None or service not in catalog.services:
            raise InvalidParameter(f"the query asks for {{{name}}}, and the catalogue knows none")
        if name == "service":
            return _safe(name, service, _SERVICE)
        field = name.removeprefix("target.")
        found = {str(one) for one in _fields(catalog, service, field)}
        if len(found) != 1:
            some = "several" if found else "no"
            raise InvalidParameter(f"the targets of '{service}' have {some} '{field}' in fields")
        return _safe(name, found.pop(), _FIELD)

    return _PLACEHOLDER.sub(value, query)


def fill_probe(probe: MetricProbe, catalog: Catalog, service: str | None) -> str:
    """The query of a probe; the operator may say what else marks a service's series."""
    query, source = probe.query, catalog.metrics.prometheus
    own = source.selectors.get(service or "") if source and probe.source == "prometheus" else None
    if own is not None:
        query = query.replace(MARK, own)
    return fill_query(query, catalog, service)


def placeholders(query: str) -> frozenset[str]:
    """The names that a query asks the catalogue for: `service`, `target.instance`."""
    return frozenset(_PLACEHOLDER.findall(query))


def metric_problems(probe: MetricProbe) -> Iterator[str]:
    """What can be seen to be wrong with a probe before it is asked."""
    if own_range(probe.query.strip())[1] is not None:
        yield "a probe's range is its window_minutes: take last_... away"
    read = {"cloudwatch": read_cloudwatch, "pagerduty": read_pagerduty}.get(probe.source)
    if read is None:
        return
    try:
        read(_PLACEHOLDER.sub("PLACE1", probe.query))
    except InvalidParameter as error:
        yield f"the query for {probe.source} cannot be read: {error}"


def own_range(query: str) -> tuple[str, timedelta | None]:
    """The query without a `last_15m` at its end, and the range that it asked for."""
    match = _LAST.search(query)
    if match is None:
        return query, None
    return query[: match.start()], timedelta(**{_UNITS[match[2]]: int(match[1])})


def _fields(catalog: Catalog, service: str, field: str) -> Iterator[str | int | float]:
    for name in catalog.services[service].targets.values():
        value = catalog.targets[name].fields.get(field)
        if value is not None:
            yield value


def _safe(name: str, value: str, allowed: re.Pattern[str]) -> str:
    if not allowed.fullmatch(value):
        raise InvalidParameter(f"the catalogue's {name} has characters that no query may hold")
    return value
