"""How much the doors take; what is beyond is refused with 413, 429 or 400."""

from pydantic import Field

from incident_squad.domain.values import Value


class IntakeLimits(Value):
    """Limits of what one sender may send. Each source has a bucket of its own for its rate.

    A bucket holds `burst` requests and fills by `requests_per_second`; a process of the intake
    function keeps its own, and the gateway in front throttles all of them together.
    `unproven_per_second` is for senders who have not proven themselves.
    """

    body_bytes: int = Field(default=256 * 1024, ge=1024, le=6 * 1024 * 1024)
    depth: int = Field(default=32, ge=4, le=200)
    alerts_per_request: int = Field(default=500, ge=1, le=5000)
    seconds_per_request: float = Field(default=15, ge=1, le=25)
    requests_per_second: float = Field(default=200, gt=0, le=10_000)
    burst: int = Field(default=10_000, ge=1, le=100_000)
    unproven_per_second: float = Field(default=20, gt=0, le=10_000)
    unproven_burst: int = Field(default=500, ge=1, le=100_000)
