"""Did Twilio really send this? Its signature over the public address and the fields, or over the body's hash.

https://www.twilio.com/docs/usage/security. The address is the one that Twilio was told, never what the Host header says.
"""

import base64
import hmac
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from urllib.parse import parse_qs, parse_qsl, urlsplit, urlunsplit

from profiles.secret import is_one_of

MOST_FIELDS = 500
_DIGESTS = {"HMAC_SHA1": "sha1", "HMAC_SHA256": "sha256"}
_DEFAULT_PORTS = {"https": 443, "http": 80}

Fields = Mapping[str, str]


def fields_of(raw: bytes) -> list[tuple[str, str]]:
    """Return the fields of a form as they were sent, empty ones too. Raises ValueError past 500."""
    return parse_qsl(raw.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MOST_FIELDS)


def sign(secret: str, url: str, fields: Iterable[tuple[str, str]], algorithm: str = "HMAC_SHA1") -> str:
    """Return the signature Twilio gives a request to this address with these fields. Raises KeyError on its algorithm."""
    text = url + "".join(name + value for name, value in sorted(set(fields)))
    digest = hmac.digest(secret.encode(), text.encode("utf-8", "surrogatepass"), _DIGESTS[algorithm.upper()])
    return base64.b64encode(digest).decode()


def is_genuine(
    url: str, raw: bytes, headers: Mapping[str, str], *, auth_tokens: Sequence[str], shared_keys: Sequence[str]
) -> bool:
    """Return whether the request was signed with a token of ours, or with a SharedKey when the request says it used one.

    Where none is set nothing is genuine. A body that is not a form must be vouched for by bodySHA256 in the address.
    """
    settings = _settings(headers.get("X-Twilio-Webhooks-Signature-Settings", ""))
    secrets = shared_keys if "key" in settings else auth_tokens
    algorithm = settings.get("algorithm", "HMAC_SHA1").upper()
    given = headers.get("X-Twilio-Signature", "")
    if algorithm not in _DIGESTS:
        return False
    try:
        fields = fields_of(raw) if _is_form(headers) else []
    except ValueError:
        return False
    if not _is_form(headers) and not _vouched(url, raw):
        return False
    # Twilio's own libraries try both: whether a port was signed depends on the kind of request
    spellings = _spellings(url)
    return is_one_of(given, [sign(key, spelling, fields, algorithm) for key in secrets for spelling in spellings])


def _is_form(headers: Mapping[str, str]) -> bool:
    return headers.get("Content-Type", "").partition(";")[0].strip().lower() == "application/x-www-form-urlencoded"


def _vouched(url: str, raw: bytes) -> bool:
    claimed = parse_qs(urlsplit(url).query).get("bodySHA256", [""])[0]
    return hmac.compare_digest(claimed.lower().encode(), sha256(raw).hexdigest().encode())


def _settings(header: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in header.split(",") if "=" in part)
    return {name.strip(): value.strip() for name, _, value in pairs}


def _spellings(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    host = parts.netloc.rpartition(":")[0] if parts.port else parts.netloc
    port = parts.port or _DEFAULT_PORTS.get(parts.scheme, 443)
    return urlunsplit(parts._replace(netloc=host)), urlunsplit(parts._replace(netloc=f"{host}:{port}"))
