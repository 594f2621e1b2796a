"""The table that is deployed is the table that the stores use."""

from incident_squad.adapters.dynamodb_items import INDEXES
from infra.components import storage


def test_the_deployed_indexes_are_those_that_the_stores_ask() -> None:
    deployed = {name: (partition, "id") for name, partition in storage.INDEXES.items()}
    assert deployed == INDEXES
