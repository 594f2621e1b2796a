"""Whatever dies, an incident ends in a report or with a human who was paged."""

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from infra.local.emulator_process import EmulatorProcess
from infra.local.practice import IDLE_SECONDS, Practice
from infra.local.practice_database import HEALTHY, STUCK
from infra.local.stack import LocalStack
from tests.e2e.conftest import config_with
from tests.e2e.site import Site
from tests.stack.processes import below

pytestmark = [pytest.mark.stack, pytest.mark.real, pytest.mark.timeout(300)]


def test_an_incident_is_taken_up_after_a_restart_and_its_link_is_still_good(
    practice: Practice, kept: Path
) -> None:
    config = practice.config()
    practice.database.use_up()
    time.sleep(IDLE_SECONDS + 0.5)
    with LocalStack.start(data=kept, config=config) as stack:
        site = Site(stack, practice)
        incident = site.alert()
        link = site.link(incident)
    with LocalStack.start(data=kept, config=config) as stack:
        site = Site(stack, practice)
        assert site.incident(incident)["status"] == "awaiting_approval"
        assert site.look(link).status == 200
        assert site.decide(link, "approve").status == 200
        assert site.until(incident, seconds=90) == "resolved"
        assert "WorkflowResumed" in site.events(incident)
        assert site.events(incident).count("ApproversAsked") <= 1
    assert practice.database.healthy_alive() == HEALTHY


def test_nobody_decides_in_time_and_a_human_takes_over(practice: Practice) -> None:
    practice.database.use_up()
    time.sleep(IDLE_SECONDS + 0.5)
    config = config_with(practice, approval_expires_minutes=0.05)
    with LocalStack.start(config=config) as stack:
        site = Site(stack, practice)
        incident = site.alert()
        link = site.link(incident)
        time.sleep(3.5)
        assert site.decide(link, "approve").status == 404
        assert site.until(incident, seconds=120) == "handed_over"
        assert "ApprovalExpired" in site.events(incident)
    assert practice.database.stuck_alive() == STUCK


def test_lambdas_killed_again_and_again_leave_no_incident_behind(practice: Practice) -> None:
    practice.database.use_up()
    time.sleep(IDLE_SECONDS + 0.5)
    with LocalStack.start(config=practice.config()) as stack:
        site = Site(stack, practice)
        incident = site.alert()
        emulator: EmulatorProcess = stack._emulator
        ended = threading.Event()

        def kill() -> None:
            while not ended.wait(0.7):
                for pid in below(emulator.pid):
                    os.kill(pid, signal.SIGKILL)

        killer = threading.Thread(target=kill)
        killer.start()
        try:
            time.sleep(5)
        finally:
            ended.set()
            killer.join()
        status = site.until(incident, "handed_over", "awaiting_approval", seconds=200)
        if status == "awaiting_approval":
            site.decide(site.link(incident), "reject")
            site.until(incident, "handed_over")
        assert site.message(incident, "handover").urgent
        assert "StepApplying" not in site.events(incident)
    assert practice.database.stuck_alive() == STUCK
