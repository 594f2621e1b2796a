"""Makes accounts safe again: a password reset, and the end of every session."""

from collections.abc import Callable, Mapping
from typing import Any

from incident_squad.adapters.aws_actions.calls import change
from incident_squad.adapters.aws_actions.place import Place, Rows
from incident_squad.adapters.aws_actions.sign_ins import accounts, status, user_pool
from incident_squad.domain.errors import InvalidParameter, SquadError, StepFailed, TargetUnavailable

RESET = "RESET_REQUIRED"
_CAN_BE_RESET = "CONFIRMED"


class ResetPasswords:
    """`cognito_reset_passwords`: affected accounts must set a new password. No way back."""

    CHANGE = "must set a new password"

    def preview(self, place: Place, arguments: Mapping[str, Any]) -> list[dict[str, str]]:
        """The accounts that have not been reset yet."""
        found = accounts(place, arguments)
        return [
            _row(place, name, self.CHANGE)
            for name, state in found.items()
            if state == _CAN_BE_RESET
        ]

    def apply(
        self, place: Place, arguments: Mapping[str, Any], rows: Rows, key: str
    ) -> dict[str, Any]:
        """Reset them one by one; those that were reset meanwhile are done already."""
        del arguments, key  # the accounts are those of the plan, whoever signed in since
        client = place.client("cognito-idp")

        def reset(name: str) -> None:
            if status(place, name) != RESET:
                change(
                    "resetting a password",
                    client.admin_reset_user_password,
                    lambda: status(place, name) == RESET,
                    UserPoolId=user_pool(place),
                    Username=name,
                )

        return {"reset": _each(_planned(place, rows, self.CHANGE), reset, "reset")}

    def undo(self, place: Place, result: Mapping[str, Any]) -> dict[str, Any]:
        """There is none: the former passwords are gone."""
        del place, result
        raise StepFailed("a reset password cannot be brought back: the owner sets a new one")


class SignOut:
    """`cognito_sign_out`: end all sessions of the affected accounts. No way back."""

    CHANGE = "is signed out everywhere"

    def preview(self, place: Place, arguments: Mapping[str, Any]) -> list[dict[str, str]]:
        """The accounts."""
        return [_row(place, name, self.CHANGE) for name in accounts(place, arguments)]

    def apply(
        self, place: Place, arguments: Mapping[str, Any], rows: Rows, key: str
    ) -> dict[str, Any]:
        """Sign them out one by one; again does no harm: nobody is left to be signed out."""
        del arguments, key
        client = place.client("cognito-idp")

        def sign_out(name: str) -> None:
            change(
                "signing an account out",
                client.admin_user_global_sign_out,
                lambda: False,  # sessions do not show: a lost answer stays open
                UserPoolId=user_pool(place),
                Username=name,
            )

        return {"signed_out": _each(_planned(place, rows, self.CHANGE), sign_out, "signed out")}

    def undo(self, place: Place, result: Mapping[str, Any]) -> dict[str, Any]:
        """There is none: the owners sign in again."""
        del place, result
        raise StepFailed("an ended session cannot be brought back: the owner signs in again")


def affected(place: Place, arguments: Mapping[str, Any]) -> int:
    """How many accounts signed in from the address."""
    return len(accounts(place, arguments))


def to_reset(place: Place, arguments: Mapping[str, Any]) -> int:
    """How many of them can still be used with their old password."""
    return sum(state == _CAN_BE_RESET for state in accounts(place, arguments).values())


def _each(names: list[str], act: Callable[[str], None], word: str) -> list[str]:
    """Act on all; a failure says who is done, who is not and who is in doubt."""
    done: list[str] = []
    for place, name in enumerate(names):
        try:
            act(name)
        except SquadError as error:
            refused = isinstance(error, TargetUnavailable)
            if not done and refused:
                raise
            left = names[place + (0 if refused else 1) :]
            doubt = "" if refused else f"in doubt: {name}; "
            message = f"{error}; {word}: {', '.join(done) or 'nobody'}; {doubt}"
            raise StepFailed(f"{message}not {word}: {', '.join(left) or 'nobody'}") from error
        done.append(name)
    return done


def _planned(place: Place, rows: Rows, what: str) -> list[str]:
    names = [row.get("user", "") for row in rows]
    if [dict(row) for row in rows] != [_row(place, name, what) for name in names]:
        raise InvalidParameter("the planned accounts are not of this pool")
    return names


def _row(place: Place, name: str, what: str) -> dict[str, str]:
    return {"user_pool": user_pool(place), "user": name, "change": what}
