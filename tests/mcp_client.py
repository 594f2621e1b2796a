"""The SDK's own client, as an agent would use it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

MODES = ("auto", "legacy", "2026-07-28")


@asynccontextmanager
async def connected(url: str, token: str, mode: str) -> AsyncIterator[Any]:
    """A client in one of the modes; it leaves proxies of this machine aside."""
    import httpx2  # noqa: PLC0415 - half a second that other tests need not pay
    from mcp import Client  # noqa: PLC0415
    from mcp.client.streamable_http import streamable_http_client  # noqa: PLC0415

    headers = {"Authorization": f"Bearer {token}"}
    async with httpx2.AsyncClient(headers=headers, trust_env=False, timeout=30) as http:
        transport = streamable_http_client(url, http_client=http)
        async with Client(transport, mode=mode) as client:
            yield client
