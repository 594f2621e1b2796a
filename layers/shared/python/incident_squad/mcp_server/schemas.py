"""JSON Schemas of tools, as plain as old clients like them: no references and no titles."""

from collections.abc import Mapping
from typing import Any

from incident_squad.contracts import Contract


def schema_of(takes: type[Contract]) -> dict[str, Any]:
    """The schema of a tool's arguments, under the names that stand on the wire."""
    schema = takes.model_json_schema(by_alias=True)
    plain: dict[str, Any] = _plain(schema, schema.get("$defs", {}))
    return {key: value for key, value in plain.items() if key not in {"$defs", "description"}}


def _plain(part: Any, known: Mapping[str, Any]) -> Any:  # noqa: ANN401 - a schema is any JSON
    if isinstance(part, list):
        return [_plain(item, known) for item in part]
    if not isinstance(part, dict):
        return part
    if part.get("default", "") is None:
        return _plain(_optional(part), known)
    if "$ref" in part:
        found = known[part["$ref"].rpartition("/")[2]]
        beside = {key: value for key, value in part.items() if key != "$ref"}
        return _plain({**found, **beside}, known)
    return {
        # `properties` maps names of arguments, one of which may be called `title`.
        key: {name: _plain(one, known) for name, one in value.items()}
        if key == "properties"
        else _plain(value, known)
        for key, value in part.items()
        if not (key == "title" and isinstance(value, str))
    }


def _optional(part: Mapping[str, Any]) -> dict[str, Any]:
    """An argument that may be left out: its own schema, without the null that stands for it."""
    options = [option for option in part.get("anyOf", ()) if option != {"type": "null"}]
    beside = {key: value for key, value in part.items() if key not in {"anyOf", "default"}}
    return {**options[0], **beside} if len(options) == 1 else {"anyOf": options, **beside}
