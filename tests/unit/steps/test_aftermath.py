"""Right after a recovery a source may lag behind; what really goes on is taken up again."""

from datetime import timedelta

import pytest

from incident_squad.domain.alert import AlertStatus
from incident_squad.domain.incident import IncidentStatus, Stage
from incident_squad.domain.outcome import Cause, OutcomeKind
from incident_squad.steps.aftermath import SETTLING, Aftermath
from tests.builders import NOW
from tests.unit.steps.test_receive_alert import Squad

SINCE = NOW - timedelta(minutes=1)


@pytest.fixture
def squad() -> Squad:
    """A squad whose one incident is over, while its source has not said so."""
    squad = Squad()
    outcome = squad.say(started_at=SINCE)
    assert outcome.incident_id
    squad.incidents.change(
        outcome.incident_id,
        status=IncidentStatus.RESOLVED,
        stage=Stage.DONE,
        resolved_at=squad.clock.moment,
    )
    return squad


def release(squad: Squad) -> None:
    Aftermath(squad.incidents, squad.clock).release(squad.receive)


def test_a_repetition_right_after_the_recovery_opens_nothing(squad: Squad) -> None:
    outcome = squad.say(started_at=SINCE)

    assert (outcome.outcome, outcome.cause) == (OutcomeKind.SUPPRESSED, Cause.SETTLING)
    assert len(squad.opened()) == 1


def test_a_repetition_while_the_incident_closes_opens_nothing(squad: Squad) -> None:
    squad.incidents.change(
        squad.opened()[0].id,
        status=IncidentStatus.VERIFYING,
        stage=Stage.CLOSE,
        resolved_at=None,
    )
    assert squad.say(started_at=SINCE).cause is Cause.SETTLING


def test_an_alert_that_fires_anew_is_news_at_once(squad: Squad) -> None:
    outcome = squad.say(started_at=squad.clock.moment)

    assert outcome.outcome is OutcomeKind.OPENED


def test_what_goes_on_firing_is_taken_up_after_a_while(squad: Squad) -> None:
    squad.say(started_at=SINCE)
    release(squad)
    assert len(squad.opened()) == 1

    squad.clock.moment += SETTLING
    release(squad)
    release(squad)
    assert len(squad.opened()) == 2


def test_what_the_source_ended_meanwhile_is_not_taken_up(squad: Squad) -> None:
    squad.say(started_at=SINCE)
    squad.say(started_at=SINCE, status=AlertStatus.RESOLVED, ended_at=squad.clock.moment)

    squad.clock.moment += SETTLING
    release(squad)
    assert len(squad.opened()) == 1


def test_an_alert_that_was_not_repeated_after_the_recovery_stays_over(squad: Squad) -> None:
    squad.clock.moment += SETTLING
    release(squad)
    assert len(squad.opened()) == 1
