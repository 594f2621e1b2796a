"""Looks at and acts on SQL targets: PostgreSQL, and PgBouncer's admin console."""

from collections.abc import Mapping, Sequence
from typing import Any

from incident_squad.adapters.sql_cells import as_text, as_value, sentence
from incident_squad.adapters.sql_session import Refused, Role, Row, Sessions
from incident_squad.domain.errors import (
    InvalidConfiguration,
    InvalidParameter,
    SquadError,
    StepFailed,
)
from incident_squad.domain.evidence import Evidence, EvidenceStatus
from incident_squad.domain.plan import PlannedStep
from incident_squad.domain.runbook import Action, ParameterValue, Probe, SqlAction, SqlProbe, Step
from incident_squad.policy.parameters import names_for_sql
from incident_squad.ports import Clock

PROBE_SECONDS = 5
PROBE_ROWS = 20
MOST_ROWS = 500
"""Rows that a preview may list: what is more, nobody reads before approving."""
_MOST_CHARACTERS = 150_000


class SqlProber:
    """Implements `Prober` with the target's reader, in a read-only transaction.

    Read-only does not stop functions with side effects: the reader role must not have any.
    """

    def __init__(self, sessions: Sessions, clock: Clock) -> None:
        self._sessions = sessions
        self._clock = clock

    def probe(self, probe: Probe, target: str | None, parameters: Mapping[str, Any]) -> Evidence:
        """Ask one query; what goes wrong is in the evidence's status."""
        if not isinstance(probe, SqlProbe) or target is None:
            return self._seen(probe, target, EvidenceStatus.NOT_CONFIGURED)
        try:
            rows = self._ask(probe, target, parameters)
        except Refused as error:
            return self._seen(probe, target, EvidenceStatus.DENIED, detail=str(error))
        except InvalidConfiguration as error:
            return self._seen(probe, target, EvidenceStatus.NOT_CONFIGURED, detail=str(error))
        except SquadError as error:
            return self._seen(probe, target, EvidenceStatus.ERROR, detail=str(error))
        value = _value(probe, rows)
        status = EvidenceStatus.NO_DATA if value is None else EvidenceStatus.OK
        return self._seen(probe, target, status, value=value, rows=_texts(rows[:PROBE_ROWS]))

    def _ask(self, probe: SqlProbe, target: str, parameters: Mapping[str, Any]) -> list[Row]:
        import psycopg  # noqa: PLC0415 - slow to import, and most functions never need it

        # A console's rows are filtered here, so the row in question must not be cut off.
        limit = MOST_ROWS if probe.column else PROBE_ROWS
        try:
            with self._sessions.open(
                target, "reader", seconds=PROBE_SECONDS, read_only=True
            ) as session:
                return session.rows(probe.sql, parameters, limit)
        except psycopg.errors.InsufficientPrivilege as error:
            raise Refused(sentence(error)) from error
        except psycopg.Error as error:
            raise StepFailed(sentence(error)) from error

    def _seen(
        self,
        probe: Probe,
        target: str | None,
        status: EvidenceStatus,
        **more: Any,  # noqa: ANN401
    ) -> Evidence:
        return Evidence(
            id="",
            source=f"sql:{target or 'none'}",
            query=getattr(probe, "sql", "")[:2000],
            status=status,
            observed_at=self._clock.now(),
            **more,
        )


class SqlExecutor:
    """Implements `Executor` for SQL steps.

    Looking (previews, and steps that change nothing) is the reader's, in a read-only transaction;
    changing is the writer's, in one transaction under the step's timeout. An apply gives one list
    of texts for each column of its answer, and `rows`, their number. SQL has no idempotency keys:
    a runbook's apply repeats the conditions of its preview, so a second one finds nothing to do.
    """

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    def preview(
        self, step: Step, target: str | None, parameters: Mapping[str, ParameterValue]
    ) -> Sequence[Mapping[str, str]]:
        """The rows that the step's preview query lists; raises StepFailed when they are too many.

        Also raises TargetUnavailable. A step without a preview query lists nothing.
        """
        action = _sql(step.action)
        if action.preview is None:
            return ()
        rows = self._run(action.preview, target, "reader", parameters, seconds=step.timeout_seconds)
        listed = _texts(rows)
        if len(rows) > MOST_ROWS or _size(listed) > _MOST_CHARACTERS:
            raise StepFailed(f"'{step.title}' lists more than anybody could check: nothing done")
        return listed

    def apply(self, step: Step, planned: PlannedStep, idempotency_key: str) -> Mapping[str, Any]:
        """Run the statement on what the plan lists; raises StepFailed, TargetUnavailable."""
        del idempotency_key
        names = names_for_sql(planned.parameters, planned.preview)
        role: Role = "writer" if step.mutates else "reader"
        sql = _sql(step.action).apply
        return _result(self._run(sql, planned.target, role, names, seconds=step.timeout_seconds))

    def undo(
        self, step: Step, planned: PlannedStep, result: Mapping[str, Any], idempotency_key: str
    ) -> Mapping[str, Any]:
        """Run the undo statement, which may use what the apply gave as `%(result_<column>)s`."""
        del idempotency_key
        if step.undo is None or step.undo.action is None:
            raise StepFailed(f"'{step.title}' has no undo")
        names = names_for_sql(planned.parameters, planned.preview, result)
        sql = _sql(step.undo.action).apply
        return _result(
            self._run(sql, planned.target, "writer", names, seconds=step.timeout_seconds)
        )

    def _run(
        self,
        sql: str,
        target: str | None,
        role: Role,
        names: Mapping[str, Any],
        *,
        seconds: float,
    ) -> list[Row]:
        import psycopg  # noqa: PLC0415 - slow to import, and most functions never need it

        try:
            with self._sessions.open(
                target, role, seconds=seconds, read_only=role == "reader"
            ) as session:
                return session.rows(sql, names, MOST_ROWS + 1)
        except psycopg.errors.QueryCanceled as error:
            raise StepFailed(f"stopped after {seconds:g} s: {sentence(error)}") from error
        except psycopg.Error as error:
            raise StepFailed(f"the database says: {sentence(error)}") from error


def _sql(action: Action) -> SqlAction:
    if not isinstance(action, SqlAction):
        raise InvalidParameter(f"an action of kind '{action.kind}' is not SQL")
    return action


def _value(probe: SqlProbe, rows: Sequence[Row]) -> float | str | bool | None:
    if probe.column is None:
        return as_value(next(iter(rows[0].values()), None)) if rows else None
    column = probe.column
    fitting = [row for row in rows if all(as_text(row.get(k)) == v for k, v in probe.where.items())]
    values = [as_value(row[column]) for row in fitting if row.get(column) is not None]
    return max(values, key=_order, default=None)


def _order(value: float | str | bool | None) -> tuple[float, str]:  # noqa: FBT001
    """Numbers by size, whichever way the console writes them; then texts."""
    try:
        return float(value or 0), ""
    except ValueError:
        return float("-inf"), str(value)


def _texts(rows: Sequence[Row]) -> tuple[dict[str, str], ...]:
    return tuple({column: as_text(value) for column, value in row.items()} for row in rows)


def _size(rows: Sequence[Mapping[str, str]]) -> int:
    return sum(len(key) + len(value) for row in rows for key, value in row.items())


def _result(rows: Sequence[Row]) -> dict[str, Any]:
    kept = _texts(rows[:MOST_ROWS])
    while _size(kept) > _MOST_CHARACTERS:
        kept = kept[: len(kept) // 2]
    columns = kept[0].keys() if kept else ()
    return {**{name: [row[name] for row in kept] for name in columns}, "rows": len(rows)}
