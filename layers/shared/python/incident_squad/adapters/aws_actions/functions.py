"""Takes a Lambda function back to its former version, or bounds how much of it may run."""

from collections.abc import Mapping
from typing import Any

from incident_squad.adapters.aws_actions.calls import change, look
from incident_squad.adapters.aws_actions.place import Place, Rows, number, text
from incident_squad.domain.errors import InvalidConfiguration, InvalidParameter, StepFailed
from incident_squad.domain.targets import LambdaAlias

UNLIMITED = "unlimited"
MOST = 10_000


class RollBack:
    """`lambda_rollback`: the alias goes back to the published version before the present one."""

    def preview(self, place: Place, arguments: Mapping[str, Any]) -> list[dict[str, str]]:
        """The alias, from what to what; nothing when no older version is left."""
        now = version(place, arguments)
        former = _former(place, now)
        return [_alias_row(place, now, former)] if former else []

    def apply(
        self, place: Place, arguments: Mapping[str, Any], rows: Rows, key: str
    ) -> dict[str, Any]:
        """Move the alias, if it still is where the plan saw it."""
        del key
        alias = _alias(place)
        now = str(alias["FunctionVersion"])
        row = dict(rows[0]) if len(rows) == 1 else {}
        if row != _alias_row(place, row.get("version", ""), row.get("to", "")):
            raise InvalidParameter("the planned function is not this one")
        if now == row["to"]:
            return {"from": row["version"], "to": now}
        if now != row["version"] or _former(place, now) != row["to"]:
            raise InvalidParameter(f"the alias is at {now} by now, not {row['version']}")
        _move(place, row["to"], str(alias["RevisionId"]))
        del arguments
        return {"from": now, "to": row["to"]}

    def undo(self, place: Place, result: Mapping[str, Any]) -> dict[str, Any]:
        """Move the alias forward again, unless somebody has moved it since."""
        newer, ours = text(result, "from"), text(result, "to")
        alias = _alias(place)
        now = str(alias["FunctionVersion"])
        if now not in {newer, ours}:
            raise StepFailed(f"the alias is at {now} by now, not our {ours}: it is left alone")
        if now != newer:
            _move(place, newer, str(alias["RevisionId"]))
        return {"to": newer}


class Concurrency:
    """`lambda_concurrency`: reserve so many instances and no more; 0 stops the function."""

    def preview(self, place: Place, arguments: Mapping[str, Any]) -> list[dict[str, str]]:
        """The limit from what to what."""
        wanted, now = str(number(arguments, "limit", 0, MOST)), limit(place, {})
        return [] if now == wanted else [_limit_row(place, now, wanted)]

    def apply(
        self, place: Place, arguments: Mapping[str, Any], rows: Rows, key: str
    ) -> dict[str, Any]:
        """Set it, if it still is what the plan saw."""
        del key
        wanted, now = str(number(arguments, "limit", 0, MOST)), limit(place, {})
        if now == wanted:
            return {"limit": now, "previous_limit": rows[0]["limit"] if rows else now}
        if [dict(row) for row in rows] != [_limit_row(place, now, wanted)]:
            raise InvalidParameter("the limit is not the planned one any more")
        _bound(place, wanted)
        return {"limit": wanted, "previous_limit": now}

    def undo(self, place: Place, result: Mapping[str, Any]) -> dict[str, Any]:
        """Set the former limit, or none, unless somebody has set another one since."""
        ours, former = text(result, "limit"), text(result, "previous_limit")
        now = limit(place, {})
        if now not in {ours, former}:
            raise StepFailed(f"the limit is {now} by now, not our {ours}: it is left alone")
        if now != former:
            _bound(place, former)
        return {"limit": former}


def version(place: Place, arguments: Mapping[str, Any]) -> str:
    """The version that the alias points at."""
    del arguments
    return str(_alias(place)["FunctionVersion"])


def limit(place: Place, arguments: Mapping[str, Any]) -> str:
    """The reserved concurrency, or `unlimited`."""
    del arguments
    name = _function(place).name
    answer = look(
        f"reading the limit of '{name}'",
        place.client("lambda").get_function_concurrency,
        FunctionName=name,
    )
    return str(answer.get("ReservedConcurrentExecutions", UNLIMITED))


def _function(place: Place) -> LambdaAlias:
    if place.target.function is None:
        raise InvalidConfiguration(f"the target '{place.name}' names no function")
    return place.target.function


def _alias(place: Place) -> Mapping[str, Any]:
    found = _function(place)
    answer: Mapping[str, Any] = look(
        f"reading the alias of '{found.name}'",
        place.client("lambda").get_alias,
        FunctionName=found.name,
        Name=found.alias,
    )
    return answer


def _former(place: Place, now: str) -> str:
    """The newest published version before this one; empty when there is none."""
    name = _function(place).name
    client, found, marker = place.client("lambda"), [], ""
    while True:
        page = {"Marker": marker} if marker else {}
        answer = look(
            f"listing versions of '{name}'",
            client.list_versions_by_function,
            FunctionName=name,
            **page,
        )
        found += [str(one["Version"]) for one in answer["Versions"]]
        marker = str(answer.get("NextMarker") or "")
        if not marker:
            break
    older = [int(one) for one in found if one.isdigit() and now.isdigit() and int(one) < int(now)]
    return str(max(older)) if older else ""


def _move(place: Place, to: str, revision: str) -> None:
    found = _function(place)
    change(
        f"moving the alias of '{found.name}' to {to}",
        place.client("lambda").update_alias,
        lambda: version(place, {}) == to,
        FunctionName=found.name,
        Name=found.alias,
        FunctionVersion=to,
        RevisionId=revision,
    )


def _bound(place: Place, wanted: str) -> None:
    name, client = _function(place).name, place.client("lambda")
    if wanted == UNLIMITED:
        call, sent = client.delete_function_concurrency, {}
    else:
        sent = {"ReservedConcurrentExecutions": int(wanted)}
        call = client.put_function_concurrency
    change(
        f"setting the limit of '{name}'",
        call,
        lambda: limit(place, {}) == wanted,
        FunctionName=name,
        **sent,
    )


def _alias_row(place: Place, now: str, to: str) -> dict[str, str]:
    found = _function(place)
    return {"function": f"{found.name}:{found.alias}", "version": now, "to": to}


def _limit_row(place: Place, now: str, to: str) -> dict[str, str]:
    return {"function": _function(place).name, "limit": now, "to": to}
