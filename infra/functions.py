"""The catalogue of functions: one row each, with all that the function may do.

This table is the whole of the squad's permissions: a role holds what its row says and its own
log, and a test reads the synthesised template to prove it.
"""

from dataclasses import dataclass
from enum import StrEnum


class May(StrEnum):
    """Something that a function may do; `components/permissions.py` says on which resource."""

    READ = "read the incident table"
    WRITE = "write the incident table"
    START = "start an execution of the workflow"
    WATCH = "ask whether an execution is alive"
    ANSWER = "answer a waiting task"
    CONFIRM = "confirm the subscription to a topic of alerts"
    SIGN = "sign links"
    VERIFY = "verify links"
    NOTIFY = "publish to the notifications topic"
    WAKE = "wake the deliverer of messages"
    MAIL = "send e-mail"
    KNOW_CHANNELS = "read the credentials of channels to people"
    KNOW_URL = "read the public address"
    KNOW_SENDERS = "read the secrets that webhook senders prove themselves with"
    KNOW_READERS = "read the token that readers of incidents prove themselves with"
    HAVE_LOOKED = "have another function look at targets"
    MEASURE = "read metrics of CloudWatch"
    KNOW_METRICS = "read the credentials of metric sources"
    LOOK = "look at targets with their read-only credentials"
    ACT = "change targets with their writing credentials"
    ASK = "read the key of the model"
    INVOKE = "ask the model in Bedrock, by the role itself"
    TRANSCRIBE = "add to the transcripts, unread"


RECORD = frozenset({May.READ, May.WRITE})
TELL = RECORD | {May.WAKE}
LINK = frozenset({May.SIGN, May.KNOW_URL})
LOOK = RECORD | {May.LOOK}
MEASURE = frozenset({May.MEASURE, May.KNOW_METRICS})
JUDGE = frozenset({May.ASK, May.INVOKE, May.TRANSCRIBE})


@dataclass(frozen=True, kw_only=True)
class Function:
    """One row. `name` is the folder in `functions/`; a state of the workflow calls it or not.

    `seconds` is Lambda's own limit; a state adds a few so that Lambda's error comes first.
    """

    name: str
    does: str
    may: frozenset[May]
    state: bool = True
    seconds: int = 30
    memory_mb: int = 512

    @property
    def id(self) -> str:
        """The name in Pascal case, as constructs and states are called."""
        return "".join(word.capitalize() for word in self.name.split("_"))


def _specialist(kind: str) -> Function:
    return Function(
        name=f"investigate_{kind}",
        does=f"Diagnoses as the {kind} specialist, looking only",
        may=LOOK | MEASURE | JUDGE,
        seconds=60,
        memory_mb=1024,
    )


# A runbook condition may wait up to 900 s for a system to settle: Lambda's own limit.
_SETTLING = 900

STREAM_EVENTS = Function(
    name="stream_events",
    does="Streams an incident's events, behind the Lambda Web Adapter",
    may=frozenset({May.READ, May.VERIFY, May.KNOW_READERS}),
    state=False,
    seconds=900,
)
"""Takes the place of the waiting answer where an operator chooses true streaming."""

FUNCTIONS = (
    Function(
        name="intake",
        does="Takes alerts and opens incidents; serves the tools of MCP",
        may=RECORD | {May.START, May.CONFIRM, May.KNOW_SENDERS, May.KNOW_READERS, May.HAVE_LOOKED},
        state=False,
        seconds=20,
        memory_mb=1024,
    ),
    Function(
        name="incidents",
        does="Shows incidents, timelines, reports and the public status",
        may=frozenset({May.READ, May.VERIFY, May.KNOW_READERS}),
        state=False,
        seconds=28,
    ),
    Function(
        name="decide_approval",
        does="Shows a plan or a public text behind a signed link and takes the decision",
        may=TELL | {May.VERIFY, May.ANSWER},
        state=False,
        seconds=28,
    ),
    Function(
        name="preview_step",
        does="Shows what a step of a runbook would change now",
        may=frozenset({May.READ, May.LOOK}),
        state=False,
        seconds=20,
    ),
    Function(
        name="query_metrics",
        does="Asks metric sources for the tools of MCP",
        may=MEASURE,
        state=False,
        seconds=20,
    ),
    Function(
        name="triage",
        does="Says type, severity, service and candidate runbooks of an alert",
        may=TELL | LINK | JUDGE,
        memory_mb=1024,
    ),
    _specialist("database"),
    _specialist("network"),
    _specialist("application"),
    _specialist("security"),
    Function(name="notify_on_call", does="Tells whom the severity asks for", may=TELL | LINK),
    Function(
        name="draft_update",
        does="Writes a status update",
        may=RECORD | JUDGE,
        memory_mb=1024,
    ),
    Function(
        name="publish_update",
        does="Puts a status update out",
        may=TELL | LINK | JUDGE,
        memory_mb=1024,
    ),
    Function(
        name="synthesize",
        does="Makes the plan and says who may apply it",
        may=LOOK | {May.TRANSCRIBE},
        seconds=60,
        memory_mb=1024,
    ),
    Function(
        name="request_approval",
        does="Asks the approvers about the plan",
        may=TELL | LINK | {May.ANSWER},
    ),
    Function(
        name="remediate",
        does="Runs one step of the stored plan",
        may=LOOK | MEASURE | {May.ACT},
        seconds=_SETTLING,
    ),
    Function(
        name="undo_remediation",
        does="Takes applied steps back, the last one first",
        may=LOOK | {May.ACT},
        seconds=_SETTLING,
    ),
    Function(
        name="verify_recovery",
        does="Looks whether the symptom itself is gone",
        may=LOOK | MEASURE,
        seconds=_SETTLING,
    ),
    Function(
        name="close_incident",
        does="Writes the report and the post-mortem, and resolves the incident",
        may=RECORD | {May.TRANSCRIBE},
        seconds=60,
    ),
    Function(name="hand_over", does="Pages a human with everything known", may=TELL),
    Function(
        name="record_failure",
        does="Pages a human when an execution ended badly",
        may=TELL,
        state=False,
    ),
    Function(
        name="contribute",
        does="Takes what people add to an incident: acknowledgements and corrections",
        may=TELL | LINK | {May.VERIFY, May.KNOW_READERS},
        state=False,
        seconds=28,
    ),
    Function(
        name="keep_promises",
        does="Publishes promised updates, and pages on while nobody acknowledges",
        may=TELL | LINK,
        state=False,
        seconds=50,
    ),
    Function(
        name="deliver_messages",
        does="Takes messages from the outbox to their channels",
        may=RECORD | {May.NOTIFY, May.MAIL, May.KNOW_CHANNELS},
        state=False,
        seconds=55,
    ),
    Function(
        name="sweep",
        does="Takes up incidents whose execution is gone, repeats undelivered decisions",
        may=TELL | {May.START, May.WATCH, May.ANSWER},
        state=False,
        seconds=50,
    ),
)
