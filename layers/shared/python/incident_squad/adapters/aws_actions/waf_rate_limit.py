"""Tightens the rate-based rule of a WAF rule group; all its other rules stay."""

import copy
from collections.abc import Mapping
from typing import Any

from incident_squad.adapters.aws_actions.calls import change, look
from incident_squad.adapters.aws_actions.place import Place, Rows, number
from incident_squad.adapters.aws_actions.waf_ip_set import names, waf
from incident_squad.domain.errors import InvalidConfiguration, InvalidParameter, StepFailed
from incident_squad.domain.targets import WafResource

LOWEST, HIGHEST = 10, 2_000_000_000


class RateLimit:
    """`waf_rate_limit`: allow each address fewer requests than now, never more."""

    def preview(self, place: Place, arguments: Mapping[str, Any]) -> list[dict[str, str]]:
        """The limit from what to what."""
        wanted = number(arguments, "requests", LOWEST, HIGHEST)
        now = requests_allowed(place, {})
        return [_row(place, now, wanted)] if wanted < now else []

    def apply(
        self, place: Place, arguments: Mapping[str, Any], rows: Rows, key: str
    ) -> dict[str, Any]:
        """Set the limit, if it still is what the plan saw."""
        del key
        wanted, now = number(arguments, "requests", LOWEST, HIGHEST), requests_allowed(place, {})
        if wanted == now:
            return {"requests": now, "previous_requests": int(rows[0]["requests"]) if rows else now}
        if [dict(row) for row in rows] != [_row(place, now, wanted)]:
            raise InvalidParameter("the limit is not the planned one any more")
        _set(place, wanted)
        return {"requests": wanted, "previous_requests": now}

    def undo(self, place: Place, result: Mapping[str, Any]) -> dict[str, Any]:
        """Set the former limit, unless somebody has set another one since."""
        ours, former = int(result["requests"]), int(result["previous_requests"])
        now = requests_allowed(place, {})
        if now not in {ours, former}:
            raise StepFailed(f"the limit is {now} by now, not our {ours}: it is left alone")
        if now != former:
            _set(place, former)
        return {"requests": former}


def requests_allowed(place: Place, arguments: Mapping[str, Any]) -> int:
    """How many requests the rule lets one address make."""
    del arguments
    return int(_rule(_read(place)["RuleGroup"], place)["Statement"]["RateBasedStatement"]["Limit"])


def _group(place: Place) -> WafResource:
    if place.target.rate_limit is None:
        raise InvalidConfiguration(f"the target '{place.name}' names no rate_limit")
    return place.target.rate_limit


def _read(place: Place) -> Any:  # noqa: ANN401 - an answer of AWS
    found = _group(place)
    doing = f"reading the rule group '{found.name}'"
    return look(doing, waf(place, found).get_rule_group, **names(found))


def _rule(group: Mapping[str, Any], place: Place) -> Any:  # noqa: ANN401 - a part of the answer
    rules = [r for r in group.get("Rules", ()) if "RateBasedStatement" in r["Statement"]]
    if len(rules) != 1:
        count = len(rules)
        raise InvalidConfiguration(f"the rule group of '{place.name}' has {count} rate-based rules")
    return rules[0]


def _set(place: Place, limit: int) -> None:
    found, answer = _group(place), _read(place)
    group = copy.deepcopy(answer["RuleGroup"])
    _rule(group, place)["Statement"]["RateBasedStatement"]["Limit"] = limit
    change(
        f"changing the rule group '{found.name}'",
        waf(place, found).update_rule_group,
        lambda: requests_allowed(place, {}) == limit,
        **names(found),
        Rules=group["Rules"],
        VisibilityConfig=group["VisibilityConfig"],
        LockToken=answer["LockToken"],
    )


def _row(place: Place, now: int, wanted: int) -> dict[str, str]:
    return {"rule_group": _group(place).name, "requests": str(now), "to": str(wanted)}
