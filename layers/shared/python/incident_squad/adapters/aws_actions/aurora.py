"""Fails an Aurora cluster over to the reader that AWS would promote first."""

from collections.abc import Mapping
from typing import Any

from incident_squad.adapters.aws_actions.calls import Missing, change, look
from incident_squad.adapters.aws_actions.place import Place, Rows, text
from incident_squad.domain.errors import InvalidConfiguration, InvalidParameter, StepFailed

_AVAILABLE = "available"


class FailOver:
    """`aurora_failover`: another member becomes the writer; connections are cut for a moment."""

    def preview(self, place: Place, arguments: Mapping[str, Any]) -> list[dict[str, str]]:
        """The cluster, from which writer to which."""
        del arguments
        cluster = _cluster(place)
        return [_row(place, _writer(cluster), _heir(cluster, place))]

    def apply(
        self, place: Place, arguments: Mapping[str, Any], rows: Rows, key: str
    ) -> dict[str, Any]:
        """Promote the planned member, if the planned writer still is the writer."""
        del arguments, key
        row = dict(rows[0]) if len(rows) == 1 else {}
        if row != _row(place, row.get("writer", ""), row.get("to", "")):
            raise InvalidParameter("the planned cluster is not this one")
        cluster = _cluster(place)
        now = _writer(cluster)
        result = {"previous_writer": row["writer"], "writer": row["to"]}
        if now == row["to"]:
            return result
        if now != row["writer"]:
            raise InvalidParameter(f"the writer is {now} by now, not {row['writer']}")
        _promote(place, cluster, row["to"])
        return result

    def undo(self, place: Place, result: Mapping[str, Any]) -> dict[str, Any]:
        """Make the former writer the writer again, unless a third one is by now."""
        former, ours = text(result, "previous_writer"), text(result, "writer")
        cluster = _cluster(place)
        now = _writer(cluster)
        if now not in {former, ours}:
            raise StepFailed(f"the writer is {now} by now, not our {ours}: it is left alone")
        if now != former:
            _promote(place, cluster, former)
        return {"writer": former}


def writer_is(place: Place, arguments: Mapping[str, Any]) -> bool:
    """Whether this instance is the writer."""
    return _writer(_cluster(place)) == text(arguments, "instance")


def available(place: Place, arguments: Mapping[str, Any]) -> bool:
    """Whether the cluster takes connections."""
    del arguments
    return str(_cluster(place).get("Status")) == _AVAILABLE


def _name(place: Place) -> str:
    if place.target.db_cluster is None:
        raise InvalidConfiguration(f"the target '{place.name}' names no db_cluster")
    return place.target.db_cluster


def _cluster(place: Place) -> Mapping[str, Any]:
    name = _name(place)
    answer = look(
        f"reading the cluster '{name}'",
        place.client("rds").describe_db_clusters,
        DBClusterIdentifier=name,
    )
    for cluster in answer.get("DBClusters", ()):
        content: Mapping[str, Any] = cluster
        return content
    raise Missing(f"there is no cluster '{name}'")


def _writer(cluster: Mapping[str, Any]) -> str:
    members = cluster.get("DBClusterMembers", ())
    return next((str(m["DBInstanceIdentifier"]) for m in members if m["IsClusterWriter"]), "")


def _heir(cluster: Mapping[str, Any], place: Place) -> str:
    """The reader of the lowest promotion tier; the first name among equals."""
    readers = [m for m in cluster.get("DBClusterMembers", ()) if not m["IsClusterWriter"]]
    if not readers:
        raise InvalidConfiguration(f"the cluster '{_name(place)}' has no reader to fail over to")
    chosen = min(readers, key=lambda m: (m.get("PromotionTier", 15), m["DBInstanceIdentifier"]))
    return str(chosen["DBInstanceIdentifier"])


def _promote(place: Place, cluster: Mapping[str, Any], member: str) -> None:
    members = [m["DBInstanceIdentifier"] for m in cluster.get("DBClusterMembers", ())]
    if member not in members:
        raise InvalidParameter(f"the cluster '{_name(place)}' has no member '{member}'")
    change(
        f"making '{member}' the writer",
        place.client("rds").failover_db_cluster,
        lambda: _writer(_cluster(place)) == member,
        DBClusterIdentifier=_name(place),
        TargetDBInstanceIdentifier=member,
    )


def _row(place: Place, now: str, to: str) -> dict[str, str]:
    return {"cluster": _name(place), "writer": now, "to": to}
