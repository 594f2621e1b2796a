"""A model that follows a script, behind the port: the fast way to misbehave."""

import json
import threading
from collections.abc import Callable
from typing import Any

from incident_squad.adapters.anthropic_wire import reply_of
from incident_squad.domain.errors import ModelFailed
from incident_squad.domain.model import ModelReply, ModelRequest, Trouble
from tests.model_server import Answer, Fails, Says, Script, Sends, message_of


class ScriptedModel:
    """Implements `Model`. `asked` holds the requests, in the form in which they would be sent."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._left: list[Answer] = []
        if not callable(script) and not isinstance(script, Answer):
            self._left = list(script)
        self.asked: list[dict[str, Any]] = []
        self.released = threading.Event()

    def ask(
        self, request: ModelRequest, seconds: float, on_text: Callable[[str], None] | None = None
    ) -> ModelReply:
        body = _body(request)
        self.asked.append(body)
        answer = self._answer(body)
        match answer:
            case Says():
                self.released.wait(answer.after)
                message = message_of(answer, body)
                if on_text is not None:
                    _stream(message, on_text, answer)
                return reply_of(json.dumps(message).encode(), request.model)
            case Sends():
                return reply_of(answer.body, request.model)
            case Fails():
                raise ModelFailed(Trouble.OVERLOADED, f"{answer.status} {answer.type}")
            case _:
                # A hanging model does not keep to the seconds that it is given.
                self.released.wait(60)
                raise ModelFailed(Trouble.TIMEOUT, "released")

    def sent(self) -> str:
        """All that has left, as one text."""
        return json.dumps(self.asked, ensure_ascii=False)

    def _answer(self, body: dict[str, Any]) -> Answer:
        if isinstance(self._script, Answer):
            return self._script
        if callable(self._script):
            return self._script(body)
        return self._left.pop(0) if len(self._left) > 1 else self._left[0]


def _stream(message: dict[str, Any], on_text: Callable[[str], None], answer: Says) -> None:
    """Half of the text, then all of it; one that breaks off does so in the middle."""
    text = "".join(block.get("text", "") for block in message["content"])
    on_text(text[: len(text) // 2])
    if answer.breaks_off:
        raise ModelFailed(Trouble.OVERLOADED, "midway: overloaded_error")
    on_text(text)


def _body(request: ModelRequest) -> dict[str, Any]:
    config: dict[str, Any] = {"effort": request.effort.value}
    if request.answer_schema is not None:
        config["format"] = {"type": "json_schema", "schema": request.answer_schema}
    return {
        "model": request.model,
        "system": request.system,
        "messages": json.loads(json.dumps(request.messages)),
        "output_config": config,
        "max_tokens": request.max_tokens,
        **({"tools": [tool.name for tool in request.tools]} if request.tools else {}),
    }
