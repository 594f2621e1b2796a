"""Grows the storage of a database instance that the target names. Storage never shrinks."""

import math
from collections.abc import Mapping
from typing import Any

from incident_squad.adapters.aws_actions.calls import Missing, change, look
from incident_squad.adapters.aws_actions.place import Place, Rows, number, text
from incident_squad.domain.errors import InvalidParameter, StepFailed

SMALLEST, LARGEST = 110, 200
"""Percent of the present size: AWS takes no smaller step, and a bigger one is for a person."""


class GrowStorage:
    """`rds_grow_storage`: without an interruption, and without a way back."""

    def preview(self, place: Place, arguments: Mapping[str, Any]) -> list[dict[str, str]]:
        """The instance, from how many gigabytes to how many."""
        instance = _instance(place, arguments)
        percent = number(arguments, "percent", SMALLEST, LARGEST)
        if growing(place, arguments):
            return []
        now = _gigabytes(place, instance)
        return [_row(instance, now, math.ceil(now * percent / 100))]

    def apply(
        self, place: Place, arguments: Mapping[str, Any], rows: Rows, key: str
    ) -> dict[str, Any]:
        """Grow it to the planned size; a size that is reached or under way is left as it is."""
        del key
        instance = _instance(place, arguments)
        row = dict(rows[0]) if len(rows) == 1 else {}
        if row.get("instance") != instance:
            raise InvalidParameter("the planned instance is not this one")
        wanted, now = int(row["to"]), _wanted(place, instance)
        if now < wanted:
            if now != int(row["gigabytes"]):
                raise InvalidParameter(f"the instance has {now} GB by now")
            _grow(place, instance, wanted)
        return {"instance": instance, "gigabytes": wanted, "previous_gigabytes": row["gigabytes"]}

    def undo(self, place: Place, result: Mapping[str, Any]) -> dict[str, Any]:
        """There is none."""
        del place, result
        raise StepFailed("storage does not shrink: nothing can be taken back")


def growing(place: Place, arguments: Mapping[str, Any]) -> bool:
    """Whether a bigger size is already under way."""
    instance = _instance(place, arguments)
    return _wanted(place, instance) > _gigabytes(place, instance)


def _instance(place: Place, arguments: Mapping[str, Any]) -> str:
    name = text(arguments, "instance")
    if name not in place.target.db_instances:
        raise InvalidParameter(f"the instance is not among those of '{place.name}'")
    return name


def _read(place: Place, instance: str) -> Mapping[str, Any]:
    answer = look(
        f"reading the instance '{instance}'",
        place.client("rds").describe_db_instances,
        DBInstanceIdentifier=instance,
    )
    for found in answer.get("DBInstances", ()):
        content: Mapping[str, Any] = found
        return content
    raise Missing(f"there is no instance '{instance}'")


def _gigabytes(place: Place, instance: str) -> int:
    return int(_read(place, instance)["AllocatedStorage"])


def _wanted(place: Place, instance: str) -> int:
    """The size that is there or under way."""
    found = _read(place, instance)
    pending = found.get("PendingModifiedValues", {}).get("AllocatedStorage")
    return int(pending or found["AllocatedStorage"])


def _grow(place: Place, instance: str, wanted: int) -> None:
    change(
        f"growing '{instance}' to {wanted} GB",
        place.client("rds").modify_db_instance,
        lambda: _wanted(place, instance) >= wanted,
        DBInstanceIdentifier=instance,
        AllocatedStorage=wanted,
        ApplyImmediately=True,
    )


def _row(instance: str, now: int, to: int) -> dict[str, str]:
    return {"instance": instance, "gigabytes": str(now), "to": str(to)}
