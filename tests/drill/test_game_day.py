"""Real faults on real components, repaired by the product alone from Alertmanager's webhook on.

The service, its host names and its limits are not those of the example catalogue; the application
takes every connection slot that ordinary users may have; alerts of one service come as one group.
"""

import pytest

from infra.local.drill.faults import FAULTS
from infra.local.drill.gameday import GameDay

LIMIT_SECONDS = 10
"""Webhook to recovery without the approver's time, on a warm stack."""

HURRY = 4
"""This machine may have other work to do while the tests run."""


@pytest.mark.timeout(240)
@pytest.mark.parametrize("fault", FAULTS)
def test_the_squad_repairs(fault: str, game_day: GameDay) -> None:
    ended = game_day.run(fault)

    assert ended.problems == []
    assert ended.status == "resolved"
    assert ended.seconds < LIMIT_SECONDS * HURRY
    events = [event["event"] for event in ended.report["timeline"]]
    if ended.report["severity"] in {"SEV1", "SEV2"}:
        assert "ApprovalDecided" in events
    assert "RecoveryVerified" in events
    assert ended.report["clocks"]["recovered"] <= ended.report["clocks"]["resolved"]
