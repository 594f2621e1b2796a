"""Puts an instance that the target names into a security group that lets nothing through."""

from collections.abc import Mapping
from typing import Any

from incident_squad.adapters.aws_actions.calls import Missing, change, look
from incident_squad.adapters.aws_actions.place import Place, Rows, text
from incident_squad.domain.errors import InvalidConfiguration, InvalidParameter, StepFailed
from incident_squad.domain.targets import Quarantine


class Isolate:
    """`security_group_quarantine`: the instance keeps running, for whoever looks into it."""

    def preview(self, place: Place, arguments: Mapping[str, Any]) -> list[dict[str, str]]:
        """The instance, from which groups to which."""
        instance = _instance(place, arguments)
        now = _groups(place, instance)
        wanted = _quarantine(place).group
        return [] if now == [wanted] else [_row(instance, now, wanted)]

    def apply(
        self, place: Place, arguments: Mapping[str, Any], rows: Rows, key: str
    ) -> dict[str, Any]:
        """Change its groups, if they still are those of the plan."""
        del key
        instance, wanted = _instance(place, arguments), _quarantine(place).group
        now = _groups(place, instance)
        planned = rows[0].get("groups", "").split() if len(rows) == 1 else []
        if [dict(row) for row in rows] != [_row(instance, planned, wanted)]:
            raise InvalidParameter("the planned instance is not this one")
        if now not in ([wanted], planned):
            raise InvalidParameter(f"the instance is in {' '.join(now)} by now")
        if now != [wanted]:
            _set(place, instance, [wanted])
        return {"instance": instance, "group": wanted, "previous_groups": planned}

    def undo(self, place: Place, result: Mapping[str, Any]) -> dict[str, Any]:
        """Give it its former groups, unless somebody has given it others since."""
        instance = _known(place, text(result, "instance"))
        former = [str(group) for group in result.get("previous_groups", ())]
        now = _groups(place, instance)
        if now not in ([text(result, "group")], former):
            raise StepFailed(f"'{instance}' is in {' '.join(now)} by now: it is left alone")
        if now != former:
            _set(place, instance, former)
        return {"instance": instance, "groups": former}


def quarantined(place: Place, arguments: Mapping[str, Any]) -> bool:
    """Whether the instance is in the quarantine group alone."""
    return _groups(place, _instance(place, arguments)) == [_quarantine(place).group]


def _quarantine(place: Place) -> Quarantine:
    if place.target.quarantine is None:
        raise InvalidConfiguration(f"the target '{place.name}' names no quarantine")
    return place.target.quarantine


def _instance(place: Place, arguments: Mapping[str, Any]) -> str:
    return _known(place, text(arguments, "instance"))


def _known(place: Place, instance: str) -> str:
    if instance not in _quarantine(place).instances:
        raise InvalidParameter(f"the instance is not among those of '{place.name}'")
    return instance


def _groups(place: Place, instance: str) -> list[str]:
    answer = look(
        f"reading the instance '{instance}'",
        place.client("ec2").describe_instances,
        InstanceIds=[instance],
    )
    for reservation in answer.get("Reservations", ()):
        for found in reservation["Instances"]:
            if len(found.get("NetworkInterfaces", ())) > 1:
                message = f"'{instance}' has several network interfaces: a person has to do it"
                raise InvalidConfiguration(message)
            return sorted(str(group["GroupId"]) for group in found["SecurityGroups"])
    raise Missing(f"there is no instance '{instance}'")


def _set(place: Place, instance: str, groups: list[str]) -> None:
    change(
        f"changing the groups of '{instance}'",
        place.client("ec2").modify_instance_attribute,
        lambda: _groups(place, instance) == sorted(groups),
        InstanceId=instance,
        Groups=groups,
    )


def _row(instance: str, now: list[str], to: str) -> dict[str, str]:
    return {"instance": instance, "groups": " ".join(now), "to": to}
