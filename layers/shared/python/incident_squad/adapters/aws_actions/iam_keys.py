"""Deactivates access keys of the IAM users that the target names."""

from collections.abc import Mapping
from typing import Any

from incident_squad.adapters.aws_actions.calls import change, look
from incident_squad.adapters.aws_actions.place import Place, Rows, text
from incident_squad.domain.errors import InvalidParameter
from incident_squad.policy.typed import access_key

ACTIVE, INACTIVE = "Active", "Inactive"


class DeactivateKey:
    """`iam_deactivate_key`: the key stops working, and can be made to work again."""

    def preview(self, place: Place, arguments: Mapping[str, Any]) -> list[dict[str, str]]:
        """The key and its owner, unless it is inactive."""
        key_id, user = _key(place, arguments)
        return [_row(key_id, user)] if _status(place, user, key_id) == ACTIVE else []

    def apply(
        self, place: Place, arguments: Mapping[str, Any], rows: Rows, key: str
    ) -> dict[str, Any]:
        """Deactivate it."""
        del key
        key_id, user = _key(place, arguments)
        if [dict(row) for row in rows] != [_row(key_id, user)]:
            raise InvalidParameter("the planned key is not this one")
        was_active = _status(place, user, key_id) == ACTIVE
        if was_active:
            _set(place, user, key_id, INACTIVE)
        return {"user": user, "access_key": key_id, "deactivated": was_active}

    def undo(self, place: Place, result: Mapping[str, Any]) -> dict[str, Any]:
        """Activate it, if it was this apply that deactivated it."""
        user, key_id = text(result, "user"), text(result, "access_key")
        _known(place, user)
        if result.get("deactivated") and _status(place, user, key_id) == INACTIVE:
            _set(place, user, key_id, ACTIVE)
        return {"access_key": key_id}


def key_active(place: Place, arguments: Mapping[str, Any]) -> bool:
    """Whether the key works."""
    key_id, user = _key(place, arguments)
    return _status(place, user, key_id) == ACTIVE


def _key(place: Place, arguments: Mapping[str, Any]) -> tuple[str, str]:
    try:
        key_id = access_key(text(arguments, "access_key"))
    except ValueError as error:
        raise InvalidParameter(f"'access_key' {error}") from None
    answer = look(
        "asking whose key it is",
        place.client("iam").get_access_key_last_used,
        AccessKeyId=key_id,
    )
    return key_id, _known(place, str(answer.get("UserName", "")))


def _known(place: Place, user: str) -> str:
    if user not in place.target.iam_users:
        raise InvalidParameter(f"the key's owner is not among the users of '{place.name}'")
    return user


def _status(place: Place, user: str, key_id: str) -> str:
    answer = look("listing a user's keys", place.client("iam").list_access_keys, UserName=user)
    keys = {one["AccessKeyId"]: one["Status"] for one in answer["AccessKeyMetadata"]}
    if key_id not in keys:
        raise InvalidParameter(f"'{user}' has no such key")
    return str(keys[key_id])


def _set(place: Place, user: str, key_id: str, status: str) -> None:
    change(
        f"setting a key of '{user}' to {status}",
        place.client("iam").update_access_key,
        lambda: _status(place, user, key_id) == status,
        UserName=user,
        AccessKeyId=key_id,
        Status=status,
    )


def _row(key_id: str, user: str) -> dict[str, str]:
    return {"user": user, "access_key": key_id, "change": f"{ACTIVE} -> {INACTIVE}"}
