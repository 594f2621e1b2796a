"""Documents that can be read by address: runbooks, reports, post-mortems."""

import json
import re
from dataclasses import dataclass

from incident_squad.domain.errors import SquadError
from incident_squad.domain.values import Value
from incident_squad.ports import Knowledge
from incident_squad.steps.post_mortem import PostMortem
from incident_squad.steps.report import BuildReport
from incident_squad.steps.tools.cleaning import Clean
from incident_squad.steps.tools.runbooks import as_markdown

MARKDOWN, JSON = "text/markdown", "application/json"

_RUNBOOK = re.compile(r"squad://runbooks/([a-z][a-z0-9_-]{0,63})")
_ABOUT = re.compile(r"squad://incidents/(INC-[0-9]{8}-[0-9A-HJKMNP-TV-Z]{5,8})/([a-z-]+)")


class NoSuchDocument(SquadError):
    """Nothing can be read at this address."""


class Document(Value):
    """What stands at an address; of a template, `address` has names in braces."""

    address: str
    name: str
    title: str
    description: str
    kind: str


TEMPLATES = (
    Document(
        address="squad://runbooks/{runbookId}",
        name="runbook",
        title="Runbook",
        description="A runbook: checks, steps with their commands, and guidance",
        kind=MARKDOWN,
    ),
    Document(
        address="squad://incidents/{incidentId}/report",
        name="report",
        title="Incident report",
        description="The report of an incident as it stands now",
        kind=JSON,
    ),
    Document(
        address="squad://incidents/{incidentId}/post-mortem",
        name="post-mortem",
        title="Post-mortem",
        description="The draft of an incident's post-mortem, from its timeline",
        kind=MARKDOWN,
    ),
)


@dataclass(frozen=True)
class Documents:
    """Reads documents; the list names the runbooks, the templates all kinds."""

    knowledge: Knowledge
    build_report: BuildReport
    post_mortem: PostMortem
    clean: Clean

    def all(self) -> tuple[Document, ...]:
        """Documents that are always there."""
        return tuple(
            Document(
                address=f"squad://runbooks/{name}",
                name=name,
                title=runbook.title,
                description=runbook.description,
                kind=MARKDOWN,
            )
            for name, runbook in sorted(self.knowledge.runbooks.items())
        )

    def read(self, address: str) -> tuple[str, str]:
        """Kind and text of a document.

        Raises NoSuchDocument, UnknownIncident, and PolicyViolation for a report before triage.
        """
        runbook = _RUNBOOK.fullmatch(address)
        if runbook is not None and runbook.group(1) in self.knowledge.runbooks:
            return MARKDOWN, as_markdown(self.knowledge.runbook(runbook.group(1)))
        about = _ABOUT.fullmatch(address)
        if about is not None and about.group(2) == "report":
            report = self.clean(self.build_report(about.group(1)).to_json())
            return JSON, json.dumps(report, ensure_ascii=False, indent=1)
        if about is not None and about.group(2) == "post-mortem":
            return MARKDOWN, str(self.clean(self.post_mortem(about.group(1))))
        raise NoSuchDocument("there is no document at this address")
