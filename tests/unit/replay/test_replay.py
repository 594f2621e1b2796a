"""A past incident runs again from its transcripts, bit for bit, and what changed is found."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from incident_squad.adapters.system_clock import SystemClock
from incident_squad.domain.alert import Alert
from incident_squad.domain.errors import InvalidConfiguration
from incident_squad.domain.runbook import Expect
from incident_squad.domain.transcript import Crossing, Transcript
from infra.cli import squad
from infra.replay.compare import differences, judged_differently
from infra.replay.record import report_of
from infra.replay.rerun import Rerun
from infra.replay.saved import PastIncident
from tests import hostile
from tests.builders import an_alert
from tests.fakes import FakeProbers, asked_of
from tests.model_server import Body, Fails, ModelServer, Says, Script
from tests.transcribed import KNOWLEDGE, MemoryTranscripts, handled

SAVED = sorted(Path("tests/incidents").glob("*.json"))
POOL = (
    "PostgreSQL connection pool exhausted on prod-db-01. Active connections: 500/500. Service: "
    "payment-api. Error rate spike: 45% of requests returning 500. Started: 2 minutes ago."
)
OTHER = "db-deadlocks"
DEADLOCKS = KNOWLEDGE.runbook(OTHER)


def alert_now() -> Alert:
    return an_alert(title=POOL, service=None, received_at=SystemClock().now())


def supporting(expect: Expect) -> float:
    return float(expect.value) + {">": 1, "<": -1}.get(expect.op, 0)


def curious(body: Body) -> Says:
    """Looks before it concludes."""
    match hostile.asked_for(body):
        case "router":
            return hostile.router(type="database", severity="SEV1", why=["500/500"])
        case "specialist":
            return hostile.diagnosis(
                rootCause="All 500 connections are in use.",
                runbookId=OTHER,
                findings=[{"statement": "500 connections are active.", "evidenceIds": ["E1"]}],
            )
        case "communicator":
            return hostile.texts(external="We are working on it with priority.")
        case _ if len(body["messages"]) == 1:
            metric = {"source": "prometheus", "query": "up"}
            checks = ("run_checks", {"runbookId": OTHER})
            return Says("", [checks, ("recent_changes", {}), ("query_metrics", metric)])
        case _:
            return Says("Enough.")


def seeing() -> FakeProbers:
    answers = {
        asked_of(probe): supporting(check.supports)
        for check in DEADLOCKS.checks
        for probe in check.probes
    }
    return FakeProbers(SystemClock(), answers)


SCRIPTS: dict[str, Script | None] = {
    "no model": None,
    "a curious model": curious,
    "a liar": hostile.liar,
    "an endless model": hostile.endless,
    "a refusal": Says("No.", stop="refusal", category="cyber"),
    "an overloaded model": Fails(529, "overloaded_error"),
}


def first_difference(transcripts: MemoryTranscripts) -> str | None:
    past = transcripts.past()
    known = past.known()
    states = Rerun(known)(past.transcripts)
    assert not [one.error for one in states if one.error]
    found = [d for one in states for d in differences(one, questions=True)]
    if not found:
        knowledge = known(past.transcripts[0])
        reports = [report_of(states, knowledge, then=then) for then in (True, False)]
        assert reports[0] == reports[1]
        assert reports[0]["incidentId"] == past.incident_id
    return f"{found[0].state} {found[0].place}" if found else None


@pytest.mark.parametrize("name", SCRIPTS)
def test_an_incident_comes_out_the_same_bit_for_bit(name: str) -> None:
    run = handled(alert_now(), SCRIPTS[name], seeing())
    assert run.troubles == []
    found = run.squad.world.incidents.diagnosis(run.incident_id)
    # What was not identified is not announced as identified.
    identified = ["DraftUpdate"] if found is not None and found.conclusive else []
    assert [one.state for one in run.transcripts.kept] == [
        "Triage", "DraftUpdate", "InvestigateDatabase", "Synthesize", *identified, "CloseIncident"
    ]  # fmt: skip
    assert any(one.model_calls for one in run.transcripts.kept) == (SCRIPTS[name] is not None)
    assert first_difference(run.transcripts) is None


def test_the_report_of_a_replay_is_the_stored_one() -> None:
    run = handled(alert_now(), curious, seeing())
    past = run.transcripts.past()
    known = past.known()
    again = report_of(Rerun(known)(past.transcripts), known(past.transcripts[0]), then=False)
    stored = run.squad.build_report()(run.incident_id).to_json()
    for part in ("triage", "diagnosis", "proposedFix", "statusUpdate", "rootCause", "severity"):
        assert again[part] == json.loads(json.dumps(stored[part])), part


def test_transcripts_name_the_evidence_and_hold_requests_as_they_left() -> None:
    run = handled(alert_now(), curious, seeing())
    (looked,) = (one for one in run.transcripts.kept if one.state.startswith("Investigate"))
    stored = {one.id for one in run.squad.world.incidents.evidence(run.incident_id)}
    assert set(looked.evidence_ids) == stored
    asked = [one.asked for one in looked.crossings if one.port.startswith("model.")]
    assert run.model is not None
    sent = [
        body for body in run.model.asked if hostile.asked_for(body) in {"looking", "specialist"}
    ]
    assert [one["messages"] for one in asked] == [body["messages"] for body in sent]


def tampered(kept: list[Transcript], port: str, change: Any) -> list[Transcript]:
    """The transcripts with one answer of a port changed."""
    found, done = [], False
    for one in kept:
        crossings = list[Crossing]()
        for crossing in one.crossings:
            mine = not done and crossing.port == port
            done = done or mine
            answer = change(crossing.answer) if mine else crossing.answer
            crossings.append(crossing.model_copy(update={"answer": answer}))
        found.append(one.model_copy(update={"crossings": tuple(crossings)}))
    assert done
    return found


@pytest.mark.parametrize(
    ("port", "change", "state"),
    [
        ("model.router", lambda a: {**a, "reply": None, "trouble": "refusal"}, "Triage"),
        ("looks", lambda a: {**a, "evidence": []}, "InvestigateDatabase"),
        ("incidents.alert", lambda a: {**a, "title": "Disk full on web-1"}, "Triage"),
    ],
)
def test_whatever_is_changed_on_the_tape_shows(port: str, change: Any, state: str) -> None:
    run = handled(alert_now(), curious, seeing())
    run.transcripts.kept = tampered(run.transcripts.kept, port, change)
    assert str(first_difference(run.transcripts)).startswith(state)


def test_a_transcript_that_cannot_be_kept_costs_nothing_but_a_line() -> None:
    run = handled(alert_now(), curious, seeing(), MemoryTranscripts(fail=True))
    assert run.transcripts.kept == []
    assert len(run.troubles) == 6
    assert run.squad.build_report()(run.incident_id).to_json()["diagnosis"]["findings"]


class Poisoned(MemoryTranscripts):
    """Fails in a way that nobody foresaw."""

    def keep(self, transcript: Transcript) -> None:
        del transcript
        raise UnicodeEncodeError("utf-8", "", 0, 1, "surrogates not allowed")


def test_nothing_that_goes_wrong_in_keeping_reaches_the_incident() -> None:
    run = handled(alert_now(), curious, seeing(), Poisoned())
    assert len(run.troubles) == 6
    assert run.squad.build_report()(run.incident_id).to_json()["diagnosis"]["findings"]


def test_what_was_known_is_looked_up_for_each_state() -> None:
    past = handled(alert_now(), None).transcripts.past()
    gone = PastIncident(past.transcripts, {})
    with pytest.raises(InvalidConfiguration, match="--runbooks"):
        gone.known()


def test_a_saved_incident_runs_without_a_stack_or_a_key(tmp_path: Path) -> None:
    past = handled(alert_now(), curious, seeing()).transcripts.past()
    path, copy = tmp_path / "past.json", tmp_path / "copy.json"
    past.save(path)
    done = CliRunner().invoke(squad, ["replay", "--file", str(path), "--json", "--save", str(copy)])
    assert done.exit_code == 0, done.output
    shown = json.loads(done.stdout)
    assert shown["identical"]
    assert shown["report"]["incidentId"] == past.incident_id
    assert copy.read_text() == path.read_text()


def test_a_changed_file_says_where_it_first_differs(tmp_path: Path) -> None:
    past = handled(alert_now(), curious, seeing()).transcripts.past()
    path = tmp_path / "past.json"
    PastIncident(
        tampered(
            list(past.transcripts), "model.communicator",
            lambda a: {**a, "reply": {**a["reply"], "text": "{}"}},
        ),
        past.knowledge,
    ).save(path)  # fmt: skip
    done = CliRunner().invoke(squad, ["replay", "--file", str(path)])
    assert done.exit_code == 1
    assert "DraftUpdate" in done.stdout
    assert "differs" in done.stdout
    same = CliRunner().invoke(squad, ["replay", "--file", str(path), "--judgements"])
    assert same.exit_code == 1  # another engine wrote the update


@pytest.mark.parametrize("text", ["", "[]", '{"format": 2}', '{"format": 1, "transcripts": [{}]}'])
def test_a_file_that_is_no_incident_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "past.json"
    path.write_text(text)
    with pytest.raises(InvalidConfiguration):
        PastIncident.load(path)


def test_another_model_or_prompt_is_really_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    past = handled(alert_now(), curious, seeing()).transcripts.past()
    path, prompts = tmp_path / "past.json", tmp_path / "prompts"
    past.save(path)
    prompts.mkdir()
    (prompts / "router.md").write_text("Another prompt.\n$services\n$runbooks")
    with ModelServer(curious) as server:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
        monkeypatch.setenv("ANTHROPIC_API_KEY", "a key")
        arguments = ["replay", "--file", str(path), "--json"]
        same = CliRunner().invoke(squad, [*arguments, "--prompts", str(prompts)])
        assert json.loads(same.stdout)["identical"], same.output
        systems = [body["system"][0]["text"] for body in server.seen]
        assert any(text.startswith("Another prompt.") for text in systems)
        server.tell(hostile.liar)
        other = CliRunner().invoke(squad, [*arguments, "--model", "claude-opus-5-5"])
        assert other.exit_code == 1
        assert json.loads(other.stdout)["first"]["state"] == "Triage"
        assert {body["model"] for body in server.seen[-3:]} == {"claude-opus-5-5"}


def test_without_a_key_nobody_is_asked_anew(tmp_path: Path) -> None:
    path = tmp_path / "past.json"
    handled(alert_now(), None).transcripts.past().save(path)
    done = CliRunner().invoke(squad, ["replay", "--file", str(path), "--model", "claude-opus-5-5"])
    assert done.exit_code == 1
    assert "ANTHROPIC_API_KEY" in str(done.exception)


def test_runbooks_of_today_can_be_tried_on_what_was_seen_then() -> None:
    (path,) = (path for path in SAVED if path.stem == "pool-repaired-with-a-model")
    done = CliRunner().invoke(
        squad, ["replay", "--file", str(path), "--runbooks", "runbooks", "--judgements"]
    )
    assert done.exit_code in {0, 1}
    assert "Synthesize" in done.stdout


def test_replay_needs_an_incident_or_a_file() -> None:
    assert CliRunner().invoke(squad, ["replay"]).exit_code == 2


@pytest.mark.parametrize("path", SAVED, ids=lambda path: path.stem)
def test_past_incidents_are_still_judged_alike(path: Path) -> None:
    past = PastIncident.load(path)
    for again in Rerun(past.known())(past.transcripts):
        assert not again.error
        assert list(judged_differently(again)) == []
