"""The leak gate is attacked: whatever is planted in public text must be seen."""

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incident_squad.policy.leak_gate import leaks, normalise, redact
from tests.builders import a_catalog

CATALOG = a_catalog(
    people={
        "ada": {"name": "Ada Lovelace", "email": "ada@example.com"},
        "ben": {"name": "Benoît Müller", "email": "ben@example.com"},
        "vera": {"name": "Vera May", "email": "vera@example.com"},
    },
    services={
        "orders": {
            "public_name": {"en": "Orders", "fr": "Commandes"},
            "customers_use_it_to": {"en": "place orders", "fr": "passer commande"},
            "tier": "revenue",
            "owner": "orders-team",
            "aliases": ["ordersvc", "checkout"],
            "resources": ["blue-whale*", "arn:aws:rds:*:db:orders"],
            "targets": {"database": "orders-db"},
        },
        "ledger": {
            "public_name": {"en": "Invoices & Receipts 24"},
            "tier": "standard",
            "owner": "orders-team",
        },
    },
    policies={"secret_words": ["Project Nightjar"]},
)

INNOCENT = [
    "We are looking into a high number of failed requests.",
    "About 45% of requests are affected. Customers may see errors, slow pages or failed requests.",
    "Started: 2026-11-22 12:00 UTC. Updates: every 15 minutes. The next one is due by 12:15 UTC.",
    "Orders: customers use this service to place orders and to pay. SEV1, 99.95% of users.",
    "Invoices & Receipts 24 works again.",
    "Nous examinons un nombre élevé de requêtes en échec. Début : 22/11/2026 12:00 UTC.",
    "We have identified the cause: a shortage of capacity in one of our internal systems.",
    "A security certificate was renewed; sign-in and check-out work again, e.g. on the website.",
    "Incident INC-20261122-7F3KQ: our team is working on it. Customers may be unable to pay.",
    "If we find that customer data was accessed, we will inform the customers concerned directly.",
]

PRIVATE = [
    ("host", "prod-db-01"),
    ("host", "web-3"),
    ("host", "db01"),
    ("host", "ip-10-0-1-23"),
    ("host", "payment-api"),
    ("host", "payments-7f9c6d5b8-x2x9z"),
    ("host", "node1.eu.example.internal"),
    ("host", "shop.svc.cluster.local"),
    ("ip", "203.0.113.42"),
    ("ip", "10.0.0.0/8"),
    ("ip", "203[.]0[.]113[.]42"),
    ("ip", "203 . 0 . 113 . 42"),
    ("ip", "2001:db8::8a2e:370:7334"),
    ("ip", "fe80::1/64"),
    ("arn", "arn:aws:rds:eu-west-3:123456789012:db:orders"),
    ("region", "eu-west-3a"),
    ("number", "123456789012"),
    ("number", "4111 1111 1111 1111"),
    ("number", "FR76 3000 6000 0112 3456 7890 189"),
    ("host", "i-0abcd1234ef567890"),
    ("port", "port 5432"),
    ("port", "localhost:8080"),
    ("url", "https://grafana.example.com/d/1"),
    ("url", "postgres://app:hunter2@db/orders"),
    ("url", "hxxps://evil"),
    ("path", "/admin/users"),
    ("e-mail", "ada@example.com"),
    ("handle", "@ada"),
    ("handle", "#incidents"),
    ("person", "Ada Lovelace"),
    ("person", "benoit muller"),
    ("person", "Lovelace"),
    ("service", "ordersvc"),
    ("service", "ledger"),
    ("host", "blue-whale-west"),
    ("target", "orders-db"),
    ("team", "orders-team"),
    ("secret", "project nightjar"),
    ("secret", "AKIAIOSFODNN7EXAMPLE"),
    ("secret", "ghp_16C7e42F292c6912E7710c838347Ae178B4a"),
    ("secret", "xoxb-17653672481-19874698323"),
    ("secret", "sk-ant-api03-abcdefgh"),
    ("secret", "glpat-abcdefghij0123456789"),
    ("secret", "password=hunter2"),
    ("secret", "API key: abc123"),
    ("secret", "Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abcdef"),
    ("secret", "-----BEGIN RSA PRIVATE KEY-----"),
    ("token", "d41d8cd98f00b204e9800998ecf8427e"),
    ("uuid", "8cf72945-c2cc-4e16-8b15-59b165d29e96"),
    ("mac", "00:1b:44:11:3a:b7"),
    ("sql", "SELECT count(*) FROM orders"),
    ("sql", "delete from sessions"),
    ("identifier", "max_connections"),
    ("technology", "PostgreSQL"),
    ("technology", "Kubernetes"),
    ("technology", "the WAF"),
    ("technology", "CrashLoopBackOff"),
    ("technology", "OOMKilled"),
    ("technology", "target group"),
    ("technology", "CVE"),
    ("stack trace", "Traceback (most recent call last)"),
    ("stack trace", "NullPointerException"),
    ("stack trace", "at com.shop.Pay.run(Pay.java:42)"),
    ("internal", "500 errors"),
    ("internal", "exit code 137"),
    ("blame", "a human error"),
    ("blame", "one of our engineers"),
    ("blame", "our database developer"),
    ("blame", "a mistake by the vendor"),
    ("blame", "une erreur humaine"),
    ("blame", "à cause de notre prestataire"),
    ("blame", "un développeur"),
    ("blame", "caused by the platform team"),
]


@pytest.mark.parametrize("text", INNOCENT)
def test_plain_words_for_customers_pass(text: str) -> None:
    assert leaks(text, CATALOG) == []


@pytest.mark.parametrize(("kind", "planted"), PRIVATE)
def test_a_private_passage_is_seen_and_named(kind: str, planted: str) -> None:
    found = leaks(f"We are looking into {planted} and will tell you more.", CATALOG)
    assert kind in {leak.kind for leak in found}, found


@pytest.mark.parametrize(("kind", "planted"), PRIVATE)
@pytest.mark.parametrize("invisible", ["\u200b", "\u2060", "\u00ad", "\u0301"])
def test_invisible_characters_hide_nothing(kind: str, planted: str, invisible: str) -> None:
    middle = len(planted) // 2
    text = f"We are looking into {planted[:middle]}{invisible}{planted[middle:]} now."
    assert kind in {leak.kind for leak in leaks(text, CATALOG)}


def test_full_width_and_look_alike_letters_hide_nothing() -> None:
    assert leaks("see ２０３．０．１１３．４２", CATALOG)  # noqa: RUF001 - the very point
    assert leaks("it is Роstgrеs again", CATALOG)  # noqa: RUF001 - the very point
    assert leaks("at prod‑db‑01", CATALOG)  # noqa: RUF001 - the very point


def test_public_names_are_allowed_only_as_they_stand() -> None:
    assert leaks("Invoices & Receipts 24 is slow.", CATALOG) == []
    assert leaks("Orders is slow.", CATALOG) == []
    assert leaks("orders-01 is slow.", CATALOG)
    assert leaks("orders.example.com is slow.", CATALOG)


def test_a_name_that_customers_use_anyway_is_no_leak() -> None:
    assert leaks("Customers may be unable to check out at the checkout.", CATALOG) == []


def test_names_of_the_alert_are_private_too() -> None:
    assert leaks("Falcon is slow.", CATALOG) == []
    assert leaks("Falcon is slow.", CATALOG, ("falcon",))[0].kind == "alert"
    assert leaks("Payments are slow.", CATALOG, ("payments",)) == []


def test_addresses_and_fields_of_targets_are_private() -> None:
    target = {
        "kind": "http",
        "base_url": "http://falcon",
        "operations": {"drain": {"method": "POST", "path": "/drain"}},
        "fields": {"pool": "blue heron", "shard": 7},
    }
    catalog = a_catalog(targets={"orders-db": target})
    assert leaks("Falcon is slow.", catalog)[0].kind == "target"
    assert leaks("The blue heron is slow.", catalog)
    assert leaks("All 7 of them.", catalog) == []


def test_colleagues_see_hosts_but_no_secrets() -> None:
    text = "prod-db-01 203.0.113.42 500/500 password=hunter2 AKIAIOSFODNN7EXAMPLE Project Nightjar"
    shown = redact(text, CATALOG)
    assert "prod-db-01 203.0.113.42 500/500" in shown
    for secret in ("hunter2", "AKIAIOSFODNN7EXAMPLE", "Nightjar"):
        assert secret not in shown


def test_a_password_in_a_connection_string_is_redacted() -> None:
    assert redact("postgres://app:hunter2@db-1/orders") == "postgres://[redacted]@db-1/orders"


ALPHANUMERIC = string.ascii_letters + string.digits
LOWER = string.ascii_lowercase
WORD = st.text(LOWER, min_size=2, max_size=8)
NUMBER = st.integers(0, 255)
HEX = st.text("0123456789abcdef", min_size=8, max_size=40).filter(
    lambda text: not text.isdigit() and not text.isalpha()
)
PLANTED = st.one_of(
    st.builds("{}-{}-{:02d}".format, WORD, WORD, st.integers(0, 99)).filter(
        lambda name: not name.startswith(("inc-", "sev-", "covid-"))
    ),
    st.builds("{}.{}.{}.{}".format, NUMBER, NUMBER, NUMBER, NUMBER),
    st.ip_addresses(v=6).map(str),
    st.builds("{}.{}.internal".format, WORD, WORD),
    st.builds("arn:aws:{}:eu-west-3:{}:{}".format, WORD, st.integers(10**11, 10**12 - 1), WORD),
    st.builds("i-{}".format, st.text("0123456789abcdef", min_size=17, max_size=17)),
    st.builds(
        "AKIA{}".format, st.text(string.ascii_uppercase + "234567", min_size=16, max_size=16)
    ),
    st.builds("ghp_{}".format, st.text(ALPHANUMERIC, min_size=36, max_size=36)),
    st.builds("xoxb-{}-{}".format, st.integers(10**10, 10**11), HEX),
    st.builds("sk-ant-{}".format, st.text(ALPHANUMERIC, min_size=20, max_size=40)),
    st.builds("{}@{}.com".format, WORD, WORD),
    st.builds("https://{}.com/{}".format, WORD, WORD),
    st.builds("password: {}".format, st.text(ALPHANUMERIC, min_size=6, max_size=20)),
    st.builds("SELECT {} FROM {}".format, WORD, WORD),
    st.builds("{}_{}".format, WORD, WORD),
    st.builds("{:012d}".format, st.integers(10**11, 10**12 - 1)),
    st.builds("{}:{}".format, WORD, st.integers(1024, 65535)),
    HEX,
    st.uuids().map(str),
)
NOISE = st.sampled_from(["", "\u200b", "\u200d", "\ufeff", "\u2063"])


@settings(max_examples=500, deadline=None)
@given(planted=PLANTED, sentence=st.sampled_from(INNOCENT), noise=NOISE, place=st.integers(0, 40))
def test_planted_identifiers_never_pass(
    planted: str, sentence: str, noise: str, place: int
) -> None:
    place = min(place, len(planted))
    assert leaks(f"{sentence} ({planted[:place]}{noise}{planted[place:]}) More soon.", CATALOG)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=300))
def test_no_text_breaks_the_gate(text: str) -> None:
    leaks(text, CATALOG)
    assert normalise(normalise(text)) == normalise(text)
