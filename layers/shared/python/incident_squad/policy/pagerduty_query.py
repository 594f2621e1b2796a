"""Reads the PagerDuty queries that runbooks and agents write: what, then `name=value` filters.

`incidents status=triggered,acknowledged service=PABC123`, `log_entries incident=PXYZ789`,
`oncalls schedule=PDEF456`, `analytics metric=mean_seconds_to_resolve service=PABC123`.
"""

import re
from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from incident_squad.domain.errors import InvalidParameter
from incident_squad.domain.values import Value

What = Literal["incidents", "log_entries", "oncalls", "analytics"]
_ID = re.compile(r"[A-Z0-9]{5,20}")
_WORD = re.compile(r"[a-z][a-z0-9_]{0,59}")
FILTERS: Mapping[What, Mapping[str, re.Pattern[str]]] = {
    "incidents": {
        "service": _ID,
        "team": _ID,
        "status": re.compile("triggered|acknowledged|resolved"),
        "urgency": re.compile("high|low"),
    },
    "log_entries": {"incident": _ID, "team": _ID},
    "oncalls": {"schedule": _ID, "policy": _ID},
    "analytics": {
        "metric": _WORD,
        "service": _ID,
        "team": _ID,
        "urgency": re.compile("high|low"),
    },
}
"""What can be asked, and the form of each filter's values."""

_SINGLE = frozenset({"metric", "incident"})


class PagerDutyQuestion(Value):
    """What to read, and its filters."""

    what: What
    filters: dict[str, tuple[str, ...]] = Field(default_factory=dict)

    def one(self, name: str) -> str | None:
        """The value of a filter that has one, or None."""
        return next(iter(self.filters.get(name, ())), None)


def read_pagerduty(query: str) -> PagerDutyQuestion:
    """The question; raises InvalidParameter with what to mend."""
    words = query.split()
    what = _what(words[0] if words else "")
    filters: dict[str, tuple[str, ...]] = {}
    for word in words[1:]:
        name, sign, text = word.partition("=")
        form = FILTERS[what].get(name)
        if form is None or not sign or name in filters:
            known = ", ".join(f"{one}=..." for one in FILTERS[what])
            raise InvalidParameter(f"'{word[:60]}' is not a filter of {what}: write {known}")
        filters[name] = _values(name, text, form)
    if what == "analytics" and "metric" not in filters:
        raise InvalidParameter("analytics needs metric=..., such as metric=mean_seconds_to_resolve")
    return PagerDutyQuestion(what=what, filters=filters)


def _what(word: str) -> What:
    for known in FILTERS:
        if word == known:
            return known
    raise InvalidParameter(f"a query begins with one of {', '.join(FILTERS)}")


def _values(name: str, text: str, form: re.Pattern[str]) -> tuple[str, ...]:
    values = tuple(text.split(","))
    bad = [value for value in values if not form.fullmatch(value)]
    if bad:
        raise InvalidParameter(f"'{bad[0][:60]}' cannot be a {name}")
    if name in _SINGLE and len(values) > 1:
        raise InvalidParameter(f"{name} takes one value")
    return values
