"""Nothing secret or personal leaves for a model, in whatever form it comes."""

import base64
import json
import random
import string
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from incident_squad.agents.prompt_files import FOLDER
from incident_squad.agents.redaction import GONE, redacted, redacted_row, safe_to_send
from incident_squad.domain.model import Effort, ModelRequest

_LETTERS = string.ascii_letters + string.digits
Make = Callable[[random.Random], tuple[str, str]]


def _token(chance: random.Random, length: int, of: str = _LETTERS) -> str:
    body = "".join(chance.choice(of) for _ in range(length - 2))
    return f"{body}a7"


def _named(name: str, form: str) -> Make:
    def make(chance: random.Random) -> tuple[str, str]:
        secret = _token(chance, chance.randint(8, 24))
        return secret, form.format(name=name, secret=secret)

    return make


def _shaped(prefix: str, length: int, of: str = _LETTERS) -> Make:
    def make(chance: random.Random) -> tuple[str, str]:
        secret = prefix + _token(chance, length, of)
        return secret, f"connection refused after {secret} was tried"

    return make


def _inside(form: str, length: int = 12) -> Make:
    def make(chance: random.Random) -> tuple[str, str]:
        secret = _token(chance, length)
        return secret, form.format(secret=secret)

    return make


def _jwt(chance: random.Random) -> tuple[str, str]:
    parts = [
        base64.urlsafe_b64encode(_token(chance, 30).encode()).decode().rstrip("=") for _ in "123"
    ]
    secret = f"eyJ{'.'.join(parts)}"
    return secret, f"rejected: {secret}"


def _key_block(chance: random.Random) -> tuple[str, str]:
    body = "\n".join(_token(chance, 64) for _ in range(3))
    return body, f"-----BEGIN RSA PRIVATE KEY-----\n{body}\n-----END RSA PRIVATE KEY-----"


def _e_mail(chance: random.Random) -> tuple[str, str]:
    secret = f"{_token(chance, 9).lower()}@mail.example.org"
    return secret, f"failed login of {secret} twice"


def _card(chance: random.Random) -> tuple[str, str]:
    secret = " ".join(str(chance.randint(1000, 9999)) for _ in range(4))
    return secret, f"declined: {secret}"


def _phone(chance: random.Random) -> tuple[str, str]:
    secret = f"+33 6 {chance.randint(10, 99)} {chance.randint(10, 99)} {chance.randint(10, 99)} 12"
    return secret, f"call {secret} at once"


def _iban(chance: random.Random) -> tuple[str, str]:
    secret = f"FR76 {chance.randint(1000, 9999)} {chance.randint(1000, 9999)} 0000 1234 5678 901"
    return secret, f"transfer from {secret} failed"


_FORMS = (
    "{name}={secret}", "{name}: {secret}", '"{name}": "{secret}"', "{name} = '{secret}'",
    "env DB_{name}={secret} was set", "<{name}>{secret}</{name}>", "--{name}={secret}",
    "--{name} {secret} --verbose", "the {name} is {secret}, says the log", "{name} := {secret}",
)  # fmt: skip
_NAMES = ("password", "api_key", "secret", "token", "access_key", "PASSWD", "client_secret")
MAKERS: tuple[Make, ...] = (
    *(_named(name, form) for name in _NAMES for form in _FORMS),
    _shaped("AKIA", 16, string.ascii_uppercase + string.digits), _shaped("ghp_", 36),
    _shaped("github_pat_", 40), _shaped("glpat-", 20), _shaped("xoxb-", 40),
    _shaped("sk_live_", 24),
    _shaped("sk-ant-api03-", 60), _shaped("AIza", 35), _shaped("ya29.", 60), _shaped("npm_", 36),
    _shaped("SG.abcdefgh12.", 40), _shaped("hvs.", 24), _shaped("pypi-", 60), _shaped("", 40),
    _shaped("", 32, "0123456789abcdef"), _shaped("", 64, "0123456789abcdef"),
    _shaped("dapi", 32, "0123456789abcdef"),
    _inside("postgresql://app:{secret}@db-01.internal:5432/payments"),
    _inside("redis://:{secret}@cache-01:6379/0"),
    _inside("https://user:{secret}@registry.example/v2"),
    _inside("Authorization: Bearer {secret}", 30), _inside("authorization: Basic {secret}", 20),
    _inside("GET /export?token={secret}&page=2"), _inside("Cookie: sid={secret}; lang=en", 26),
    _inside("https://hooks.slack.com/services/T0AAA/B0BBB/{secret}", 24),
    _inside("curl -H 'X-Api-Key: {secret}' https://api.example"),
    _inside("AccountKey={secret};EndpointSuffix=core", 44),
    _inside("aws_secret_access_key = {secret}", 40), _inside("le mot de passe est {secret}", 10),
    _inside('{{"labels": {{"db_password": "{secret}"}}}}', 14),
    _inside("password:\n  {secret}", 12),
    _jwt, _key_block, _e_mail, _card, _phone, _iban,
)  # fmt: skip


def planted(count: int) -> list[tuple[str, str]]:
    """Secrets and the lines that they stand in, the same on every run."""
    chance = random.Random(20261122)  # noqa: S311 - not for secrets that matter
    return [MAKERS[n % len(MAKERS)](chance) for n in range(count)]


@pytest.mark.parametrize("number", range(len(MAKERS)))
def test_every_form_of_secret_is_taken_out(number: int) -> None:
    chance = random.Random(number)  # noqa: S311 - not for secrets that matter
    for _ in range(5):
        secret, line = MAKERS[number](chance)
        text = redacted(f"Pool exhausted on db-01.\n{line}\n500/500 connections")
        assert secret not in text, line
        assert "500/500 connections" in text
        assert GONE in text


@pytest.mark.parametrize(
    "text",
    [
        "PostgreSQL connection pool exhausted on prod-db-01. Active connections: 500/500.",
        "Error rate spike: 45% of requests returning 500. Started: 2 minutes ago.",
        "150 failed login attempts from IP 203.0.113.42 in 5 minutes targeting admin endpoints.",
        "Pod checkout-7d9f8b6c5-x2x4z restarted 12 times, last exit code 137 (OOMKilled)",
        "replication lag is 340 s on replica-2, sessions: 480, waiting: 17",
        "SELECT count(*) FROM pg_stat_activity WHERE state != 'idle'",
        "started 2026-11-22T12:00:00.000Z, certificate of shop.example ends 2026-12-01",
        "avg:system.cpu.user{service:api} last_15m was 97.5",
        "https://runbooks.example/db-connection-pool#kill",
    ],
)
def test_what_a_diagnosis_is_about_stays(text: str) -> None:
    assert redacted(text) == text


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.md")), ids=lambda path: path.stem)
def test_our_own_prompts_are_not_mistaken_for_secrets(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert redacted(text) == text


def test_what_stands_under_a_secrets_name_is_one() -> None:
    row = redacted_row({"usename": "app", "passwd": "short", "api-key": "x1", "count": 3})
    assert row == {"usename": "app", "passwd": GONE, "api-key": GONE, "count": "3"}


@pytest.mark.parametrize(
    "evil", ["password", "x.y-", "A1", "://", "a@", "token is ", '"', "1 ", "<a>", "a-b_c ", "=:"]
)
def test_no_text_makes_it_slow(evil: str) -> None:
    began = time.monotonic()
    redacted(evil * (20_000 // len(evil)))
    assert time.monotonic() - began < 2


def test_the_operators_own_words_are_taken_out() -> None:
    assert redacted("Project Nightjar fails", ("nightjar",)) == f"Project {GONE} fails"


def test_a_request_is_gone_over_everywhere_but_where_the_wire_needs_it() -> None:
    identity = "toolu_01A2b3C4d5E6f7G8h9I0j1"
    request = ModelRequest(
        agent="router",
        model="claude-haiku-5-5",
        effort=Effort.LOW,
        system="password: hunter22",
        messages=(
            {"role": "assistant", "content": [
                {"type": "tool_use", "id": identity, "name": "look",
                 "input": {"q": "token=abc12345"}},
            ]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": identity, "content": "secret: abc12345"},
            ]},
        ),
        max_tokens=10,
    )  # fmt: skip
    sent = json.dumps(safe_to_send(request).model_dump(mode="json"))
    assert "hunter22" not in sent
    assert "abc12345" not in sent
    assert sent.count(identity) == 2
