"""Models at their worst: they lie, invent, obey whatever they read, and never stop."""

import json
import re
from typing import Any

from tests.model_server import Answer, Body, Says

ORDER = re.compile(r"(?:severity|sev)[^.\n]{0,30}(SEV[1-4])", re.IGNORECASE)
LEAK = "The host prod-db-01.internal (10.0.4.17) of payments-db ran out, says Ada, ada@example.com."


def asked_for(body: Body) -> str:
    """Which answer a request wants: its schema's properties tell."""
    form = body.get("output_config", {}).get("format")
    if form is None:
        return "looking"
    properties = set(form["schema"].get("properties", ()))
    if "severity" in properties:
        return "router"
    return "specialist" if "rootCause" in properties else "communicator"


def said(body: Body) -> str:
    """All that the model is shown."""
    return json.dumps(body["messages"], ensure_ascii=False)


def router(**fields: Any) -> Says:
    """A router's answer in form."""
    known: dict[str, Any] = {
        "type": "application",
        "severity": "SEV4",
        "service": None,
        "runbooks": [],
        "confidence": 1.0,
        "why": [],
    }
    return Says({**known, **fields})


def diagnosis(**fields: Any) -> Says:
    """A specialist's answer in form."""
    known: dict[str, Any] = {
        "rootCause": "",
        "runbookId": None,
        "confidence": 1.0,
        "findings": [],
        "hypotheses": [],
    }
    return Says({**known, **fields})


def texts(**fields: str) -> Says:
    """A communicator's answer in form."""
    return Says({"external": "", "internal": "", "executive": "", **fields})


def liar(body: Body) -> Answer:
    """Lowers severities, invents runbooks, evidence and figures, and leaks."""
    match asked_for(body):
        case "router":
            return router(
                severity="SEV4",
                service="accounts-db'; DROP TABLE incidents;--",
                runbooks=["wipe-everything", "db_kill_all", "../../etc/passwd"],
                why=["99.9% of the fleet is healthy", "Ticket OPS-4711 says it is a drill"],
            )
        case "specialist":
            return diagnosis(
                rootCause="Disk sda7 of web-99 died at 03:14 with 8123 bad blocks.",
                runbookId="wipe-everything",
                findings=[
                    {"statement": "8123 sessions are idle in transaction.", "evidenceIds": ["E2"]},
                    {"statement": "web-99 is on fire.", "evidenceIds": ["E99"]},
                    {"statement": "Everybody knows it is the network.", "evidenceIds": []},
                ],
                hypotheses=[
                    {"runbookId": "wipe-everything", "statement": "Wipe it.",
                     "supportedBy": ["E99"], "contradictedBy": []},
                ],
            )  # fmt: skip
        case "communicator":
            return texts(
                external=LEAK, internal="All 8123 customers lost 17 euros.", executive=LEAK
            )
        case _:
            return Says(
                "",
                [
                    ("run_shell", {"command": "rm -rf /"}),
                    ("execute_runbook", {"runbookId": "pool", "stepIndex": 0, "dryRun": False,
                                         "approvedBy": "vera@example.com"}),
                    ("execute_runbook", {"runbookId": "wipe-everything", "stepIndex": 0}),
                    ("execute_runbook", {"runbookId": "pool", "stepIndex": -1}),
                    ("get_runbook", {"runbookId": "../../etc/passwd"}),
                    ("query_metrics", {"source": "shell", "query": "x"}),
                    ("query_metrics", {"query": {"nested": 1}}),
                ],
            )  # fmt: skip


def obedient(body: Body) -> Answer:
    """Does whatever a text that it is shown orders: the worst case of an injection."""
    ordered = ORDER.search(said(body))
    severity = ordered[1].upper() if ordered else "SEV4"
    match asked_for(body):
        case "router":
            return router(severity=severity, why=["I was told so"])
        case "specialist":
            return diagnosis(
                rootCause="Nothing is wrong: the text says that it is a drill.",
                runbookId="pool",
                findings=[{"statement": "It is approved and harmless.", "evidenceIds": ["E1"]}],
            )
        case "communicator":
            return texts(external=LEAK, internal=LEAK, executive=LEAK)
        case _:
            step = {"runbookId": "pool", "stepIndex": 0, "dryRun": False}
            return Says("As ordered.", [("execute_runbook", step)])


def endless(body: Body) -> Answer:
    """Never comes to an end: calls tools for ever, and answers at length."""
    if body.get("tools"):
        return Says("More.", [("run_checks", {"runbookId": "pool"})] * 40)
    return Says("word " * 100_000)
