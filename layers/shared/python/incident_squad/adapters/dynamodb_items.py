"""The shape of the table, and values as items: lossless both ways.

Texts, whole numbers, truth values and lists of texts are attributes of their own, so that people
can read and indexes can use them. Everything nested is JSON text in a map of its own, because
DynamoDB's numbers forget whether they were `1` or `1.0`, and the timeline's hashes do not.
Very long JSON is compressed: an item may have 400 KB. Shorter stays readable with the AWS CLI.
"""

import json
import math
import zlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel

from incident_squad.adapters.records import alert_digest
from incident_squad.domain.update import StatusUpdate
from incident_squad.domain.values import iso

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

Item = dict[str, "AttributeValueTypeDef"]
V = TypeVar("V", bound=BaseModel)

PARTITION = "PK"
SORT = "SK"
TIME_TO_LIVE = "ttl"
INDEXES: Mapping[str, tuple[str, str]] = {
    "by_time": ("kind", "id"),
    "by_status": ("status", "id"),
    "by_service": ("service", "id"),
    "by_type": ("type", "id"),
    "by_severity": ("severity", "id"),
}
"""Partition and sort attribute of each index. Only incidents have an `id`, so only they are in."""

_INDEXED = {name for names in INDEXES.values() for name in names}

META = "META"
CLAIM = "CLAIM"
NUMBERS = "NUMBERS"
_LONG_JSON = 50_000
_EXACT = 10**37
_OWN_ID = "own_id"


def incident_key(incident_id: str) -> str:
    """The partition of an incident."""
    return f"INC#{incident_id}"


def claim_key(alert_key: str) -> str:
    """The partition of the claim on an alert's key."""
    return f"DEDUP#{alert_key}"


def alert_sort(key: str) -> str:
    """Where an alert stands in its incident's partition, by its key."""
    return f"ALERT#{alert_digest(key)}"


def firing_sort(key: str) -> str:
    """Where it stands that an alert fires: only while it does."""
    return f"FIRING#{alert_digest(key)}"


def tally_key(day: str) -> str:
    """The partition of the counters of a day (`YYYYMMDD`)."""
    return f"TALLY#{day}"


def update_sort(update: StatusUpdate) -> str:
    """Where a status update stands in its incident's partition."""
    return f"UPDATE#{iso(update.at)}#{update.state.value}"


def encode(value: Any) -> "AttributeValueTypeDef":  # noqa: ANN401 - JSON data
    """One attribute; `value` is JSON data and not None."""
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, str):
        return {"S": value}
    if isinstance(value, int | float) and _fits(value):
        return {"N": repr(value)}
    if isinstance(value, list | tuple) and all(isinstance(part, str) for part in value):
        return {"L": [{"S": part} for part in value]}
    text = json.dumps(value, separators=(",", ":"))
    if len(text) < _LONG_JSON:
        return {"M": {"json": {"S": text}}}
    return {"M": {"zjson": {"B": zlib.compress(text.encode())}}}


def decode(attribute: "AttributeValueTypeDef") -> Any:  # noqa: ANN401 - JSON data
    """What `encode` was given."""
    if "M" in attribute:
        packed = attribute["M"]
        text = packed["json"]["S"] if "json" in packed else zlib.decompress(packed["zjson"]["B"])
        return json.loads(text)
    if "N" in attribute:
        number = attribute["N"]
        return float(number) if set(number) & set(".eE") else int(number)
    if "L" in attribute:
        return [decode(part) for part in attribute["L"]]
    return attribute.get("S", attribute.get("BOOL"))


def attributes(fields: Mapping[str, Any]) -> Item:
    """JSON data as attributes; what is None is left out, and an empty text that is indexed too."""
    return {
        name: encode(value)
        for name, value in fields.items()
        if value is not None and not (value == "" and name in _INDEXED)
    }


def stored(value: BaseModel) -> dict[str, Any]:
    """A value's fields under the names that they have in an item."""
    fields = value.model_dump(mode="json")
    if "id" in fields:
        # An `id` of its own would put the item into the indexes of incidents.
        fields[_OWN_ID] = fields.pop("id")
    return fields


def restored(cls: type[V], item: Item) -> V:
    """The value of an item; raises ValidationError when the item is not one. Extras are left."""
    names = {name: _OWN_ID if name == "id" else name for name in cls.model_fields}
    if item[SORT].get("S") == META:
        names["id"] = "id"
    return cls.model_validate(
        {name: decode(item[own]) for name, own in names.items() if own in item}
    )


def _fits(number: float) -> bool:
    if isinstance(number, int):
        return abs(number) < _EXACT
    return math.isfinite(number) and (number == 0 or 1e-120 < abs(number) < 1e120)  # noqa: PLR2004
