"""Getting one small thing from a provider's own address: a certificate, a list of keys, the confirmation of a subscription."""

from collections.abc import Awaitable, Callable
from typing import TypeAlias

import aiohttp

from profiles.octets import octets_of

LARGEST_ANSWER = 20_000  # octets
SECONDS = 10.0

Fetch: TypeAlias = Callable[[str], Awaitable[bytes]]
"""Gets an address and returns the body of its answer. Raises OSError."""


async def get(address: str) -> bytes:
    """Return what stands at this address, following nothing. Raises OSError when it is not 200, large, or does not come."""
    timeout = aiohttp.ClientTimeout(total=SECONDS)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as client,
            client.get(address, allow_redirects=False) as answer,
        ):
            content = await octets_of(answer.content, LARGEST_ANSWER)
    except (aiohttp.ClientError, TimeoutError) as error:
        raise OSError(type(error).__name__) from error
    if answer.status != 200 or content is None:
        raise OSError(f"answered {answer.status} with {'too many' if content is None else len(content)} octets")
    return content
