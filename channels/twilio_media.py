"""Pictures received by Twilio: where they are, and fetching them from nowhere else.

The addresses come in with a message, so they are not trusted: only our own account at the configured API, and from
there one redirect to the hosts that Twilio keeps files on, without our credentials.
"""

import re
from collections.abc import Mapping
from typing import Literal

import aiohttp
from yarl import URL

from profiles.octets import octets_of
from profiles.timeline import Attachment

LARGEST_BYTES = 5 * 1024 * 1024  # Twilio's own bound for MMS
MOST_FILES = 10
_KINDS: dict[str, Literal["image", "audio", "video", "file"]] = {"image": "image", "audio": "audio", "video": "video"}


def media_of(fields: Mapping[str, str]) -> tuple[Attachment, ...]:
    """Return what the webhook says came with the message, still at Twilio."""
    said = fields.get("NumMedia", "")
    count = min(int(said), MOST_FILES) if said.isdecimal() and len(said) < 4 else 0
    return tuple(
        _attachment(url, fields.get(f"MediaContentType{number}", ""))
        for number in range(count)
        if (url := fields.get(f"MediaUrl{number}", ""))
    )


class MediaPlaces:
    """The places that a picture may be fetched from."""

    def __init__(self, api_url: str, account_sid: str, hosts: tuple[str, ...]) -> None:
        place = re.escape(f"{api_url}/2010-04-01/Accounts/{account_sid}/Messages/")
        self._ours = re.compile(place + r"[A-Z]{2}[0-9a-f]{32}/Media/ME[0-9a-f]{32}")
        self._hosts = frozenset(hosts)

    async def fetch(self, client: aiohttp.ClientSession, auth: Mapping[str, str], remote: str) -> tuple[bytes, str]:
        """Return bytes and MIME type. Raises LookupError when it is not ours, gone or too large."""
        if not self._ours.fullmatch(remote):
            raise LookupError("not a file of this account")
        try:
            async with client.get(remote, headers=auth, allow_redirects=False) as answer:
                if answer.status not in (301, 302, 303, 307, 308):
                    return await _content(answer)
                target = URL(remote).join(URL(answer.headers.get("Location", "")))
            if target.scheme != "https" or target.host not in self._hosts or target.explicit_port:
                raise LookupError("redirected to a place that is not allowed")
            async with client.get(target, allow_redirects=False) as answer:
                return await _content(answer)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise LookupError(f"could not be fetched: {type(error).__name__}") from error


async def _content(answer: aiohttp.ClientResponse) -> tuple[bytes, str]:
    if answer.status != 200:
        raise LookupError(f"http {answer.status}")
    content = await octets_of(answer.content, LARGEST_BYTES)
    if content is None:
        raise LookupError(f"larger than {LARGEST_BYTES} bytes")
    return content, answer.content_type


def _attachment(url: str, mime: str) -> Attachment:
    mime = mime.lower() if re.fullmatch(r"[\w.+-]{1,60}/[\w.+-]{1,60}", mime) else "application/octet-stream"
    return Attachment(_KINDS.get(mime.partition("/")[0], "file"), mime=mime, remote=url)
