"""Examines the roles of a deployed squad: may they do what the targets ask for, and no more?"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError

from incident_squad.adapters.aws_actions.calls import look
from incident_squad.adapters.aws_actions.place import Clients
from incident_squad.domain.catalog import Catalog
from incident_squad.domain.errors import SquadError
from infra.functions import May
from infra.local.doctor.finding import Found, good, mend, note
from infra.target_grants import Resource, TargetGrant, target_grants

ACTS, LOOKS = "remediate", "synthesize"
"""Functions that stand for those who act and for those who look."""


@dataclass(frozen=True)
class Roles:
    """The two roles of a deployed stack, and how IAM is asked about them."""

    arns: dict[str, str]
    region: str
    account: str
    simulate: Callable[..., Any]

    @classmethod
    def of(cls, stack: str, clients: Clients) -> "Roles":
        """Find them; raises TargetUnavailable and botocore's errors."""
        functions = clients("lambda", None)
        arns = {
            name: look(
                f"reading the function {stack}-{name}",
                functions.get_function_configuration,
                FunctionName=f"{stack}-{name}",
            )["Role"]
            for name in (ACTS, LOOKS)
        }
        region, account = functions.meta.region_name, arns[ACTS].split(":")[4]
        return cls(arns, region, account, clients("iam", None).simulate_principal_policy)

    def allowed(self, role: str, grant: TargetGrant) -> dict[str, bool]:
        """Whether a role is allowed each action on all of the grant's resources."""
        answer = look(
            "asking IAM what a role may do",
            self.simulate,
            PolicySourceArn=self.arns[role],
            ActionNames=list(grant.actions),
            ResourceArns=[self._arn(resource) for resource in grant.resources],
        )
        found: dict[str, bool] = {}
        for one in answer["EvaluationResults"]:
            yes = one["EvalDecision"] == "allowed"
            found[one["EvalActionName"]] = found.get(one["EvalActionName"], True) and yes
        return found

    def _arn(self, resource: Resource) -> str:
        if not resource.service:
            return "*"
        region = self.region if resource.region is None else resource.region
        account = self.account if resource.account else ""
        name = resource.name.replace("*", "any")
        return f"arn:aws:{resource.service}:{region}:{account}:{name}"


def examine_roles(name: str, catalog: Catalog, roles: Roles) -> Iterator[Found]:
    """Too little and too much, for what one target asks."""
    own = catalog.model_copy(update={"targets": {name: catalog.targets[name]}})
    try:
        wrong = [said for grant in target_grants(own) for said in _wrong(grant, roles)]
    except (SquadError, BotoCoreError) as error:
        yield note(name, f"could not check the roles: {error}")
        return
    yield from (mend(name, said) for said in wrong)
    if not wrong:
        yield good(name, "the deployed roles have the rights that it needs, no more")


def _wrong(grant: TargetGrant, roles: Roles) -> Iterator[str]:
    for action, may in roles.allowed(ACTS, grant).items():
        if not may:
            yield f"the role of {ACTS} may not {action} there: deploy with -c config=FILE"
    for action, may in roles.allowed(LOOKS, grant).items():
        if may and grant.may is May.ACT:
            yield f"the role of {LOOKS} may {action} there, though it only looks: take it away"
        if not may and grant.may is May.LOOK:
            yield f"the role of {LOOKS} may not {action} there: deploy with -c config=FILE"
