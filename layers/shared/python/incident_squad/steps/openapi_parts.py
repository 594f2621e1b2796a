"""Pieces of the OpenAPI document: answers, proofs, examples, and schemas of stored values."""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic.alias_generators import to_camel
from pydantic.json_schema import models_json_schema

from incident_squad.domain.alert import Source
from incident_squad.domain.incident import Incident, IncidentStatus
from incident_squad.domain.outcome import OutcomeKind
from incident_squad.domain.report import Report
from incident_squad.domain.timeline import TimelineEvent
from incident_squad.domain.values import IncidentType, Severity

Json = dict[str, Any]

JSON, PROBLEM, HTML = "application/json", "application/problem+json", "text/html"
_REFS = "#/components/schemas/{model}"
_WORDS = {
    400: "The request is not understood; the detail says what is wrong",
    401: "The sender or reader has not proven who it is",
    403: "Refused before it was read",
    404: "There is no such thing",
    405: "This way of asking is not offered here",
    406: "No answer in a form that was asked for",
    409: "Too early: the incident is not that far yet",
    413: "The body is too large",
    415: "The body is of a type that is not taken",
    422: "The decision is not understood",
    429: "Too many requests, or one that takes too long: come again after Retry-After seconds",
    503: "The alert could not be stored: send it again after Retry-After seconds",
}
_KINDS = [kind.value for kind in OutcomeKind]

SECURITY: Json = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "The API token, or the secret of a webhook's source",
    },
    "basic": {
        "type": "http",
        "scheme": "basic",
        "description": "A webhook's secret as the password; the user's name does not count",
    },
    "pagerduty": {
        "type": "apiKey",
        "in": "header",
        "name": "X-PagerDuty-Signature",
        "description": "`v1=` and the HMAC-SHA256 of the body, in hexadecimal",
    },
    "view": {
        "type": "apiKey",
        "in": "query",
        "name": "view",
        "description": "A signed view link, as notifications carry it",
    },
}


def schemas() -> Json:
    """All schemas by name; those of stored values come from the values themselves."""
    models = (Incident, Report, TimelineEvent)
    _, found = models_json_schema(
        [(model, "serialization") for model in models], ref_template=_REFS
    )
    return {**{name: _relaxed(s) for name, s in found["$defs"].items()}, **_answers()}


def answer(status: int, kinds: Mapping[str, Json] | None = None, words: str = "") -> Json:
    """One answer; without content, problem details."""
    if kinds is None:
        kinds = {PROBLEM: ref("Problem")}
    found: Json = {"description": words or _WORDS.get(status, "Done")}
    if kinds:
        found["content"] = {kind: {"schema": schema} for kind, schema in kinds.items()}
    if status in {429, 503}:
        found["headers"] = {"Retry-After": {"schema": {"type": "string"}}}
    return found


def problems(*statuses: int, page: bool = False) -> Json:
    """Answers that are problem details; a browser gets some of them as a page."""
    kinds = {PROBLEM: ref("Problem"), **({HTML: {"type": "string"}} if page else {})}
    return {str(status): answer(status, kinds) for status in statuses}


def ref(name: str) -> Json:
    """A schema by name."""
    return {"$ref": _REFS.format(model=name)}


def parameter(name: str, where: str, schema: Json, words: str) -> Json:
    """A parameter in the path, the query or a header."""
    return {
        "name": name,
        "in": where,
        "required": where == "path",
        "description": words,
        "schema": schema,
    }


def filters() -> list[Json]:
    """The filters of the list of incidents."""
    day: Json = {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}$", "example": "2026-11-23"}
    return [
        parameter("status", "query", _one_of(["open", *IncidentStatus]), "Where it stands"),
        parameter("severity", "query", _one_of(Severity), "How bad it is"),
        parameter("type", "query", _one_of(IncidentType), "What fails"),
        parameter("service", "query", {"type": "string"}, "A service of the catalogue"),
        parameter("from", "query", day, "The first day"),
        parameter("to", "query", day, "The last day"),
        parameter("limit", "query", {"type": "integer", "minimum": 1, "maximum": 100}, "A page"),
        parameter("next", "query", {"type": "string"}, "`next` of the page before"),
    ]


def sources() -> Json:
    """The sources that a webhook can be of."""
    return _one_of(Source)


def _one_of(names: Iterable[str]) -> Json:
    return {"type": "string", "enum": [str(name) for name in names]}


def _answers() -> Json:
    text, null_text = {"type": "string"}, {"type": ["string", "null"]}
    return {
        "Problem": {
            "type": "object",
            "description": "Problem details (RFC 9457)",
            "required": ["type", "title", "status"],
            "properties": {
                "type": text,
                "title": text,
                "status": {"type": "integer"},
                "detail": text,
            },
            "example": {
                "type": "about:blank",
                "title": "The body is too large",
                "status": 413,
                "detail": "at most 262144 bytes are taken",
            },
        },
        "Accepted": {
            "type": "object",
            "required": ["outcomes", "incidentId"],
            "properties": {
                "outcomes": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["outcome", "incidentId", "reason"],
                        "properties": {
                            "outcome": {"type": "string", "enum": _KINDS},
                            "incidentId": null_text,
                            "reason": text,
                        },
                    },
                },
                "incidentId": null_text,
            },
            "example": {
                "outcomes": [
                    {
                        "outcome": "opened",
                        "incidentId": "INC-20261123-7F3KQ",
                        "reason": "a new incident",
                    }
                ],
                "incidentId": "INC-20261123-7F3KQ",
            },
        },
        "Accounts": {
            "type": "object",
            "required": ["day", "received", "outcomes", "counts"],
            "properties": {
                "day": text,
                "received": {"type": "integer"},
                "outcomes": {"type": "object", "additionalProperties": {"type": "integer"}},
                "counts": {"type": "array", "items": {"type": "object"}},
            },
            "example": {
                "day": "2026-11-23",
                "received": 3,
                "outcomes": {"opened": 1, "attached": 1, "suppressed": 0, "rejected": 1},
                "counts": [
                    {"source": "generic", "outcome": "opened", "reason": "new", "number": 1}
                ],
            },
        },
    }


def _relaxed(schema: Any) -> Any:  # noqa: ANN401 - JSON data
    """A schema of what is answered: names in camel case, and free to grow.

    Fields may be left out, and others be added.
    """
    if isinstance(schema, list):
        return [_relaxed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    strict = {"additionalProperties": False}
    kept = {
        name: part
        for name, part in schema.items()
        if name != "required" and strict.get(name, ...) != part
    }
    found = {name: _relaxed(part) for name, part in kept.items()}
    fields = found.get("properties")
    if isinstance(fields, dict):
        found["properties"] = {to_camel(name): part for name, part in fields.items()}
    return found
