"""The real SDK against a server that behaves well, badly, and not at all."""

import gzip
import json
import time
from collections.abc import Callable, Iterator

import anthropic
import pytest

from incident_squad.adapters.anthropic_model import AnthropicModel, direct
from incident_squad.bootstrap.agents import model_of
from incident_squad.domain.errors import ModelFailed
from incident_squad.domain.model import Effort, ModelRequest, ToolSpec, Trouble
from incident_squad.settings import Settings
from tests.fakes import MemorySecrets
from tests.model_server import Answer, Drips, Fails, Floods, Hangs, ModelServer, Says, Script, Sends


def a_request(**fields: object) -> ModelRequest:
    known: dict[str, object] = {
        "agent": "router",
        "model": "claude-haiku-5-5",
        "effort": Effort.LOW,
        "system": "You judge.",
        "messages": ({"role": "user", "content": "What is it?"},),
        "max_tokens": 100,
    }
    return ModelRequest.model_validate({**known, **fields})


ModelAt = Callable[[ModelServer], AnthropicModel]


@pytest.fixture
def model_at(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelAt]:
    """Makes models that talk to a server; they are closed afterwards."""
    made: list[AnthropicModel] = []

    def make(server: ModelServer) -> AnthropicModel:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
        made.append(AnthropicModel(direct(lambda: "a key\n")))
        return made[-1]

    yield make
    for model in made:
        model.close()


@pytest.fixture
def failure(model_at: ModelAt) -> Callable[..., ModelFailed]:
    def fail(script: Script, seconds: float = 5.0) -> ModelFailed:
        with ModelServer(script) as server, pytest.raises(ModelFailed) as caught:
            model_at(server).ask(a_request(), seconds)
        return caught.value

    return fail


def test_a_sound_answer_comes_with_its_usage(model_at: ModelAt) -> None:
    usage = {"input_tokens": 7, "output_tokens": 3, "cache_read_input_tokens": 900}
    with ModelServer(Says("It is the database.", usage=usage)) as server:
        reply = model_at(server).ask(a_request(), 5)
    assert reply.text == "It is the database."
    assert (reply.usage.input_tokens, reply.usage.output_tokens) == (7, 3)
    assert reply.usage.cache_read_tokens == 900
    assert reply.usage.total == 910


def test_the_request_is_what_version_2026_10_21_takes(model_at: ModelAt) -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer", "maximum": 9}}}
    with ModelServer(Says({"n": 1})) as server:
        model = model_at(server)
        model.ask(a_request(answer_schema=schema), 5)
        model.ask(a_request(), 5)
    sent, head = server.seen[0], server.heads[0]
    assert head["authorization"] == "Bearer a key"
    assert head["anthropic-version"] == "2026-10-21"
    assert sent["system"][0]["cache_control"] == {"type": "ephemeral"}
    assert sent["output_config"]["effort"] == "low"
    assert sent["output_config"]["format"]["schema"]["additionalProperties"] is False
    assert "format" not in server.seen[1]["output_config"]


def test_tool_calls_come_side_by_side(model_at: ModelAt) -> None:
    calls = [("look", {"at": 1}), ("look", {"at": 2})]
    tool = ToolSpec(name="look", description="Looks.", parameters={"type": "object"})
    with ModelServer(Says("Let me look.", calls)) as server:
        reply = model_at(server).ask(a_request(tools=(tool,)), 5)
    assert [(call.name, call.arguments) for call in reply.calls] == calls
    assert len({call.id for call in reply.calls}) == 2
    assert [block["type"] for block in reply.content] == ["text", "tool_use", "tool_use"]
    assert server.seen[0]["tools"][0]["name"] == "look"


@pytest.mark.parametrize(
    ("script", "trouble"),
    [
        (Says("No.", stop="refusal", category="cyber"), Trouble.REFUSAL),
        (Says("", stop="refusal"), Trouble.REFUSAL),
        (Says('{"sev', stop="max_tokens"), Trouble.TRUNCATED),
        (Says("x", stop="pause_turn"), Trouble.MALFORMED),
        (Sends(b"<html>proxy error</html>", "text/html"), Trouble.MALFORMED),
        (Sends(b'{"type": "message"'), Trouble.MALFORMED),
        (Sends(b"[]"), Trouble.MALFORMED),
        (Sends(b'{"type":"message","role":"user","content":1}'), Trouble.MALFORMED),
        (Sends(b"\x00\xff" * 100), Trouble.MALFORMED),
        (Sends(b" " * 2_000_000), Trouble.MALFORMED),
        (Floods(), Trouble.MALFORMED),
        (Floods(500), Trouble.MALFORMED),
        (
            Sends(gzip.compress(b" " * 10**8), headers={"content-encoding": "gzip"}),
            Trouble.UNAVAILABLE,
        ),
        (Fails(400, "invalid_request_error"), Trouble.UNAVAILABLE),
        (Fails(401, "authentication_error"), Trouble.UNAVAILABLE),
        (Fails(402, "billing_error"), Trouble.UNAVAILABLE),
        (Fails(429, "rate_limit_error", {"retry-after": "3600"}), Trouble.OVERLOADED),
        (Fails(529, "overloaded_error", {"retry-after": "60"}), Trouble.OVERLOADED),
        (Fails(500, "api_error", {"retry-after": "60"}), Trouble.UNAVAILABLE),
    ],
)
def test_whatever_goes_wrong_has_a_name(
    script: Answer, trouble: Trouble, failure: Callable[..., ModelFailed]
) -> None:
    began = time.monotonic()
    assert failure(script).trouble == trouble
    assert time.monotonic() - began < 4


def test_a_refusal_names_its_category(failure: Callable[..., ModelFailed]) -> None:
    refused = failure(Says("", stop="refusal", category="cyber"))
    assert str(refused) == "refusal: cyber"
    assert refused.tokens == (10, 5, 0, 0)


@pytest.mark.parametrize("script", [Hangs(), Drips()])
def test_silence_ends_in_time(script: Answer, failure: Callable[..., ModelFailed]) -> None:
    began = time.monotonic()
    assert failure(script, seconds=0.4).trouble == Trouble.TIMEOUT
    assert time.monotonic() - began < 2.5


def test_nobody_listening_is_unavailable(model_at: ModelAt) -> None:
    with ModelServer(Says()) as server:
        pass
    with pytest.raises(ModelFailed) as caught:
        model_at(server).ask(a_request(), 2)
    assert caught.value.trouble == Trouble.UNAVAILABLE


@pytest.mark.parametrize(
    "first",
    [
        Fails(429, "rate_limit_error", {"retry-after": "0.1"}),
        Fails(529, "overloaded_error", {"retry-after-ms": "100"}),
        Fails(500, "api_error"),
        Fails(503, "api_error"),
    ],
)
def test_a_busy_server_is_asked_again(first: Fails, model_at: ModelAt) -> None:
    with ModelServer([first, Says("Now.")]) as server:
        assert model_at(server).ask(a_request(), 5).text == "Now."
    assert len(server.seen) == 2


def test_a_refused_request_is_not_sent_again(failure: Callable[..., ModelFailed]) -> None:
    asked: list[object] = []

    def refuse(body: dict[str, object]) -> Answer:
        asked.append(body)
        return Fails(400, "invalid_request_error")

    failure(refuse)
    assert len(asked) == 1


def test_a_key_that_is_refused_is_read_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = iter(["old", "new"])
    with ModelServer([Fails(401, "authentication_error"), Says("Yes.")]) as server:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
        model = AnthropicModel(direct(lambda: next(keys)))
        with pytest.raises(ModelFailed):
            model.ask(a_request(), 5)
        assert model.ask(a_request(), 5).text == "Yes."
        model.close()
    assert [head["authorization"] for head in server.heads] == ["Bearer old", "Bearer new"]


def test_one_client_serves_a_warm_process() -> None:
    made: list[object] = []
    with ModelServer(Says("Yes.")) as server:

        def connect() -> anthropic.Anthropic:
            made.append(1)
            return anthropic.Anthropic(api_key="k", base_url=server.url, max_retries=0)

        model = AnthropicModel(connect)
        assert [model.ask(a_request(), 5).text for _ in range(3)] == ["Yes."] * 3
        model.close()
    assert len(made) == 1


@pytest.fixture
def bedrock_at(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelAt]:
    """Makes models that take a server for Bedrock, signing as a function does."""
    made: list[AnthropicModel] = []
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")

    def make(server: ModelServer) -> AnthropicModel:
        monkeypatch.setenv("ANTHROPIC_BEDROCK_BASE_URL", server.url)
        settings = Settings(table="t", model="bedrock", model_region="eu-west-1")
        found = model_of(settings, MemorySecrets())
        assert found is not None
        made.append(found)
        return found

    yield make
    for model in made:
        model.close()


def test_bedrock_is_asked_by_role_at_the_address_of_the_model(bedrock_at: ModelAt) -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}}
    with ModelServer(Says({"n": 1})) as server:
        reply = bedrock_at(server).ask(a_request(answer_schema=schema), 5)
    assert reply.text == '{"n": 1}'
    assert reply.model == "claude-haiku-5-5"
    assert server.seen[0]["model"] == "global.anthropic.claude-haiku-5-5"
    head = server.heads[0]["authorization"]
    assert head.startswith("AWS4-HMAC-SHA256")
    assert "/eu-west-1/bedrock/aws4_request" in head
    sent = json.loads(server.raw[0])
    assert "model" not in sent
    assert "cache_control" not in sent
    assert sent["anthropic_version"] == "2026-10-21"


def test_bedrock_streams_in_frames(bedrock_at: ModelAt) -> None:
    told: list[str] = []
    said = Says("A text of several pieces.", [("look", {"at": "it"})])
    with ModelServer(said) as server:
        reply = bedrock_at(server).ask(a_request(), 5, told.append)
    assert reply.text == told[-1] == "A text of several pieces."
    assert reply.calls[0].arguments == {"at": "it"}
    assert len(told) > 1


@pytest.mark.parametrize(
    ("answer", "trouble"),
    [
        (Says("A text that breaks off midway.", breaks_off=True), Trouble.OVERLOADED),
        (Sends(b"no frames at all, whatever it says", "text/plain"), Trouble.MALFORMED),
        (Sends(b"", "text/plain"), Trouble.UNAVAILABLE),
        (Fails(403, "permission_error"), Trouble.UNAVAILABLE),
        (Hangs(), Trouble.TIMEOUT),
    ],
)
def test_what_goes_wrong_at_bedrock_is_a_normal_outcome(
    bedrock_at: ModelAt, answer: Answer, trouble: Trouble
) -> None:
    with ModelServer(answer) as server, pytest.raises(ModelFailed) as caught:
        bedrock_at(server).ask(a_request(), 1.5, lambda _: None)
    assert caught.value.trouble == trouble


def test_the_servers_streams_are_true_to_the_wire() -> None:
    with ModelServer(Says("A text of several pieces.")) as server:
        client = anthropic.Anthropic(api_key="k", base_url=server.url, max_retries=0)
        with client.messages.stream(
            model="claude-haiku-5-5", max_tokens=9, messages=[{"role": "user", "content": "?"}]
        ) as stream:
            assert "".join(stream.text_stream) == "A text of several pieces."
        server.tell(Says("A text that breaks off.", breaks_off=True))
        with (
            pytest.raises(anthropic.APIStatusError) as caught,
            client.messages.stream(
                model="claude-haiku-5-5", max_tokens=9, messages=[{"role": "user", "content": "?"}]
            ) as stream,
        ):
            stream.until_done()
    assert caught.value.type == "overloaded_error"
    assert json.loads(server.raw[0])["stream"] is True


def test_a_streamed_answer_is_the_whole_answer_and_is_told_as_it_grows(model_at: ModelAt) -> None:
    told: list[str] = []
    said = Says("A text of several pieces.", [("look", {"at": "it"})], usage={"output_tokens": 9})
    with ModelServer(said) as server:
        model = model_at(server)
        streamed, whole = model.ask(a_request(), 5, told.append), model.ask(a_request(), 5)
    assert (streamed.text, streamed.usage) == (whole.text, whole.usage)
    assert streamed.calls[0].arguments == whole.calls[0].arguments
    assert len(told) > 1
    assert told == sorted(told, key=len)
    assert told[-1] == "A text of several pieces."
    assert server.seen[0]["stream"]
    assert "stream" not in server.seen[1]


@pytest.mark.parametrize(
    ("answer", "trouble"),
    [
        (Says("A text that breaks off midway.", breaks_off=True), Trouble.OVERLOADED),
        (Says("No.", stop="refusal", category="cyber"), Trouble.REFUSAL),
        (Says("Too lo", stop="max_tokens"), Trouble.TRUNCATED),
        (Sends(b"event: x\ndata: {nonsense\n\n", "text/event-stream"), Trouble.MALFORMED),
        (Sends(b"data: []\n\n", "text/event-stream"), Trouble.MALFORMED),
        (Sends(b'data: {"type": "content_block_delta"}\n\n', "text/event-stream"),
         Trouble.MALFORMED),
        (Sends(b'data: {"type": "ping"}\n\n', "text/event-stream"), Trouble.UNAVAILABLE),
        (Sends(b"", "text/event-stream"), Trouble.UNAVAILABLE),
        (Floods(), Trouble.MALFORMED),
        (Drips(), Trouble.TIMEOUT),
    ],
)  # fmt: skip
def test_a_stream_that_goes_wrong_is_a_normal_outcome(
    model_at: ModelAt, answer: Answer, trouble: Trouble
) -> None:
    with ModelServer(answer) as server, pytest.raises(ModelFailed) as caught:
        model_at(server).ask(a_request(), 1.5, lambda _: None)
    assert caught.value.trouble == trouble


def test_what_was_begun_to_be_told_is_not_said_again_in_other_words(model_at: ModelAt) -> None:
    broken = Says("A text that breaks off midway.", breaks_off=True)
    with (
        ModelServer([broken, Says("Another text.")]) as server,
        pytest.raises(ModelFailed) as found,
    ):
        model_at(server).ask(a_request(), 5, lambda _: None)
    assert len(server.seen) == 1
    assert found.value.tokens[0] > 0
