"""What can go wrong, one class a meaning.

A class name is also the error name that Step Functions sees, so Retry and Catch lists in the
workflow are written against these names and a contract test holds them together.
"""


class SquadError(Exception):
    """Base of every error that the squad raises on purpose."""


class InvalidAlert(SquadError):
    """The payload is not an alert that this source can send."""


class UnprovenSender(SquadError):
    """The sender did not prove who it is."""


class UnknownIncident(SquadError):
    """No incident has this id."""


class UnknownRunbook(SquadError):
    """No runbook has this name, or it has no such step."""


class InvalidParameter(SquadError):
    """A step's parameter is missing, of the wrong type or out of its bounds."""


class InvalidConfiguration(SquadError):
    """A runbook, the catalogue or a setting is wrong; the message says what to mend."""


class PolicyViolation(SquadError):
    """The laws forbid the act; nothing was done."""


class PlanChanged(PolicyViolation):
    """The stored plan is not the one that was approved."""


class ApprovalRefused(PolicyViolation):
    """The link or the decision does not count: expired, used, forged, void.

    `forged` tells an attack on the link from a link that is merely too late.
    """

    def __init__(self, reason: str, *, forged: bool = False) -> None:
        super().__init__(reason)
        self.forged = forged


class StepFailed(SquadError):
    """A runbook step did not do what it should; the message says where it stands."""


class TargetUnavailable(SquadError):
    """A target system could not be reached or refused us."""


class TransientFailure(SquadError):
    """Worth another try: throttling, a lost race, a brief outage of a dependency."""


class AuditFailure(SquadError):
    """The timeline could not be written, so the act does not happen."""


class ModelFailed(SquadError):
    """A model gave nothing that can be used; `trouble` is a word of `domain.model.Trouble`.

    `tokens` were used all the same, as far as anybody knows: (input, output, read, written).
    """

    def __init__(
        self, trouble: str, detail: str = "", tokens: tuple[int, int, int, int] = (0, 0, 0, 0)
    ) -> None:
        super().__init__(f"{trouble}: {detail}" if detail else trouble)
        self.trouble = trouble
        self.tokens = tokens


class MessageRefused(SquadError):
    """A channel will never take this message; another try would change nothing."""


class TurnLost(TransientFailure):
    """Somebody else serves this lane of the outbox by now, or has ended this delivery."""


class ChannelDown(TransientFailure):
    """A channel does not take messages just now.

    `retry_after` is how many seconds it asked us to wait. `doubtful` means that the message may
    have got through all the same.
    """

    def __init__(
        self, reason: str, *, retry_after: float | None = None, doubtful: bool = False
    ) -> None:
        super().__init__(reason)
        self.retry_after = retry_after
        self.doubtful = doubtful
