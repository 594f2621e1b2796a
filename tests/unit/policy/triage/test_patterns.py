import pytest

from incident_squad.policy.triage.knowledge import knowledge
from incident_squad.policy.triage.patterns import Matcher, compile_all, compile_pattern
from incident_squad.policy.triage.reading import read
from tests.builders import an_alert


def weight(pattern: str, text: str, about: str | None = None) -> float | None:
    vocabulary = knowledge().vocabulary
    matcher = Matcher({"g": [compile_pattern(pattern, vocabulary)]})
    reading = read(an_alert(title=text, service=None), vocabulary)
    found = matcher.find(reading, about).get("g", [])
    return found[0].weight if found else None


@pytest.mark.parametrize(
    "text",
    [
        "connection pool exhausted",
        "Pool de connexions saturé",
        "HikariPool is full",
        "conection pool exausted",
        "The pool of connections of the shop is exhausted",
        "ConnectionPoolExhaustion",
    ],
)
def test_one_pattern_reads_languages_typos_and_rule_names(text: str) -> None:
    assert weight("connectionpool exhausted", text) or weight("pool connection exhausted", text)


def test_words_must_be_near_one_another_in_one_sentence() -> None:
    assert weight("disk full", "The disk of web-1 is full") is not None
    assert weight("disk full", "The disk is fine. The parking lot behind it is full") is None


def test_alternatives_prefixes_and_exceptions() -> None:
    assert weight("replica|primary lag*", "primary is lagging") is not None
    assert weight("lock !file", "lock on table") is not None
    assert weight("lock !file", "lock file found") is None


def test_a_condition_on_what_fails() -> None:
    assert weight("<database> timeout", "timeout", about="database") is not None
    assert weight("<network|database> timeout", "timeout", about="database") is not None
    assert weight("<network> timeout", "timeout", about="database") is None


def test_what_is_negated_or_well_does_not_count() -> None:
    assert weight("deadlock", "no deadlock on orders") == 0
    assert weight("dns", "dns is fine, pods crash") == 0
    assert weight("no space left", "no space left on device")


def test_a_cause_counts_more_than_its_effect_and_a_name_little() -> None:
    cause = weight("dns", "pods restart because of dns errors")
    effect = weight("restart", "pods restart because of dns errors")
    name = weight("dns", "dns-config-api answers slowly")

    assert cause is not None
    assert effect is not None
    assert name is not None
    assert cause > 1 > effect > name


def test_patterns_that_mean_the_same_are_kept_once() -> None:
    vocabulary = knowledge().vocabulary

    assert len(compile_all(["disk full", "disque plein", "full disk", "of the"], vocabulary)) == 1


def test_stack_frames_and_repeated_log_lines_are_not_read() -> None:
    frames = "\n".join(
        f"\tat com.example.dns.Resolver{n}.call(Resolver.java:{n})" for n in range(99)
    )
    lines = "\n".join(f"12:00:{n:02d} INFO certificate check {n} done" for n in range(50))
    text = f"Exception in worker\n{frames}\n{lines}\njava.lang.OutOfMemoryError"
    reading = read(an_alert(title="x", description=text), knowledge().vocabulary)

    assert "dns" not in reading.places
    assert len(reading.places["certificate"]) <= 2
    assert "oom" in reading.places
