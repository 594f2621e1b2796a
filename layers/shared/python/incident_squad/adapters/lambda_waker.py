"""Wakes the deliverer: an asynchronous call of its function, which nothing depends on."""

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


class LambdaWaker:
    """Calls a function without waiting for it; a call that fails is the schedule's to make up."""

    def __init__(self, client: "LambdaClient", function: str) -> None:
        self._client, self._function = client, function

    def __call__(self) -> None:
        """Wake it."""
        if not self._function:
            return
        try:
            self._client.invoke(
                FunctionName=self._function, InvocationType="Event", Payload=b'{"woken": true}'
            )
        except (BotoCoreError, ClientError):
            return
