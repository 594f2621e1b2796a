"""Revokes sessions of IAM roles that the target names: what was issued before now is denied."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from incident_squad.adapters.aws_actions.calls import Missing, change, look
from incident_squad.adapters.aws_actions.place import Place, Rows, text
from incident_squad.domain.errors import InvalidParameter, StepFailed
from incident_squad.domain.values import iso

POLICY = "IncidentSquadRevokedSessions"


class RevokeSessions:
    """`iam_revoke_sessions`: an inline policy that denies by the time of issue, as AWS advises."""

    def preview(self, place: Place, arguments: Mapping[str, Any]) -> list[dict[str, str]]:
        """The role."""
        role = _role(place, arguments)
        _read(place, role)
        return [_row(role)]

    def apply(
        self, place: Place, arguments: Mapping[str, Any], rows: Rows, key: str
    ) -> dict[str, Any]:
        """Put the policy; the same key never moves the time of an earlier try."""
        role = _role(place, arguments)
        if [dict(row) for row in rows] != [_row(role)]:
            raise InvalidParameter("the planned role is not this one")
        sid = f"Squad{hashlib.sha256(key.encode()).hexdigest()[:16]}"
        former = _read(place, role)
        if _sid(former) == sid:
            return {"role": role, "sid": sid, "previous": "", "repeated": True}
        _put(place, role, _document(sid, iso(place.clock.now())))
        return {"role": role, "sid": sid, "previous": former}

    def undo(self, place: Place, result: Mapping[str, Any]) -> dict[str, Any]:
        """Put the former policy back, or none, if the present one is still ours."""
        role, ours = text(result, "role"), text(result, "sid")
        former = str(result.get("previous", ""))
        now = _read(place, _known(place, role))
        if now == former:
            return {"role": role}
        if _sid(now) != ours:
            raise StepFailed(f"the policy of '{role}' is another one by now: it is left alone")
        if former:
            _put(place, role, former)
        else:
            _delete(place, role)
        return {"role": role}


def sessions_revoked(place: Place, arguments: Mapping[str, Any]) -> bool:
    """Whether older sessions of the role are denied."""
    return bool(_read(place, _role(place, arguments)))


def _role(place: Place, arguments: Mapping[str, Any]) -> str:
    return _known(place, text(arguments, "role"))


def _known(place: Place, role: str) -> str:
    if role not in place.target.iam_roles:
        raise InvalidParameter(f"the role is not among those of '{place.name}'")
    return role


def _read(place: Place, role: str) -> str:
    """The policy as JSON in one written form; empty when there is none."""
    try:
        answer = look(
            f"reading the policy of '{role}'",
            place.client("iam").get_role_policy,
            RoleName=role,
            PolicyName=POLICY,
        )
    except Missing:
        return ""
    document = answer["PolicyDocument"]
    return _written(json.loads(document) if isinstance(document, str) else document)


def _put(place: Place, role: str, document: str) -> None:
    change(
        f"revoking sessions of '{role}'",
        place.client("iam").put_role_policy,
        lambda: _read(place, role) == document,
        RoleName=role,
        PolicyName=POLICY,
        PolicyDocument=document,
    )


def _delete(place: Place, role: str) -> None:
    change(
        f"allowing sessions of '{role}'",
        place.client("iam").delete_role_policy,
        lambda: not _read(place, role),
        RoleName=role,
        PolicyName=POLICY,
    )


def _document(sid: str, moment: str) -> str:
    statement = {
        "Sid": sid,
        "Effect": "Deny",
        "Action": "*",
        "Resource": "*",
        "Condition": {"DateLessThan": {"aws:TokenIssueTime": moment}},
    }
    return _written({"Version": "2012-10-17", "Statement": [statement]})


def _sid(document: str) -> str:
    statements = json.loads(document).get("Statement", []) if document else []
    return str(statements[0].get("Sid", "")) if len(statements) == 1 else ""


def _written(document: object) -> str:
    return json.dumps(document, sort_keys=True, separators=(",", ":"))


def _row(role: str) -> dict[str, str]:
    return {"role": role, "policy": POLICY, "change": "denies sessions issued before now"}
