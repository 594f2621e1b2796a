"""Cloud ids and addresses as parameters: what an alert may say, and what gets through."""

import json
from typing import Any

import pytest

from incident_squad.domain.catalog import Catalog
from incident_squad.domain.errors import InvalidParameter
from incident_squad.domain.runbook import Step
from incident_squad.policy.parameters import resolve, validate
from tests.builders import a_catalog, an_alert

KEY = "AKIAIOSFODNN7EXAMPLE"
INSTANCE = "i-0123456789abcdef0"


def a_step(kind: str, source: str | None = None) -> Step:
    parameter = {"type": kind, "description": "x", **({"source": source} if source else {})}
    return Step.model_validate(
        {
            "title": "Act",
            "command": "act",
            "parameters": {"it": parameter},
            "action": {"kind": "aws", "target": "x", "action": "x", "arguments": {"it": "$it"}},
        }
    )


def from_alert(kind: str, text: str, **policies: Any) -> Any:
    catalog = a_catalog()
    if policies:
        content = catalog.model_dump(mode="json", exclude_unset=True)
        content["policies"] = {**content.get("policies", {}), **policies}
        catalog = Catalog.model_validate(content)
    step = a_step(kind, f"alert.{kind}")
    return resolve(step, an_alert(description=text), catalog, "orders", {})["it"]


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("access_key", f"Key {KEY} of deploy-bot was pushed to a public repository.", KEY),
        ("access_key", json.dumps({"accessKeyId": KEY}), KEY),
        ("instance", f"GuardDuty: {INSTANCE} talks to a mining pool", INSTANCE),
        ("instance", f"arn:aws:ec2:eu-west-1:1:instance/{INSTANCE} (web)", INSTANCE),
        ("ip", "150 failed logins from 203.0.113.42 within 5 minutes", "203.0.113.42"),
    ],
)
def test_ids_are_taken_from_the_alert_when_they_stand_alone(
    kind: str, text: str, value: str
) -> None:
    assert from_alert(kind, text) == value


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("access_key", f"x{KEY}"),
        ("access_key", f"{KEY}x"),
        ("access_key", KEY.lower()),
        ("access_key", "ASIAIOSFODNN7EXAMPLE"),
        ("access_key", f"{KEY} and AKIAIOSFODNN7EXAMPLF"),
        ("instance", "i-0123456789abcdef"),
        ("instance", f"mi-{INSTANCE}"),
        ("instance", f"{INSTANCE}-old"),
        ("instance", f"{INSTANCE}, i-0123456789abcdef1"),
        ("ip", "10.0.0.1 and 192.168.1.1"),
    ],
)
def test_what_is_no_id_or_not_the_only_one_is_refused(kind: str, text: str) -> None:
    with pytest.raises(InvalidParameter):
        from_alert(kind, text)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "*",
        f"{KEY}\n",
        f"{KEY}; drop table",
        f"{KEY}' OR '1'='1",
        f"$({KEY})",
        f"../{KEY}",
        f"{KEY}\r\nX-Header: 1",
        f"{KEY}\u200b",
        "\uff21KIAIOSFODNN7EXAMPLE",
        7,
        None,
        [KEY],
        {"": KEY},
        "i-*",
        f"{INSTANCE} {INSTANCE}",
        f"{INSTANCE}\x00",
    ],
)
@pytest.mark.parametrize("kind", ["access_key", "instance", "ip", "hostname"])
def test_hostile_values_do_not_get_through(kind: str, value: object) -> None:
    with pytest.raises(InvalidParameter):
        validate(a_step(kind), {"it": value})


def test_a_choice_cannot_leave_what_the_alert_names() -> None:
    alert, step = an_alert(description=f"{KEY} leaked"), a_step("access_key", "alert.access_key")
    other = "AKIAIOSFODNN7EXAMPLF"
    with pytest.raises(InvalidParameter, match="must come from"):
        resolve(step, alert, a_catalog(), "orders", {"it": other})


@pytest.mark.parametrize("network", ["203.0.113.42", "203.0.113.0/24", "0.0.0.0/0"])
def test_protected_networks_are_refused_before_anything_is_planned(network: str) -> None:
    text = "150 failed logins from 203.0.113.42"
    with pytest.raises(InvalidParameter, match="never blocked"):
        from_alert("ip", text, never_block=[network])
    assert from_alert("ip", text, never_block=["198.51.100.0/24"]) == "203.0.113.42"


def test_a_catalogue_with_a_wrong_network_is_refused() -> None:
    content = a_catalog().model_dump(mode="json", exclude_unset=True)
    content["policies"] = {"never_block": ["10.0.0.0/33"]}
    with pytest.raises(ValueError, match="never_block"):
        Catalog.model_validate(content)
