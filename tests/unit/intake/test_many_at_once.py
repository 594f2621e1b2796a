"""Requests that come together are answered each for itself."""

import json
from concurrent.futures import ThreadPoolExecutor

from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.intake.handler import handler_of
from tests.unit.intake.test_doors import Doors, event


def test_no_request_is_answered_with_the_body_of_another() -> None:
    doors = Doors()
    handler = handler_of(lambda: doors.api)

    def send(n: int) -> int:
        asked = event("/webhooks/generic" if n % 2 else "/webhooks/datadog")
        if n % 2:
            asked["body"] = json.dumps({"alert": f"n{n}"})
        return int(handler(asked, LambdaContext())["statusCode"])

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(send, range(400)))

    assert answers == [401, 202] * 200
    assert sorted(a.title for a in doors.received) == sorted(f"n{n}" for n in range(1, 400, 2))
