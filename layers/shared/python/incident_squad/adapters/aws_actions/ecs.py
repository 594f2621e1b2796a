"""Takes an ECS service back: stops a running deployment, or returns to the former revision."""

from collections.abc import Mapping
from typing import Any

from incident_squad.adapters.aws_actions.calls import Missing, change, look
from incident_squad.adapters.aws_actions.place import Place, Rows, text
from incident_squad.domain.errors import InvalidConfiguration, InvalidParameter, StepFailed
from incident_squad.domain.targets import EcsService

LAST_GOOD = "the last revision that was deployed with success"
_COMPLETED = {"COMPLETED", None}


class RollBack:
    """`ecs_rollback`: stop a deployment that is under way, or go back to the revision before."""

    def preview(self, place: Place, arguments: Mapping[str, Any]) -> list[dict[str, str]]:
        """The service, from what to what; nothing when it has no former revision."""
        del arguments
        now = _task_definition(place)
        deployment = _deployment(place)
        if deployment:
            return [_row(place, now, LAST_GOOD, deployment)]
        former = _former(place, now)
        return [_row(place, now, former)] if former else []

    def apply(
        self, place: Place, arguments: Mapping[str, Any], rows: Rows, key: str
    ) -> dict[str, Any]:
        """Do what the row says, if the service still runs what it says."""
        del arguments, key
        if len(rows) != 1 or rows[0].get("service") != _label(place):
            raise InvalidParameter("the planned service is not this one")
        row = rows[0]
        if row.get("stops"):
            return self._stop(place, row)
        now = _task_definition(place)
        if now == row["to"]:
            return {"from": row["from"], "to": row["to"]}
        if now != row["from"] or _former(place, now) != row["to"]:
            raise InvalidParameter(f"the service runs {now} by now, not {row['from']}")
        _update(place, row["to"])
        return {"from": row["from"], "to": row["to"]}

    def _stop(self, place: Place, row: Mapping[str, str]) -> dict[str, Any]:
        if _deployment(place) == row["stops"]:
            change(
                "stopping the deployment",
                place.client("ecs").stop_service_deployment,
                lambda: _deployment(place) != row["stops"],
                serviceDeploymentArn=row["stops"],
                stopType="ROLLBACK",
            )
        return {"from": row["from"], "to": row["to"], "stopped": row["stops"]}

    def undo(self, place: Place, result: Mapping[str, Any]) -> dict[str, Any]:
        """Put out again what was taken back."""
        newer, ours = text(result, "from"), text(result, "to")
        now = _task_definition(place)
        if now == newer and not _deployment(place):
            return {"to": newer}
        if ours not in {now, LAST_GOOD} and now != newer:
            raise StepFailed(f"the service runs {now} by now, not our {ours}: it is left alone")
        _update(place, newer)
        return {"to": newer}


def steady(place: Place, arguments: Mapping[str, Any]) -> bool:
    """Whether one deployment is left, and all of its tasks run."""
    del arguments
    service = _service(place)
    deployments = service.get("deployments", [])
    return (
        len(deployments) <= 1
        and service.get("runningCount") == service.get("desiredCount")
        and all(one.get("rolloutState") in _COMPLETED for one in deployments)
    )


def _ecs(place: Place) -> EcsService:
    if place.target.ecs is None:
        raise InvalidConfiguration(f"the target '{place.name}' names no ecs service")
    return place.target.ecs


def _label(place: Place) -> str:
    return f"{_ecs(place).cluster}/{_ecs(place).service}"


def _service(place: Place) -> Mapping[str, Any]:
    found = _ecs(place)
    answer = look(
        f"reading the service '{found.service}'",
        place.client("ecs").describe_services,
        cluster=found.cluster,
        services=[found.service],
    )
    for service in answer.get("services", ()):
        content: Mapping[str, Any] = service
        return content
    raise Missing(f"the cluster '{found.cluster}' has no service '{found.service}'")


def _task_definition(place: Place) -> str:
    return _short(str(_service(place)["taskDefinition"]))


def _deployment(place: Place) -> str:
    """The deployment that is under way, by its ARN; empty when there is none."""
    found = _ecs(place)
    answer = look(
        "listing deployments",
        place.client("ecs").list_service_deployments,
        cluster=found.cluster,
        service=found.service,
        status=["IN_PROGRESS"],
    )
    under_way = answer.get("serviceDeployments", ())
    return str(under_way[0]["serviceDeploymentArn"]) if under_way else ""


def _former(place: Place, now: str) -> str:
    """The newest active revision before this one; empty when there is none."""
    answer = look(
        "listing task definitions",
        place.client("ecs").list_task_definitions,
        familyPrefix=_ecs(place).family,
        status="ACTIVE",
        sort="DESC",
        maxResults=100,
    )
    family, _, revision = now.rpartition(":")
    names = (_short(str(arn)).rpartition(":") for arn in answer.get("taskDefinitionArns", ()))
    older = [int(r) for name, _, r in names if name == family and int(r) < int(revision)]
    return f"{family}:{max(older)}" if older else ""


def _update(place: Place, task_definition: str) -> None:
    found = _ecs(place)
    change(
        f"putting out {task_definition}",
        place.client("ecs").update_service,
        lambda: _task_definition(place) == task_definition,
        cluster=found.cluster,
        service=found.service,
        taskDefinition=task_definition,
    )


def _short(arn: str) -> str:
    return arn.rpartition("/")[2]


def _row(place: Place, now: str, to: str, stops: str = "") -> dict[str, str]:
    row = {"service": _label(place), "from": now, "to": to}
    return {**row, "stops": stops} if stops else row
