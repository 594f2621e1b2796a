"""Real faults on real components, repaired by the product alone from Alertmanager's webhook on.

The service, its host names and its limits are not those of the example catalogue; the application
takes every connection slot that ordinary users may have; alerts of one service come as one group.
"""

import pytest

from infra.local.drill.faults import FAULTS
from infra.local.drill.gameday import GameDay


@pytest.mark.timeout(500)
@pytest.mark.parametrize("fault", FAULTS)
def test_the_squad_repairs(fault: str, game_day: GameDay) -> None:
    ended = game_day.run(fault)

    assert ended.problems == []
    assert ended.status == "resolved"
    events = [event["event"] for event in ended.report["timeline"]]
    if ended.report["severity"] in {"SEV1", "SEV2"}:
        assert "ApprovalDecided" in events
    assert "RecoveryVerified" in events
    assert ended.report["clocks"]["recovered"] <= ended.report["clocks"]["resolved"]
