from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_squad.domain.alert import Alert, Source
from incident_squad.domain.catalog import (
    Catalog,
    HttpOperation,
    HttpTarget,
    Person,
    PostgresTarget,
    Service,
    Team,
    Tier,
)
from incident_squad.domain.errors import InvalidParameter
from incident_squad.domain.runbook import (
    HttpAction,
    NoteAction,
    Parameter,
    ParameterValue,
    SqlAction,
    Step,
)
from incident_squad.policy.mentions import hosts_in, public_addresses_in
from incident_squad.policy.parameters import fill, names_for_sql, resolve, validate
from incident_squad.policy.typed import typed

CATALOG = Catalog(
    company="Example",
    people={"ann": Person(name="Ann", email="ann@example.com")},
    teams={"payments": Team(name="Payments", on_call=("ann",))},
    vp_engineering="ann",
    services={
        "payment-api": Service(
            public_name={"en": "Payments"},
            tier=Tier.REVENUE,
            owner="payments",
            targets={"database": "payments-db"},
        )
    },
    targets={
        "payments-db": PostgresTarget(kind="postgresql", reader="r", fields={"stuck_after": 300}),
        "hooks": HttpTarget(
            kind="http",
            base_url="http://127.0.0.1",
            operations={"status": HttpOperation(method="GET", path="/")},
        ),
    },
)


def an_alert(title: str = "something", **fields: object) -> Alert:
    needed = {"source": Source.GENERIC, "key": "k", "received_at": datetime.now(UTC)}
    return Alert.model_validate({**needed, "title": title, **fields})


def a_parameter(type_: str, **fields: object) -> Parameter:
    return Parameter.model_validate({"type": type_, "description": "it", **fields})


def a_step(**parameters: Parameter) -> Step:
    return Step(
        title="look",
        command="look",
        action=SqlAction(kind="sql", target="database", apply="SELECT 1"),
        parameters=parameters,
    )


def resolved(step: Step, alert: Alert | None = None, **choices: object) -> dict[str, Any]:
    return resolve(step, alert or an_alert(), CATALOG, "payment-api", choices)


IP = a_parameter("ip", source="alert.ip")
HOST = a_parameter("hostname", source="alert.host")


def test_the_one_public_address_of_the_alert_is_found() -> None:
    alert = an_alert("150 logins from IP 203.0.113.42.", labels={"instance": "10.1.2.3:9100"})
    assert resolved(a_step(ip=IP), alert) == {"ip": "203.0.113.42"}


def test_two_public_addresses_are_ambiguous_until_somebody_chooses_one() -> None:
    alert = an_alert("from 203.0.113.42 and 198.51.100.7")
    with pytest.raises(InvalidParameter, match="'ip' is ambiguous"):
        resolved(a_step(ip=IP), alert)
    assert resolved(a_step(ip=IP), alert, ip="198.51.100.7") == {"ip": "198.51.100.7"}


def test_an_address_that_the_alert_does_not_name_cannot_be_chosen() -> None:
    with pytest.raises(InvalidParameter, match=r"'ip' must come from alert\.ip"):
        resolved(a_step(ip=IP), an_alert("from 203.0.113.42"), ip="198.51.100.7")


@pytest.mark.parametrize(
    "text",
    [
        "10.0.0.1",
        "127.0.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "224.0.0.1",
        "0.0.0.0",  # noqa: S104 - it is to be refused
        "203.0.113.0/24",
        "203.0.113.4\u200b2",
        "203.0.113.4\uff12",
        "203.0.113.4\u06f2",
        "203.0.113.42.7",
        "nginx/1.25.3.1",
        "v8.8.8.8",
        "::ffff:0a00:1",
        "fd00::1",
        "fe80::1",
        "64:ff9b::0a00:1",
        "08.8.8.8",
        "8.8.8.8.example.com",
    ],
)
def test_what_is_no_public_address_is_not_picked(text: str) -> None:
    assert public_addresses_in(an_alert(f"traffic from {text} seen")) == ()


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("(203.0.113.42)", "203.0.113.42"),
        ("203.0.113.42:443", "203.0.113.42"),
        ("https://203.0.113.42/x", "203.0.113.42"),
        ("\u00ab\u00a0203.0.113.42\u00a0\u00bb", "203.0.113.42"),
        ("ip=203.0.113.42, again 203.0.113.42", "203.0.113.42"),
        ("2001:0db8:0::7: blocked", "2001:db8::7"),
        ("2606:4700::1111", "2606:4700::1111"),
    ],
)
def test_addresses_are_found_in_the_ways_that_people_write_them(text: str, address: str) -> None:
    assert public_addresses_in(an_alert(f"traffic from {text}")) == (address,)


@pytest.mark.parametrize(
    ("fields", "host"),
    [
        ({"labels": {"instance": "https://pay.example.com:8443/health"}}, "pay.example.com"),
        ({"labels": {"host": "Web-1", "instance": "exporter:9115"}}, "web-1"),
        ({"resource": "prod-db-01"}, "prod-db-01"),
        ({"description": "The certificate of pay.example.com expires."}, "pay.example.com"),
    ],
)
def test_the_host_comes_from_where_sources_put_it(fields: dict[str, Any], host: str) -> None:
    assert resolved(a_step(host=HOST), an_alert(**fields)) == {"host": host}


@pytest.mark.parametrize("host", ["-oProxyCommand=x", "a b", "127.0.0.1", "x..y", "localhost"])
def test_odd_hosts_are_not_picked(host: str) -> None:
    assert hosts_in(an_alert(labels={"host": host})) == ()


def test_the_service_and_fields_of_its_target_come_from_the_catalogue() -> None:
    step = a_step(
        service=a_parameter("string", pattern="[a-z-]+", source="service"),
        seconds=a_parameter("integer", min=1, max=600, source="target.stuck_after"),
    )
    assert resolved(step) == {"service": "payment-api", "seconds": 300}
    with pytest.raises(InvalidParameter, match="'service'"):
        resolve(step, an_alert(), CATALOG, "unheard-of", {})


def test_a_step_without_a_target_has_no_fields() -> None:
    step = Step(
        title="note",
        command="note",
        action=NoteAction(kind="note", text="x"),
        parameters={"n": a_parameter("integer", min=1, max=2, source="target.n")},
    )
    with pytest.raises(InvalidParameter, match="'n' has no value"):
        resolved(step)


def test_the_default_stands_when_nothing_else_is_known() -> None:
    step = a_step(
        limit=a_parameter("integer", min=1, max=9, default=4),
        ip=a_parameter("ip", source="alert.ip", default="198.51.100.1"),
    )
    assert resolved(step) == {"limit": 4, "ip": "198.51.100.1"}
    assert resolved(a_step(limit=step.parameters["limit"]), limit=5) == {"limit": 5}


def test_a_default_out_of_bounds_is_refused_too() -> None:
    with pytest.raises(InvalidParameter, match="'limit' must be from"):
        resolved(a_step(limit=a_parameter("integer", min=1, max=9, default=10)))


def test_a_value_that_somebody_must_give_is_asked_for() -> None:
    with pytest.raises(InvalidParameter, match="'user' has no value: somebody must give it"):
        resolved(a_step(user=a_parameter("email")))


def test_a_parameter_that_the_step_does_not_have_is_refused() -> None:
    with pytest.raises(InvalidParameter, match="'sql' is not a parameter"):
        resolved(a_step(), sql="DROP TABLE payments")


def test_an_unknown_source_is_refused() -> None:
    with pytest.raises(InvalidParameter, match=r"alert\.text"):
        resolved(a_step(ip=a_parameter("ip", source="alert.text")))


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        (a_parameter("integer", min=1, max=9), True),
        (a_parameter("integer", min=1, max=9), 5.0),
        (a_parameter("integer", min=1, max=9), "5"),
        (a_parameter("integer", min=1, max=9), 10**400),
        (a_parameter("number", min=0, max=9), float("nan")),
        (a_parameter("number", min=0, max=9), float("inf")),
        (a_parameter("number", min=0, max=9), False),
        (a_parameter("boolean"), 1),
        (a_parameter("boolean"), "true"),
        (a_parameter("string", pattern="[a-z]+$"), "abc\n"),
        (a_parameter("string", pattern=r"\w+"), "\u0430bc"),
        (a_parameter("string", pattern=".*"), "a\u202eb"),
        (a_parameter("string", pattern=".*"), "a" * 2001),
        (a_parameter("string", pattern=".*"), ""),
        (a_parameter("string", pattern=".*"), None),
        (a_parameter("string", choices=("blue", "green")), "red"),
        (a_parameter("ip"), "10.0.0.1"),
        (a_parameter("ip"), "8.8.8.8 "),
        (a_parameter("ip"), "fe80::1%eth0"),
        (a_parameter("ip"), 134744072),
        (a_parameter("email"), "ann@example.com\nBcc: x@example.com"),
        (a_parameter("email"), "-f@example.com"),
        (a_parameter("email"), "ann@127.0.0.1"),
        (a_parameter("hostname"), "0x7f000001"),
        (a_parameter("hostname"), "2130706433"),
        (a_parameter("hostname"), "pay\u2024example"),
        (a_parameter("hostname"), "a;rm"),
        (a_parameter("hostname"), "a" * 64),
        (a_parameter("url"), "http://example.com/"),
        (a_parameter("url"), "https://user@example.com/"),
        (a_parameter("url"), "https://127.0.0.1/"),
        (a_parameter("url"), "https://[::1]/"),
        (a_parameter("url"), "https://example.com:99999/"),
        (a_parameter("url"), "https://example.com:0/"),
        (a_parameter("url"), "https://example.com\\@evil.example/"),
        (a_parameter("url"), "file:///etc/passwd"),
        (a_parameter("url"), "https:///x"),
    ],
)
def test_wrong_values_are_refused_by_name(parameter: Parameter, value: object) -> None:
    with pytest.raises(InvalidParameter, match=r"^'thing' "):
        typed("thing", parameter, value)


@pytest.mark.parametrize(
    ("parameter", "value", "kept"),
    [
        (a_parameter("integer", min=1, max=9), 9, 9),
        (a_parameter("number", min=0, max=9), 0.5, 0.5),
        (a_parameter("boolean"), False, False),
        (a_parameter("string", pattern="[a-z]+"), "abc", "abc"),
        (a_parameter("string", choices=("blue", "green")), "blue", "blue"),
        (a_parameter("ip"), "2001:DB8:0::1", "2001:db8::1"),
        (a_parameter("email"), "Ann.B+x@Example.com", "Ann.B+x@example.com"),
        (a_parameter("hostname"), "Pay.Example.com", "pay.example.com"),
        (a_parameter("url"), "https://example.com:8443/a?b=c", "https://example.com:8443/a?b=c"),
        (a_parameter("url"), "https://203.0.113.9/", "https://203.0.113.9/"),
    ],
)
def test_right_values_pass(parameter: Parameter, value: object, kept: object) -> None:
    assert typed("thing", parameter, value) == kept


ANYTHING = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary(),
    st.lists(st.text()), st.dictionaries(st.text(), st.text()),
)  # fmt: skip
TYPES: dict[str, tuple[Parameter, type | tuple[type, ...]]] = {
    "integer": (a_parameter("integer", min=-50, max=50), int),
    "number": (a_parameter("number", min=-50, max=50), (int, float)),
    "boolean": (a_parameter("boolean"), bool),
    "string": (a_parameter("string", pattern="[a-z0-9 ;'-]{1,20}"), str),
    "ip": (a_parameter("ip"), str),
    "email": (a_parameter("email"), str),
    "hostname": (a_parameter("hostname"), str),
    "url": (a_parameter("url"), str),
}


@given(st.sampled_from(sorted(TYPES)), ANYTHING)
def test_nothing_that_is_not_typed_gets_through(kind: str, value: object) -> None:
    parameter, type_ = TYPES[kind]
    try:
        passed = typed("thing", parameter, value)
    except InvalidParameter:
        return
    assert isinstance(passed, type_)
    assert isinstance(passed, bool) == (kind == "boolean")
    if isinstance(passed, str):
        assert passed.isascii()
        assert passed.isprintable()
    elif kind != "boolean":
        assert -50 <= passed <= 50


@given(st.text(alphabet="0123456789.:abf/ \u200b\uff11-", max_size=60))
def test_every_address_that_is_picked_is_public_and_typed(text: str) -> None:
    for address in public_addresses_in(an_alert(text or "x")):
        assert typed("ip", a_parameter("ip"), address) == address


def test_stored_values_are_checked_again() -> None:
    step = a_step(limit=a_parameter("integer", min=1, max=9))
    assert validate(step, {"limit": 3}) == {"limit": 3}
    for wrong in ({"limit": 99}, {}, {"limit": 3, "more": 1}):
        with pytest.raises(InvalidParameter):
            validate(step, wrong)


ROWS = [{"pid": "7", "release": "r41"}, {"pid": "9", "release": "r41"}]


def test_only_whole_values_are_references() -> None:
    assert fill("$limit", {"limit": 3}) == 3
    assert fill("$preview.pid", {}, ROWS) == ["7", "9"]
    assert fill("$result.id", {}, (), {"id": {"a": 1}}) == {"a": 1}
    for literal in ("costs $limit", "$limit ", "$$limit", "$", "$preview.pid; DROP", 5, True):
        assert fill(literal, {"limit": 3}, ROWS) == literal


@pytest.mark.parametrize("reference", ["$unknown", "$preview.nothing", "$result.nothing"])
def test_a_reference_to_nothing_is_refused(reference: str) -> None:
    with pytest.raises(InvalidParameter):
        fill(reference, {"limit": 3}, ROWS, {})
    with pytest.raises(InvalidParameter):
        fill(reference, {})


@given(st.text(), st.dictionaries(st.text(), st.integers()))
def test_what_a_reference_gives_is_never_read_again(name: str, more: dict[str, int]) -> None:
    parameters: dict[str, ParameterValue] = {**more, "x": f"$x{name}"}
    assert fill("$x", parameters) == f"$x{name}"


def test_sql_names_keep_the_three_spaces_apart() -> None:
    named = names_for_sql({"limit": 3}, ROWS, {"done": 2})
    assert named == {
        "limit": 3,
        "preview_pid": ["7", "9"],
        "preview_release": ["r41", "r41"],
        "result_done": 2,
    }
    assert names_for_sql({}, [{"a": "1"}, {"b": "2"}]) == {}


def test_an_http_action_has_a_target_too() -> None:
    step = Step(
        title="roll back",
        command="POST",
        action=HttpAction(kind="http", target="deployer", operation="status"),
        parameters={"n": a_parameter("integer", min=1, max=2, source="target.n", default=1)},
    )
    assert resolved(step) == {"n": 1}
