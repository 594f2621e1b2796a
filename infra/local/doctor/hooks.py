"""Examines HTTP targets: what each token may do. Nothing that changes something is called."""

from collections.abc import Iterator, Mapping

import urllib3

from incident_squad.domain.catalog import HttpTarget
from infra.local.doctor.finding import Found, good, mend, note

SECONDS = 5
_OK, _NOT_KNOWN = range(200, 300), (401, 403)


def examine_http(name: str, target: HttpTarget, secrets: Mapping[str, str]) -> Iterator[Found]:
    """What is to be said of an HTTP target: only its ways to look are called."""
    looks = [o.path for o in target.operations.values() if o.method == "GET" and not o.mutates]
    acts = any(operation.mutates for operation in target.operations.values())
    missing = [s for s in (target.reader, target.writer) if s is not None and s not in secrets]
    yield from (mend(name, f"the secret '{one}' is missing: add it to secrets") for one in missing)
    if acts and target.writer is None:
        yield mend(name, "declares operations that change something, but no writer")
    reader, writer = secrets.get(target.reader or ""), secrets.get(target.writer or "")
    if reader and reader == writer:
        yield mend(name, "reader and writer are the same token: who only looks could act")
    if not looks:
        yield note(name, "declares no GET operation, so nothing shows whether it can be reached")
    if target.reader not in missing:
        for path in looks:
            yield from _look(name, target.base_url + path, reader)


def _look(name: str, url: str, token: str | None) -> Iterator[Found]:
    try:
        status = _status(url, token)
        stranger = _status(url, None) if token else None
    except urllib3.exceptions.HTTPError as error:
        yield mend(name, f"{url} cannot be reached: {' '.join(str(error).split())[:300]}")
        return
    if status in _OK:
        yield good(name, f"the reader may GET {url}")
    elif status in _NOT_KNOWN:
        yield mend(name, f"{url} refuses the reader's token ({status}): check the secret")
    else:
        yield mend(name, f"{url} answers {status} to the reader: check base_url and path")
    if status in _OK and stranger in _OK:
        yield note(name, f"{url} answers without a token, too: anybody can look there")


def _status(url: str, token: str | None) -> int:
    headers = {"Accept": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token.strip()}"
    with urllib3.PoolManager() as pool:
        answer = pool.request(
            "GET", url, headers=headers, timeout=SECONDS, retries=False, redirect=False
        )
        return answer.status
