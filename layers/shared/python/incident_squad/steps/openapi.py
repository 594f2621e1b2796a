"""The OpenAPI document of all routes, generated when somebody asks for it."""

from functools import cache
from typing import Any

from incident_squad.pages.web import Answer, json_answer
from incident_squad.steps import openapi_parts as parts
from incident_squad.steps.openapi_parts import HTML, JSON, answer, parameter, problems, ref

Json = dict[str, Any]

_READERS: list[Json] = [{"bearer": []}, {"view": []}]
_SENDERS: list[Json] = [{"bearer": []}, {"basic": []}, {"pagerduty": []}]
_ID = parameter(
    "id",
    "path",
    {"type": "string", "pattern": r"^INC-[0-9]{8}-[0-9A-HJKMNP-TV-Z]{5,8}$"},
    "An incident",
)
_LINK = parameter("link", "path", {"type": "string", "minLength": 1}, "A signed link")


def described() -> Answer:
    """The document as an answer."""
    return json_answer(document())


@cache
def document() -> Json:
    """The whole document (OpenAPI 3.1)."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Incident Squad",
            "version": "1",
            "description": "Alerts in, incidents and approvals out. Errors are problem details.",
        },
        "paths": {**_doors(), **_incidents(), **_additions(), **_approvals(), **_public()},
        "components": {"schemas": parts.schemas(), "securitySchemes": parts.SECURITY},
    }


def _doors() -> Json:
    source = parameter("source", "path", parts.sources(), "Who sends")
    alert: Json = {
        "required": True,
        "content": {
            JSON: {
                "schema": {"type": "object"},
                "examples": {
                    "text": {"value": {"alert": "PostgreSQL connection pool exhausted"}},
                },
            }
        },
    }
    refused = problems(400, 401, 404, 413, 429, 503)
    accepted = {"202": answer(202, {JSON: ref("Accepted")}, "What became of each alert")}
    spoken = {"200": answer(200, {JSON: {}}, "An answer of MCP")}
    either = {"202": answer(202, {JSON: {}}, "What became of each alert, or a notice of MCP taken")}
    return {
        "/webhooks/{source}": {
            "parameters": [source],
            "post": _operation("Take alerts of one source", _SENDERS, {**accepted, **refused})
            | {"requestBody": alert},
        },
        "/api/mcp": {
            "post": _operation(
                "Take alerts of any known source, or a request of MCP",
                _SENDERS,
                {**spoken, **either, **refused, **problems(403, 405, 406, 415)},
            )
            | {"requestBody": alert},
            "get": _operation("No stream is offered", _READERS[:1], problems(405)),
            "delete": _operation("There are no sessions to end", _READERS[:1], problems(405)),
        },
    }


def _incidents() -> Json:
    listed = {
        "type": "object",
        "required": ["incidents", "next"],
        "properties": {
            "incidents": {"type": "array", "items": ref("Incident")},
            "next": {"type": ["string", "null"]},
        },
    }
    events = {
        "type": "object",
        "required": ["incidentId", "events", "sound", "problems"],
        "properties": {
            "events": {"type": "array", "items": ref("TimelineEvent")},
            "sound": {"type": "boolean"},
        },
    }
    page = {HTML: {"type": "string"}}
    after = parameter("after", "query", {"type": "string"}, "The number of the last event known")
    day = parameter("day", "query", {"type": "string", "example": "2026-11-23"}, "In UTC; today")
    stream = {"text/event-stream": {"type": "string"}}
    live = {
        "200": answer(200, stream, "Events, each with its number as `id`"),
        "204": answer(204, {}, "Nothing more will come"),
    }
    return {
        "/incidents": {"get": _list({JSON: listed, **page})},
        "/incidents/{id}": _one("One incident", {JSON: ref("Incident"), **page}),
        "/incidents/{id}/timeline": _one("Its timeline, and whether it is sound", {JSON: events}),
        "/incidents/{id}/report": _one("Its report", {JSON: ref("Report")}),
        "/incidents/{id}/postmortem": _one(
            "Its post-mortem draft", {"text/markdown": {"type": "string"}, **page}
        ),
        "/incidents/{id}/events": {
            "parameters": [_ID, after],
            "get": _operation(
                "What is new, as a short event stream",
                _READERS,
                {**live, **problems(400, 401, 404, 409, page=True)},
            ),
        },
        "/alerts": {
            "parameters": [day],
            "get": _operation(
                "What became of the alerts of a day",
                _READERS,
                {"200": answer(200, {JSON: ref("Accounts")}), **problems(400, 401, page=True)},
            ),
        },
    }


def _list(kinds: dict[str, Json]) -> Json:
    answers = {"200": answer(200, kinds), **problems(400, 401, page=True)}
    listed = _operation("Incidents, newest first", _READERS, answers)
    return {**listed, "parameters": parts.filters()}


def _one(words: str, kinds: dict[str, Json]) -> Json:
    answers = {"200": answer(200, kinds), **problems(401, 404, 409, page=True)}
    return {"parameters": [_ID], "get": _operation(words, _READERS, answers)}


def _additions() -> Json:
    """What people add to an incident."""
    done = {"200": answer(200, {JSON: {"type": "object"}, HTML: {"type": "string"}})}
    refused = problems(400, 401, 404, 422, page=True)
    by: Json = {"type": "string", "example": "ada@example.com"}
    text: Json = {"type": "string", "minLength": 1, "maxLength": 2000}
    return {
        "/incidents/{id}/acknowledge": {
            "parameters": [_ID],
            "post": _operation("Say that somebody is on it", _READERS, {**done, **refused})
            | {"requestBody": _form({"by": by})},
        },
        "/incidents/{id}/updates": {
            "parameters": [_ID],
            "post": _operation("Publish a correction", _READERS[:1], {**done, **refused})
            | {"requestBody": _form({"by": by, "external": text}, "external")},
        },
    }


def _form(properties: Json, *required: str) -> Json:
    """A body that is a form or JSON."""
    fields: Json = {"type": "object", "properties": properties}
    if required:
        fields["required"] = list(required)
    kinds = ("application/x-www-form-urlencoded", JSON)
    return {"content": {kind: {"schema": fields} for kind in kinds}}


def _approvals() -> Json:
    kinds: dict[str, Json] = {JSON: {"type": "object"}, HTML: {"type": "string"}}
    fields = {
        "decision": {"type": "string", "enum": ["approve", "reject"]},
        "comment": {"type": "string", "maxLength": 2000, "example": "not during the sale"},
    }
    shown = {"200": answer(200, kinds), **problems(404, page=True)}
    taken = {"200": answer(200, kinds), **problems(400, 404, page=True)}
    return {
        "/approvals/{link}": {
            "parameters": [_LINK],
            "get": _operation("Show what there is to decide; decides nothing", [], shown),
            "post": _operation("Decide, once", [], taken)
            | {"requestBody": _form(fields, "decision")},
        },
        "/publications/{link}": {
            "parameters": [_LINK],
            "get": _operation("Show a text that customers would read", [], shown),
            "post": _operation("Decide whether they may, once", [], taken)
            | {"requestBody": _form(fields, "decision")},
        },
    }


def _public() -> Json:
    both: dict[str, Json] = {JSON: {"type": "object"}, HTML: {"type": "string"}}
    one: dict[str, Json] = {JSON: {"type": "object"}}
    return {
        "/status": {"get": _operation("What customers may know", [], {"200": answer(200, both)})},
        "/health": {"get": _operation("That it runs", [], {"200": answer(200, one)})},
        "/openapi.json": {"get": _operation("This document", [], {"200": answer(200, one)})},
    }


def _operation(words: str, proofs: list[Json], answers: Json) -> Json:
    return {"summary": words, "security": proofs, "responses": answers}
