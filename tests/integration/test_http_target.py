"""HttpProber, HttpExecutor and the probers of the catalogue against a real HTTP server."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from incident_squad.adapters.executors import KindExecutors
from incident_squad.adapters.http_client import HttpClient
from incident_squad.adapters.http_target import HttpExecutor, HttpProber
from incident_squad.adapters.json_answers import select
from incident_squad.adapters.memory import FixedClock, MemoryKnowledge, MemorySecrets
from incident_squad.adapters.probers import CatalogProbers
from incident_squad.domain.errors import (
    InvalidConfiguration,
    InvalidParameter,
    StepFailed,
    TargetUnavailable,
)
from incident_squad.domain.evidence import Evidence, EvidenceStatus
from incident_squad.domain.plan import PlannedStep
from incident_squad.domain.runbook import (
    CommandProbe,
    Condition,
    HttpProbe,
    MetricProbe,
    NoteAction,
    SqlProbe,
    Step,
)
from incident_squad.domain.values import Risk
from infra.local.postgres import free_port
from tests.builders import a_catalog

pytestmark = pytest.mark.timeout(60)

Reply = tuple[int, bytes]


@dataclass
class Deployer:
    """A server whose answers the test sets; `seen` is what it was sent."""

    replies: dict[str, Callable[[], Reply]] = field(default_factory=dict)
    seen: list[dict[str, Any]] = field(default_factory=list)
    port: int = 0

    def answer(self, path: str, content: object, status: int = 200) -> None:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.replies[path] = lambda: (status, body)


@pytest.fixture
def deployer() -> Iterator[Deployer]:
    state = Deployer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length).decode()
            state.seen.append(
                {
                    "call": f"{self.command} {self.path}",
                    "headers": {name.lower(): value for name, value in self.headers.items()},
                    "body": json.loads(body) if body else None,
                }
            )
            status, content = state.replies.get(self.path, lambda: (404, b"{}"))()
            self.send_response(status)
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            try:
                self.wfile.write(content)
            except OSError:
                return  # the client did not want it all

        do_POST = do_GET  # noqa: N815 - the name that http.server calls

        def log_message(self, *_: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        state.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield state
        server.shutdown()
        thread.join()


def a_knowledge(port: int, **target: object) -> MemoryKnowledge:
    known: dict[str, object] = {
        "kind": "http",
        "base_url": f"http://127.0.0.1:{port}",
        "reader": "r",
        "writer": "w",
        "operations": {
            "status": {"method": "GET", "path": "/deployment"},
            "rollback": {"method": "POST", "path": "/deployment/rollback", "mutates": True},
            "redeploy": {"method": "POST", "path": "/deployment/redeploy", "mutates": True},
        },
    }
    service = {
        "public_name": {"en": "Orders"},
        "tier": "revenue",
        "owner": "orders-team",
        "targets": {"deployments": "orders-deployer"},
    }
    catalog = a_catalog(
        targets={"orders-deployer": {**known, **target}}, services={"orders": service}
    )
    return MemoryKnowledge(catalog, {})


SECRETS = MemorySecrets({"r": "reader-token\n", "w": "writer-token"})
STATUS = {"release": "r42", "previousRelease": "r41", "deployedSecondsAgo": 90, "errorRate": 0.45}


@pytest.fixture
def executor(deployer: Deployer) -> HttpExecutor:
    return HttpExecutor(HttpClient(a_knowledge(deployer.port), SECRETS))


@pytest.fixture
def ask(deployer: Deployer) -> Callable[[str], Evidence]:
    prober = HttpProber(HttpClient(a_knowledge(deployer.port), SECRETS), FixedClock())
    return lambda pointer: prober.probe(a_probe(pointer), "orders-deployer", {})


def a_probe(pointer: str, operation: str = "status") -> HttpProbe:
    return HttpProbe(kind="http", target="deployments", operation=operation, pointer=pointer)


def rollback(**fields: Any) -> Step:
    condition = {
        "title": "x",
        "probe": {"kind": "http", "target": "deployments", "operation": "status"},
        "expect": {"op": "==", "value": 1},
    }
    known: dict[str, Any] = {
        "title": "Roll back",
        "command": "POST /deployment/rollback",
        "mutates": True,
        "risk": "medium",
        "timeout_seconds": 2,
        "action": {
            "kind": "http",
            "target": "deployments",
            "operation": "rollback",
            "preview_operation": "status",
            "body": {"to": "$preview.previousRelease", "reason": "incident"},
        },
        "precheck": condition,
        "verify": condition,
        "undo": {
            "title": "Put it out again",
            "action": {
                "kind": "http",
                "target": "deployments",
                "operation": "redeploy",
                "body": {"release": "$result.previous"},
            },
        },
    }
    return Step.model_validate({**known, **fields})


def planned(step: Step, preview: Any = ()) -> PlannedStep:
    return PlannedStep(
        runbook_id="pool",
        step_index=0,
        runbook_digest="d1",
        title=step.title,
        kind="http",
        command=step.command,
        target="orders-deployer",
        preview=tuple(preview),
        mutates=step.mutates,
        risk=Risk.MEDIUM,
    )


def test_a_probe_points_at_its_value(deployer: Deployer, ask: Callable[[str], Evidence]) -> None:
    deployer.answer("/deployment", STATUS)
    seen = ask("/errorRate")
    assert (seen.status, seen.value) == (EvidenceStatus.OK, 0.45)
    assert seen.rows[0]["release"] == "r42"
    assert seen.query == "status /errorRate"
    assert deployer.seen[0]["call"] == "GET /deployment"
    assert deployer.seen[0]["headers"]["authorization"] == "Bearer reader-token"


@pytest.mark.parametrize("content", [{"errorRate": None}, {"errorRate": [1]}, {}, [], 5, b""])
def test_an_answer_without_the_value_is_no_data(
    deployer: Deployer, ask: Callable[[str], Evidence], content: object
) -> None:
    deployer.answer("/deployment", content)
    assert ask("/errorRate").status is EvidenceStatus.NO_DATA


@pytest.mark.parametrize(
    ("content", "status", "expected", "word"),
    [
        ({}, 401, EvidenceStatus.DENIED, "refused us"),
        ({}, 403, EvidenceStatus.DENIED, "refused us"),
        ({"why": "busy"}, 503, EvidenceStatus.ERROR, "busy"),
        ({}, 302, EvidenceStatus.ERROR, "redirects"),
        (b"<html>", 200, EvidenceStatus.ERROR, "JSON"),
        (b'{"errorRate": NaN}', 200, EvidenceStatus.ERROR, "JSON"),
        (b"[" * 100_000, 200, EvidenceStatus.ERROR, "JSON"),
        (b'"' + b"x" * 300_000 + b'"', 200, EvidenceStatus.ERROR, "256 KiB"),
    ],
)
def test_what_goes_wrong_with_a_probe_is_said_in_its_evidence(
    deployer: Deployer,
    ask: Callable[[str], Evidence],
    content: object,
    status: int,
    expected: EvidenceStatus,
    word: str,
) -> None:
    deployer.answer("/deployment", content, status)
    seen = ask("/errorRate")
    assert seen.status is expected
    assert word in seen.detail
    assert len(deployer.seen) == 1


def test_a_probe_cannot_call_what_changes_something(deployer: Deployer) -> None:
    prober = HttpProber(HttpClient(a_knowledge(deployer.port), SECRETS), FixedClock())
    for operation in ("rollback", "undeclared"):
        seen = prober.probe(a_probe("", operation), "orders-deployer", {})
        assert seen.status is EvidenceStatus.NOT_CONFIGURED
    assert prober.probe(a_probe(""), "elsewhere", {}).status is EvidenceStatus.NOT_CONFIGURED
    assert prober.probe(a_probe(""), None, {}).status is EvidenceStatus.NOT_CONFIGURED
    assert deployer.seen == []


def test_the_dry_run_shows_the_call_and_makes_none(
    deployer: Deployer, executor: HttpExecutor
) -> None:
    deployer.answer("/deployment", STATUS)
    (row,) = executor.preview(rollback(), "orders-deployer", {})
    assert row["call"] == f"POST http://127.0.0.1:{deployer.port}/deployment/rollback"
    assert (row["sends to"], row["sends reason"], row["release"]) == ("r41", "incident", "r42")
    assert [call["call"] for call in deployer.seen] == ["GET /deployment"]


def test_apply_sends_what_the_plan_shows_with_its_key(
    deployer: Deployer, executor: HttpExecutor
) -> None:
    deployer.answer("/deployment/rollback", {"release": "r41", "previous": "r42", "log": ["x"]})
    step = rollback()
    plan = planned(step, [{"previousRelease": "r41"}])
    result = executor.apply(step, plan, "INC-1:hash:0")
    assert result == {"release": "r41", "previous": "r42"}
    (sent,) = deployer.seen
    assert sent["body"] == {"to": "r41", "reason": "incident"}
    assert sent["headers"]["authorization"] == "Bearer writer-token"
    assert sent["headers"]["idempotency-key"] == "INC-1:hash:0"
    assert sent["headers"]["content-type"] == "application/json"


def test_undo_puts_back_what_the_apply_replaced(deployer: Deployer, executor: HttpExecutor) -> None:
    deployer.answer("/deployment/redeploy", b"")
    step = rollback()
    assert executor.undo(step, planned(step), {"previous": "r42"}, "key:undo") == {}
    assert deployer.seen[0]["body"] == {"release": "r42"}
    with pytest.raises(InvalidParameter, match="previous"):
        executor.undo(step, planned(step), {}, "key:undo")
    with pytest.raises(StepFailed, match="no undo"):
        executor.undo(rollback(undo={"title": "none"}), planned(step), {}, "key:undo")


@pytest.mark.parametrize("preview", [(), [{"previousRelease": "a"}, {"previousRelease": "b"}]])
def test_a_body_needs_exactly_one_value(
    deployer: Deployer, executor: HttpExecutor, preview: Any
) -> None:
    step = rollback()
    with pytest.raises(InvalidParameter):
        executor.apply(step, planned(step, preview), "key")
    assert deployer.seen == []


def test_a_failing_operation_is_not_repeated(deployer: Deployer, executor: HttpExecutor) -> None:
    deployer.answer("/deployment/rollback", {"why": "half done"}, 500)
    step = rollback()
    with pytest.raises(StepFailed, match="half done"):
        executor.apply(step, planned(step, [{"previousRelease": "r41"}]), "key")
    assert len(deployer.seen) == 1


def test_a_hook_that_hangs_leaves_the_outcome_open(
    deployer: Deployer, executor: HttpExecutor
) -> None:
    def hang() -> Reply:
        time.sleep(2)
        return 200, b"{}"

    deployer.replies["/deployment/rollback"] = hang
    step = rollback(timeout_seconds=1)
    with pytest.raises(StepFailed, match="nobody knows whether POST /deployment/rollback"):
        executor.apply(step, planned(step, [{"previousRelease": "r41"}]), "key")
    deployer.replies["/deployment"] = hang
    with pytest.raises(TargetUnavailable, match="no usable answer"):
        executor.preview(step, "orders-deployer", {})


def test_an_unreachable_or_refusing_hook_did_nothing() -> None:
    step = rollback()
    plan = planned(step, [{"previousRelease": "r41"}])
    executor = HttpExecutor(HttpClient(a_knowledge(free_port()), SECRETS))
    with pytest.raises(TargetUnavailable, match="'orders-deployer' cannot be reached"):
        executor.apply(step, plan, "key")


@pytest.mark.parametrize(("status", "word"), [(401, "refused us"), (422, "no such release")])
def test_a_refusal_did_nothing(
    deployer: Deployer, executor: HttpExecutor, status: int, word: str
) -> None:
    deployer.answer("/deployment/rollback", {"why": "no such release"}, status)
    step = rollback()
    with pytest.raises(TargetUnavailable, match=word):
        executor.apply(step, planned(step, [{"previousRelease": "r41"}]), "key")


def test_a_target_without_a_writer_cannot_be_changed(deployer: Deployer) -> None:
    executor = HttpExecutor(HttpClient(a_knowledge(deployer.port, writer=None), SECRETS))
    step = rollback()
    with pytest.raises(InvalidConfiguration, match="has no writer"):
        executor.apply(step, planned(step, [{"previousRelease": "r41"}]), "key")


def test_a_step_that_changes_nothing_looks_as_the_reader(
    deployer: Deployer, executor: HttpExecutor
) -> None:
    deployer.answer("/deployment", STATUS)
    action = {"kind": "http", "target": "deployments", "operation": "status"}
    step = rollback(action=action, mutates=False, risk="none")
    assert executor.apply(step, planned(step), "key") == STATUS
    assert deployer.seen[0]["headers"]["authorization"] == "Bearer reader-token"
    sneaky = rollback(mutates=False, risk="none")
    with pytest.raises(InvalidConfiguration, match="not a way to look"):
        executor.apply(sneaky, planned(sneaky, [{"previousRelease": "r41"}]), "key")


def test_json_pointers_follow_their_standard() -> None:
    content = {"a/b": {"~c": [10, {"": 1}]}, "": 7}
    assert select(content, "/a~1b/~0c/0") == 10
    assert select(content, "/a~1b/~0c/1/") == 1
    assert select(content, "/") == 7
    assert select(content, "") == content
    for nowhere in ("/a~1b/~0c/2", "/a~1b/~0c/-1", "/a~1b/~0c/00", "/x/y", "a"):
        assert select(content, nowhere) is None


# The probers of the catalogue.


def a_condition(**fields: Any) -> Condition:
    known: dict[str, Any] = {
        "title": "Few errors",
        "probe": a_probe("/errorRate"),
        "expect": {"op": "<", "value": 0.05},
    }
    return Condition.model_validate({**known, **fields})


def test_a_condition_is_asked_until_it_holds(deployer: Deployer) -> None:
    rates = [0.45, 0.2, 0.01]
    deployer.replies["/deployment"] = lambda: (
        200,
        json.dumps({"errorRate": rates.pop(0)}).encode(),
    )
    clock = FixedClock()
    probers = CatalogProbers(a_knowledge(deployer.port), SECRETS, clock)
    held, seen = probers.holds(a_condition(within_seconds=30), "orders", {})
    assert (held, seen.value) == (True, 0.01)
    assert clock.slept == pytest.approx(0.3)


def test_a_condition_has_its_time_and_no_more(deployer: Deployer) -> None:
    deployer.answer("/deployment", STATUS)
    clock = FixedClock()
    probers = CatalogProbers(a_knowledge(deployer.port), SECRETS, clock)
    held, seen = probers.holds(a_condition(within_seconds=3), "orders", {})
    assert (held, seen.value) == (False, 0.45)
    assert clock.slept == pytest.approx(3)
    assert probers.holds(a_condition(), "orders", {})[0] is False
    assert clock.slept == pytest.approx(3)


def test_a_condition_may_have_to_hold_for_a_while(deployer: Deployer) -> None:
    rates = [0.45, 0.01, 0.45] + [0.01] * 20
    deployer.replies["/deployment"] = lambda: (
        200,
        json.dumps({"errorRate": rates.pop(0)}).encode(),
    )
    clock = FixedClock()
    probers = CatalogProbers(a_knowledge(deployer.port), SECRETS, clock)
    held, seen = probers.holds(a_condition(within_seconds=30, for_seconds=5), "orders", {})
    assert held
    assert seen.held_since is not None
    assert (clock.now() - seen.held_since).total_seconds() == pytest.approx(5)
    assert clock.slept == pytest.approx(0.1 + 0.2 + 0.4 + 5)


def test_a_condition_that_comes_and_goes_does_not_hold(deployer: Deployer) -> None:
    rates = [0.01, 0.45] * 50
    deployer.replies["/deployment"] = lambda: (
        200,
        json.dumps({"errorRate": rates.pop(0)}).encode(),
    )
    clock = FixedClock()
    probers = CatalogProbers(a_knowledge(deployer.port), SECRETS, clock)
    held, seen = probers.holds(a_condition(within_seconds=20, for_seconds=5), "orders", {})
    assert (held, seen.held_since) == (False, None)
    assert clock.slept <= 25


def test_what_cannot_be_asked_is_not_configured_and_not_waited_for() -> None:
    clock = FixedClock()
    probers = CatalogProbers(a_knowledge(1), SECRETS, clock)
    metric = MetricProbe(kind="metric", source="prometheus", query="up")
    command = CommandProbe(kind="command", target="host", argv=("uptime",))
    sql = SqlProbe(kind="sql", target="database", sql="SELECT 1")
    for probe, service in ((metric, "orders"), (command, "orders"), (sql, "orders"), (sql, None)):
        held, seen = probers.holds(a_condition(probe=probe, within_seconds=60), service, {})
        assert not held
        assert seen.status is EvidenceStatus.NOT_CONFIGURED
        assert seen.detail
    assert clock.slept == 0.0


def test_only_built_kinds_can_be_run() -> None:
    executors = KindExecutors(a_knowledge(1), SECRETS)
    for kind in ("sql", "http", "aws", "ssm", "k8s", "command", "note"):
        assert executors.can_run(kind)
        assert executors.of(kind) is executors.of(kind) is not None
    for kind in ("manual", "anything"):
        assert not executors.can_run(kind)
        assert executors.of(kind) is None


def test_a_note_only_gives_its_text() -> None:
    note = KindExecutors(a_knowledge(1), SECRETS).of("note")
    assert note is not None
    step = Step(title="n", command="n", action=NoteAction(kind="note", text="look at it"))
    assert note.preview(step, None, {}) == ()
    assert note.apply(step, planned(step), "key") == {"note": "look at it"}
    assert note.undo(step, planned(step), {}, "key") == {}
    with pytest.raises(InvalidParameter):
        note.apply(rollback(), planned(rollback()), "key")
