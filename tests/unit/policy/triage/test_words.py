import pytest

from incident_squad.policy.triage.words import Vocabulary, fold, split_camel, stem

GLOSSARY = {
    "certificate": "cert, certificat, zertifikat",
    "expire": "expired, expirer",
    "connectionpool": "connection pool, pool connexions",
    "connection": "connexion, connexions",
    "pool": "",
    "oom": "out of memory",
    "exhausted": "full, out of",
}


@pytest.fixture
def vocabulary() -> Vocabulary:
    return Vocabulary(GLOSSARY)


def test_accents_case_and_typographic_signs_are_folded() -> None:
    assert fold("Épuisé\u00a0: l\u2019œuvre") == "epuise : l'oeuvre"


@pytest.mark.parametrize(
    ("word", "parts"),
    [
        ("PostgresqlReplicationLag", ("postgresql", "replication", "lag")),
        ("HTTPCode_ELB_5XX", ("http", "code", "elb", "5xx")),
        ("CPUUtilization", ("cpu", "utilization")),
        ("OOMKilled", ("oom", "killed")),
    ],
)
def test_names_of_rules_are_split_into_words(word: str, parts: tuple[str, ...]) -> None:
    assert split_camel(word) == parts


def test_forms_of_a_word_share_a_stem() -> None:
    assert len({stem(word) for word in ("restart", "restarts", "restarted", "restarting")}) == 1
    assert stem("queries") == stem("query")
    assert stem("stopping") == stem("stopped")


@pytest.mark.parametrize("word", ["certificat", "certs", "zertifikat", "certifcate", "certiifcate"])
def test_synonyms_and_typos_reach_the_same_word(vocabulary: Vocabulary, word: str) -> None:
    assert vocabulary.canonical(word) == "certificate"


def test_an_ending_is_no_typo(vocabulary: Vocabulary) -> None:
    vocabulary.learn(["insider"])

    assert vocabulary.canonical("inside") != "insider"


def test_a_phrase_counts_as_one_word(vocabulary: Vocabulary) -> None:
    words = [vocabulary.canonical(word) for word in ("pool", "connexions", "plein")]

    assert vocabulary.merge(words)[0] == (0, 2, "connectionpool")


def test_a_phrase_of_stop_words_alone_is_none(vocabulary: Vocabulary) -> None:
    assert vocabulary.merge(["out"]) == []


def test_names_of_products_keep_their_ending(vocabulary: Vocabulary) -> None:
    vocabulary.name(["redis"])

    assert vocabulary.canonical("redis") == "redis"
