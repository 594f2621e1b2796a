"""Incident ids: readable, and in the order of time."""

from datetime import UTC, datetime, timedelta

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's: no I, L, O, U
_LENGTH = 5
_TICKS_A_DAY = len(_ALPHABET) ** _LENGTH
_DAY = timedelta(days=1)


def new_incident_id(now: datetime, ticks_later: int = 0) -> str:
    """The id of this moment: the day and, in ticks of about 2.6 ms, the time of the day.

    Two incidents of one tick get the same id: the second one takes a later tick.
    """
    moment = now.astimezone(UTC)
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    tick = (moment - midnight) * _TICKS_A_DAY // _DAY + ticks_later
    day = midnight + _DAY * (tick // _TICKS_A_DAY)
    return f"INC-{day:%Y%m%d}-{_digits(tick % _TICKS_A_DAY)}"


def _digits(tick: int) -> str:
    places = (len(_ALPHABET) ** power for power in reversed(range(_LENGTH)))
    return "".join(_ALPHABET[tick // place % len(_ALPHABET)] for place in places)
