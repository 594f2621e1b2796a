import pytest

from incident_squad.domain.values import IncidentType
from incident_squad.policy.triage.knowledge import knowledge
from incident_squad.policy.triage.reading import Reading, read
from incident_squad.policy.triage.voter import Voter, Weights, clues, voter
from infra.training import WEIGHTS, Example, dump, examples, labelled, learn
from tests.builders import an_alert


def reading(text: str) -> Reading:
    return read(an_alert(title=text, service=None), knowledge().vocabulary)


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("all sessions of the ledger are taken", "db-connection-pool"),
        ("the resolver gives no answer for our zone", "net-dns-failure"),
        ("killed by the kernel for lack of memory", "app-oom-kill"),
        ("un inconnu a créé un administrateur", "sec-unauthorized-access"),
    ],
)
def test_words_vote_for_what_they_were_learned_with(text: str, label: str) -> None:
    vote = voter()(reading(text))

    assert max(vote.labels, key=lambda name: vote.labels[name]) == label
    assert vote.words[voter().labels[label]]


def test_unknown_words_hardly_count() -> None:
    vote = voter()(reading("xqzt vrbl"))

    assert vote.known == 0
    assert all(clue.weight == 0 for clue in clues(vote))


def test_a_vote_is_a_share_and_names_its_words() -> None:
    vote = voter()(reading("the certificate has expired"))
    best = max(clues(vote), key=lambda clue: clue.weight)

    assert sum(vote.types.values()) == pytest.approx(1)
    assert best.type is IncidentType.NETWORK
    assert "certificate" in best.reason


def test_learning_is_reproducible_and_small() -> None:
    data = [
        Example({"w:lag": 1.0}, (0,)),
        Example({"w:lag": 1.0}, (0,)),
        Example({"w:cert": 1.0}, (1,)),
        Example({"w:cert": 0.5, "w:lag": 0.1}, (0, 1)),
    ]
    labels = ("lag", "cert")

    once, again = learn(labels, data), learn(labels, data)

    assert dump(labels, once) == dump(labels, again)
    assert once.weights["w:lag"][0] == 0
    assert sum(file.stat().st_size for file in WEIGHTS.glob("*.json")) < 1_000_000


def test_every_label_has_a_type_and_the_file_knows_the_labels_of_today() -> None:
    labels, data = examples(labelled()[:20])

    assert set(labels.values()) == set(IncidentType)
    assert labels == voter().labels
    assert all(example.right for example in data)


def test_a_voter_of_ones_own_is_asked_instead() -> None:
    labels = {"x": IncidentType.DATABASE, "flux": IncidentType.NETWORK}
    own = Voter(labels, Weights(tuple(labels), [0.0, 0.0], {"w:flux": [1, 500]}))

    assert own(reading("flux")).types[IncidentType.NETWORK] > 0.9
