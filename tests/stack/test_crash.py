"""What was acknowledged is worked on, whatever is killed and when."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from infra.local.stack import LocalStack
from tests.stack.http import call

pytestmark = pytest.mark.stack

ALERT = {
    "alert": "PostgreSQL connection pool exhausted on prod-db-01. Active connections: 500/500."
    " Service: payment-api. Error rate spike: 45% of requests returning 500."
}
HOLD = """
import pathlib, sys, time
from infra.local.stack import LocalStack
stack = LocalStack.start(data=pathlib.Path(sys.argv[1]))
print(stack.url, stack.secrets["generic"], flush=True)
time.sleep(600)
"""


def test_an_alert_taken_just_before_a_kill_is_worked_on_after_it(tmp_path: Path) -> None:
    data = tmp_path / "data"
    command = [sys.executable, "-c", HOLD, str(data)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as squad:
        assert squad.stdout is not None
        url, secret = squad.stdout.readline().split()
        headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
        body = json.dumps(ALERT).encode()
        taken = call(f"{url}/webhooks/generic", method="POST", body=body, headers=headers)
        squad.kill()
    assert taken.status == 202
    incident = json.loads(taken.body)["incidentId"]
    with LocalStack.start(data=data) as stack:
        told = stack.inbox.wait_for(
            lambda m: m.incident_id == incident and m.kind in {"approval", "handover"}, seconds=90
        )
        assert told is not None
        bearer = {"Authorization": f"Bearer {stack.token}", "Accept": "application/json"}
        listed = json.loads(call(f"{stack.url}/incidents", headers=bearer).body)["incidents"]
        assert len(listed) == 1
