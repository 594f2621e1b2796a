"""Rules for steps and probes of clouds, clusters and hosts: names, arguments, the way back."""

from collections.abc import Iterator, Sequence

from incident_squad.domain.catalog import Catalog, Target
from incident_squad.domain.runbook import (
    Action,
    AwsAction,
    AwsProbe,
    CommandAction,
    CommandProbe,
    K8sAction,
    K8sProbe,
    Probe,
    SsmAction,
    Step,
)
from incident_squad.domain.targets import AwsTarget, CommandTarget, K8sTarget, SsmTarget
from incident_squad.policy import aws_actions, k8s_actions

Found = tuple[str, str]

_KINDS: dict[type[Action | Probe], type[Target]] = {
    AwsAction: AwsTarget,
    AwsProbe: AwsTarget,
    SsmAction: SsmTarget,
    K8sAction: K8sTarget,
    K8sProbe: K8sTarget,
    CommandAction: CommandTarget,
    CommandProbe: CommandTarget,
}


def cloud_step_errors(step: Step, where: str, catalog: Catalog) -> Iterator[Found]:
    """What is wrong with a step of one of these kinds; nothing for all others."""
    action = step.action
    yield from _of_target(action, where, catalog)
    if isinstance(action, AwsAction):
        yield from _of_aws(step, action, where)
    elif isinstance(action, K8sAction):
        yield from _of_k8s(step, action, where)
    elif isinstance(action, SsmAction | CommandAction):
        yield from _of_list(action, where, catalog, mutates=step.mutates)
        back = step.undo.action if step.undo else None
        if isinstance(back, SsmAction | CommandAction):
            yield from _of_list(back, f"{where} undo", catalog, mutates=True)


def cloud_probe_errors(probe: Probe, where: str, catalog: Catalog) -> Iterator[Found]:
    """What is wrong with a probe of one of these kinds; nothing for all others."""
    yield from _of_target(probe, where, catalog)
    if isinstance(probe, AwsProbe):
        reading = aws_actions.READINGS.get(probe.reading)
        if reading is None:
            yield (where, f"there is no reading of AWS '{probe.reading}'")
        else:
            yield from _arguments(probe.reading, set(probe.arguments), reading.arguments, where)
    if isinstance(probe, K8sProbe):
        if probe.reading not in k8s_actions.READINGS:
            yield (where, f"there is no reading of clusters '{probe.reading}'")
        given = set(probe.arguments) - {"namespace"}
        yield from _arguments(probe.reading, given, ("deployment",), where)
    if isinstance(probe, CommandProbe):
        yield from _of_list(probe, where, catalog, mutates=False)


def _of_aws(step: Step, action: AwsAction, where: str) -> Iterator[Found]:
    spec = aws_actions.ACTIONS.get(action.action)
    if spec is None:
        yield (where, f"there is no action of AWS '{action.action}'")
        return
    yield from _arguments(action.action, set(action.arguments), spec.arguments, where)
    yield from _way_back(step, action, spec.undo, where)


def _of_k8s(step: Step, action: K8sAction, where: str) -> Iterator[Found]:
    given = set(action.arguments) - {"namespace"}
    if action.action in k8s_actions.LOOKS and not step.mutates:
        yield from _arguments(action.action, given, ("deployment",), where)
        return
    spec = k8s_actions.ACTIONS.get(action.action) if step.mutates else None
    if spec is None:
        what = "changes" if step.mutates else "looks"
        yield (where, f"there is no action of clusters '{action.action}' that {what}")
        return
    yield from _arguments(action.action, given, ("deployment", *spec.arguments), where)
    yield from _way_back(step, action, spec.undo, where)


def _way_back(
    step: Step, action: AwsAction | K8sAction, name: str | None, where: str
) -> Iterator[Found]:
    if not step.mutates:
        yield (where, f"'{action.action}' changes something: set mutates")
    back = step.undo.action if step.undo else None
    found = back.action if isinstance(back, AwsAction | K8sAction) else None
    if back is not None and found != name:
        yield (where, f"'{action.action}' is taken back by '{name or 'nothing'}', not by this undo")
    if back is None and name is not None:
        yield (where, f"'{action.action}' can be taken back: give the undo the action '{name}'")
    if isinstance(back, AwsAction | K8sAction) and back.arguments:
        yield (where, f"'{back.action}' works on what was done: it takes no arguments")


def _of_list(
    asked: SsmAction | CommandAction | CommandProbe,
    where: str,
    catalog: Catalog,
    *,
    mutates: bool,
) -> Iterator[Found]:
    """A document or a program must be on the list of every target that plays the role."""
    name = asked.document if isinstance(asked, SsmAction) else asked.argv[0]
    for player in _players(asked.target, catalog):
        target = catalog.targets[player]
        if isinstance(target, SsmTarget):
            known = target.documents.get(name)
        elif isinstance(target, CommandTarget):
            known = target.commands.get(name)  # type: ignore[assignment] # both say `mutates`
        else:
            continue
        if known is None:
            yield (where, f"the target '{player}' does not list '{name}': add it")
        elif known.mutates is not mutates:
            says = "changes something" if known.mutates else "only looks"
            yield (where, f"'{name}' of '{player}' {says}: mend 'mutates'")


def _arguments(name: str, given: set[str], known: Sequence[str], where: str) -> Iterator[Found]:
    for odd in sorted(given ^ set(known)):
        says = "takes no" if odd in given else "needs the"
        yield (where, f"'{name}' {says} argument '{odd}'")


def _of_target(asked: Action | Probe, where: str, catalog: Catalog) -> Iterator[Found]:
    kind = _KINDS.get(type(asked))
    if kind is None:
        return
    for player in _players(getattr(asked, "target", ""), catalog):
        if not isinstance(catalog.targets[player], kind):
            yield (where, f"the target '{player}' plays this role but is of another kind")


def _players(role: str, catalog: Catalog) -> list[str]:
    targets = (service.targets.get(role) for service in catalog.services.values())
    return sorted({target for target in targets if target is not None})
