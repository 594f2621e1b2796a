"""MCP over HTTP: the real SDK's client against the intake's handler, in every era, and raw."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any, TypeVar

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext
from hypothesis import given, settings
from hypothesis import strategies as st

from incident_squad.domain.errors import TransientFailure
from incident_squad.domain.limits import IntakeLimits
from incident_squad.intake import limits
from incident_squad.ports import IncidentPage, IncidentQuery
from tests.fakes import MemoryIncidents, MemorySecrets
from tests.mcp_client import MODES, connected
from tests.stack.http import Answer, call
from tests.tools import SENDER, TOKEN, World, event, serving

Result = TypeVar("Result")

ALERT = "Connection pool exhausted on prod-db-01. Service: payment-api. 45% of requests fail."
BEARER = {"Authorization": f"Bearer {TOKEN}"}
PLAIN = {
    **BEARER,
    "Content-Type": "application/json",
    "Accept": "application/json, text/event-stream",
}
EVERY_TOOL: Mapping[str, dict[str, Any]] = {
    "query_metrics": {"source": "prometheus", "query": "up"},
    "execute_runbook": {
        "runbookId": "db-connection-pool",
        "stepIndex": 0,
        "targetEnvironment": "production",
    },
    "list_incidents": {},
    "get_incident": {"incidentId": "?"},
    "get_timeline": {"incidentId": "?"},
    "get_report": {"incidentId": "?"},
    "list_runbooks": {},
    "get_runbook": {"runbookId": "db-connection-pool"},
    "triage_alert": {"alert": ALERT},
    "submit_alert": {"alert": ALERT},
}
FAILING = {"query_metrics", "get_report"}  # nothing is connected here, and nothing is triaged


@pytest.fixture(scope="module", name="world")
def a_world() -> World:
    return World()


@pytest.fixture(scope="module", name="url")
def an_address(world: World) -> Iterator[str]:
    with serving(world.handler()) as url:
        yield url


def talk(url: str, mode: str, said: Callable[[Any], Awaitable[Result]]) -> Result:
    async def run() -> Result:
        async with connected(url, TOKEN, mode) as client:
            return await said(client)

    return asyncio.run(run())


@pytest.mark.parametrize("mode", MODES)
def test_every_tool_is_listed_and_answers(url: str, mode: str) -> None:
    async def said(client: Any) -> None:
        listed = (await client.list_tools()).tools
        assert [tool.name for tool in listed] == list(EVERY_TOOL)
        opened = await client.call_tool("submit_alert", EVERY_TOOL["submit_alert"])
        incident_id = opened.structured_content["incidentId"]
        for name, arguments in EVERY_TOOL.items():
            given = {key: incident_id if v == "?" else v for key, v in arguments.items()}
            answer = await client.call_tool(name, given)
            assert answer.is_error == (name in FAILING), (name, answer.content[0].text)
            if not answer.is_error:
                assert json.loads(answer.content[0].text) == answer.structured_content

    talk(url, mode, said)


@pytest.mark.parametrize("mode", MODES)
def test_documents_and_prompts(url: str, mode: str, world: World) -> None:
    async def said(client: Any) -> None:
        listed = (await client.list_resources()).resources
        assert {one.name for one in listed} == set(world.knowledge.runbooks)
        templates = (await client.list_resource_templates()).resource_templates
        assert [one.name for one in templates] == ["runbook", "report", "post-mortem"]
        text = (await client.read_resource(listed[0].uri)).contents[0]
        assert (text.mime_type, text.text[:2]) == ("text/markdown", "# ")
        opened = await client.call_tool("submit_alert", {"alert": ALERT})
        incident_id = opened.structured_content["incidentId"]
        address = f"squad://incidents/{incident_id}/post-mortem"
        assert "# Post-mortem" in (await client.read_resource(address)).contents[0].text
        prompts = (await client.list_prompts()).prompts
        assert [one.name for one in prompts] == ["post-mortem", "hand-over"]
        assert [one.arguments[0].required for one in prompts] == [True, True]

    talk(url, mode, said)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "ask",
    [
        lambda client: client.call_tool("run_shell", {"command": "id"}),
        lambda client: client.read_resource("file:///etc/passwd"),
        lambda client: client.read_resource("squad://incidents/INC-20261122-00000/report"),
        lambda client: client.get_prompt("post-mortem", {"incidentId": "x"}),
        lambda client: client.get_prompt("hand-over", {"incidentId": "INC-20261122-00000"}),
    ],
)
def test_what_does_not_exist_is_an_error(
    url: str, mode: str, ask: Callable[[Any], Awaitable[object]]
) -> None:
    from mcp import MCPError, types  # noqa: PLC0415 - half a second that other tests need not pay

    async def said(client: Any) -> None:
        with pytest.raises(MCPError) as failed:
            await ask(client)
        assert failed.value.code == types.INVALID_PARAMS

    talk(url, mode, said)


def test_annotations_tell_what_a_tool_may_do(url: str) -> None:
    async def said(client: Any) -> dict[str, Any]:
        return {tool.name: tool for tool in (await client.list_tools()).tools}

    tools = talk(url, "auto", said)
    for name, tool in tools.items():
        hints = tool.annotations
        assert hints.read_only_hint == (name not in {"execute_runbook", "submit_alert"})
        assert hints.destructive_hint == (name == "execute_runbook")
        assert hints.open_world_hint == (
            name in {"query_metrics", "execute_runbook", "submit_alert"}
        )
        assert hints.idempotent_hint is True
        assert tool.title
        assert tool.description


def test_the_agents_two_tools_have_the_promised_parameters(url: str) -> None:
    async def said(client: Any) -> dict[str, Any]:
        return {tool.name: tool.input_schema for tool in (await client.list_tools()).tools}

    schemas = talk(url, "2026-07-28", said)
    query, execute = schemas["query_metrics"], schemas["execute_runbook"]
    assert list(query["properties"]) == ["source", "query", "timeRange", "aggregation"]
    sources = query["properties"]["source"]["enum"]
    assert sources == ["datadog", "cloudwatch", "prometheus", "pagerduty"]
    assert query["properties"]["aggregation"] == {
        "default": "avg",
        "enum": ["avg", "max", "min", "sum", "count"],
        "type": "string",
    }
    assert list(query["properties"]["timeRange"]["properties"]) == ["start", "end"]
    named = execute["properties"]
    assert list(named) == [
        "runbookId",
        "stepIndex",
        "targetEnvironment",
        "dryRun",
        "approvedBy",
        "incidentId",
        "service",
    ]
    assert named["targetEnvironment"]["enum"] == ["production", "staging"]
    assert named["dryRun"]["default"] is True
    assert named["stepIndex"]["minimum"] == 0
    assert named["approvedBy"]["type"] == "string"
    assert execute["required"] == ["runbookId", "stepIndex", "targetEnvironment"]
    assert "$ref" not in json.dumps(schemas)


# Raw HTTP: what no client of good manners would send


def post(url: str, body: object, **headers: str) -> Answer:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return call(url, method="POST", body=raw, headers={**PLAIN, **headers})


def request(method: str, **params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}


def handshake(version: str) -> dict[str, Any]:
    client = {"name": "test", "version": "1"}
    return request("initialize", protocolVersion=version, capabilities={}, clientInfo=client)


@pytest.mark.parametrize("version", ["2025-03-26", "2025-06-18", "2025-11-25"])
def test_every_handshake_revision_is_spoken(url: str, version: str) -> None:
    answer = post(url, handshake(version))
    assert answer.status == 200
    result = json.loads(answer.body)["result"]
    assert result["protocolVersion"] == version
    assert set(result["capabilities"]) >= {"tools", "resources", "prompts"}
    assert "Mcp-Session-Id" not in answer.headers  # nothing is remembered
    said = post(url, {"jsonrpc": "2.0", "method": "notifications/initialized"})
    assert (said.status, said.body) == (202, b"")
    listed = post(url, request("tools/list"), **{"MCP-Protocol-Version": version})
    assert len(json.loads(listed.body)["result"]["tools"]) == len(EVERY_TOOL)


@pytest.mark.parametrize("method", ["GET", "DELETE"])
@pytest.mark.parametrize("headers", [{}, PLAIN])
def test_there_are_no_streams_and_no_sessions(
    url: str, method: str, headers: dict[str, str]
) -> None:
    answer = call(url, method=method, headers=headers)
    assert (answer.status, answer.headers["Allow"]) == (405, "POST")


@pytest.mark.parametrize(
    "authorization", [None, "", "Bearer", "Bearer wrong", "Basic eDp5", f"bearer{TOKEN}", SENDER]
)
@pytest.mark.parametrize("extra", [{}, {"MCP-Protocol-Version": "2026-07-28"}])
def test_strangers_are_asked_for_the_token(
    url: str, authorization: str | None, extra: dict[str, str]
) -> None:
    headers = {name: text for name, text in PLAIN.items() if name != "Authorization"}
    given = {} if authorization is None else {"Authorization": authorization}
    body = json.dumps(request("tools/list")).encode()
    answer = call(url, method="POST", body=body, headers={**headers, **given, **extra})
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_a_senders_secret_is_no_token_and_a_token_no_senders_secret(url: str) -> None:
    sender = {"Authorization": f"Bearer {SENDER}"}
    assert post(url, request("tools/list"), **sender).status == 401
    webhook = json.dumps({"alert": ALERT}).encode()
    assert call(url, method="POST", body=webhook, headers=sender).status == 202
    assert call(url, method="POST", body=webhook, headers=BEARER).status == 401


def test_an_older_token_is_good_while_it_is_replaced(url: str) -> None:
    answer = post(url, request("tools/list"), Authorization="Bearer old")
    assert answer.status == 200


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://localhost.evil.example"]
)
def test_no_web_page_may_ask(url: str, origin: str) -> None:
    assert post(url, request("tools/list"), Origin=origin).status == 403
    assert post(url, request("tools/list"), Origin="http://localhost:6274").status == 200


def test_who_comes_too_often_is_told_when_to_come_again() -> None:
    world = World()
    world.limits = IntakeLimits(burst=2, requests_per_second=0.1, unproven_burst=1)
    handler = world.handler()

    def ask(token: str) -> tuple[int, list[str] | None]:
        headers = {**PLAIN, "Authorization": f"Bearer {token}"}
        body = json.dumps(request("tools/list")).encode()
        said = handler(event("POST", "/api/mcp", headers, body), LambdaContext())
        return said["statusCode"], said["multiValueHeaders"].get("Retry-After")

    assert [ask("wrong")[0] for _ in range(3)] == [401, 429, 429]
    assert [ask(TOKEN) for _ in range(3)] == [(200, None), (200, None), (429, ["10"])]


def test_the_operators_limits_hold_for_tools_too(url: str) -> None:
    world = World()
    world.limits = IntakeLimits(body_bytes=1024, depth=4)
    headers, deep = {**PLAIN, "MCP-Protocol-Version": "2025-06-18"}, request("x", a=[[[[1]]]])
    handler = world.handler()
    for body, status in ((b" " * 1025, 413), (json.dumps(deep).encode(), 400)):
        assert (
            handler(event("POST", "/api/mcp", headers, body), LambdaContext())["statusCode"]
            == status
        )


DEEP = b'{"jsonrpc":"2.0","id":1,"method":"tools/list","params":' + b"[" * 500 + b"]" * 500 + b"}"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"jsonrpc": "2.0"' + b" " * limits.MAX_BODY, 413),
        (DEEP, 400),
        (b'{"jsonrpc": "2.0", ', 400),
        (b"", 400),
        (b"\xff\xfe", 400),
        (b"[]", 400),
        (b'{"jsonrpc": "2.0"}', 400),
        (b'{"jsonrpc": "1.0", "id": 1, "method": "tools/list"}', 400),
        (b'[{"jsonrpc": "2.0", "id": 1, "method": "tools/list"}]', 400),
    ],
)
@pytest.mark.parametrize("version", ["2025-06-18", "2026-07-28"])
def test_what_is_no_request_is_refused(url: str, version: str, body: bytes, status: int) -> None:
    answer = post(url, body, **{"MCP-Protocol-Version": version})
    assert answer.status == status, answer.body


@pytest.mark.parametrize(
    "headers",
    [
        {"MCP-Protocol-Version": "1999-01-01"},
        {"MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/call"},
        {"MCP-Protocol-Version": "x" * 5000},
        {"Content-Type": "text/plain"},
    ],
)
def test_headers_that_do_not_fit_are_refused(url: str, headers: dict[str, str]) -> None:
    assert post(url, request("tools/list"), **headers).status == 400


def test_answers_are_not_kept_by_anybody(url: str) -> None:
    answer = post(url, request("tools/list"))
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Type"] == "application/json"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3)
    ),
    max_leaves=8,
)
METHODS = st.sampled_from(
    ["initialize", "tools/list", "tools/call", "resources/read", "prompts/get", "ping", "x", ""]
)


@settings(max_examples=60)
@given(
    message=st.fixed_dictionaries(
        {"jsonrpc": st.sampled_from(["2.0", 2, None])},
        optional={"id": JSON, "method": METHODS | JSON, "params": JSON},
    ),
    version=st.sampled_from(["2025-03-26", "2025-11-25", "2026-07-28", "", "\ud800"]),
)
def test_no_message_makes_a_server_error(message: dict[str, Any], version: str) -> None:
    handler = STRANGE.handler()
    headers = {**PLAIN, "MCP-Protocol-Version": version}
    asked = event("POST", "/api/mcp", headers, json.dumps(message).encode())
    assert handler(asked, LambdaContext())["statusCode"] < 500


STRANGE = World()


class BrokenIncidents(MemoryIncidents):
    """Fails in a way that nobody thought of."""

    def list(self, query: IncidentQuery) -> IncidentPage:
        raise RuntimeError("secret inside")


@pytest.mark.parametrize("version", ["2025-06-18", "2026-07-28"])
def test_a_fault_of_our_own_shows_nothing_of_the_inside(version: str) -> None:
    world = World()
    world.incidents = BrokenIncidents(world.clock)
    meta = {
        "io.modelcontextprotocol/protocolVersion": version,
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {"name": "t", "version": "1"},
    }
    asked = request("tools/call", name="list_incidents", arguments={}, _meta=meta)
    headers = {
        **PLAIN,
        "MCP-Protocol-Version": version,
        "Mcp-Method": "tools/call",
        "Mcp-Name": "list_incidents",
    }
    answer = world.handler()(
        event("POST", "/api/mcp", headers, json.dumps(asked).encode()), LambdaContext()
    )
    assert "error" in json.loads(answer["body"])
    assert "secret inside" not in answer["body"]
    assert "The failure was logged." in answer["body"]


def test_when_the_token_cannot_be_read_the_caller_may_come_again() -> None:
    class Throttled(MemorySecrets):
        def get(self, name: str) -> str:
            raise TransientFailure("secrets manager says slow down")

    world = World()
    world.secrets = Throttled()
    handler = world.handler()
    body = json.dumps(request("tools/list")).encode()
    answer = handler(event("POST", "/api/mcp", PLAIN, body), LambdaContext())
    assert answer["statusCode"] == 503
    assert "secrets manager" not in answer["body"]


WEBHOOK = """
import json, sys, time
from aws_lambda_powertools.utilities.typing import LambdaContext
from tests.tools import SENDER, TOKEN, World, event
world = World()
handler = world.handler()
def post(body, token):
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json",
               "Accept": "application/json, text/event-stream"}
    return handler(event("POST", "/api/mcp", headers, json.dumps(body).encode()), LambdaContext())
def loaded():
    heavy = {"mcp", "mcp_types", "starlette", "httpx2", "anyio", "anthropic"}
    return sorted(heavy & set(sys.modules))
asked = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
seen = [post({"alert": "disk full"}, SENDER)["statusCode"], loaded()]
seen += [post(asked, "wrong")["statusCode"], loaded()]
seen += [post(asked, TOKEN)["statusCode"], "mcp" in loaded()]
print(json.dumps(seen))
"""


def test_webhooks_and_strangers_do_not_pay_for_the_protocol() -> None:
    found = subprocess.run(
        [sys.executable, "-c", WEBHOOK], capture_output=True, text=True, check=True, timeout=60
    )
    assert json.loads(found.stdout) == [202, [], 401, [], 200, True]
