"""Providers that do not sign what they report: Brevo, Mailjet and Postmark. They show a secret, in the address or as a token.

Whoever has the secret is believed, so it is 20 characters or more. In which mail they speak of, they say by a mark that we put into
its header for them: each removes it, and repeats it in its events. Pure.
"""

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from channels import email_brevo, email_mailjet, email_postmark
from channels.email_bounces import Heard
from profiles.secret import is_one_of

LARGEST = 1_500_000  # octets; Brevo puts 500 events into one request, Mailjet those of a second
SHORTEST = 20  # characters of a secret


class Reporter(NamedTuple):
    """One of them: the field in which it takes our mark, and what it says, given the domain of our Message-IDs."""

    mark: str
    read: Callable[[bytes, str], list[Heard]]


REPORTERS: Mapping[str, Reporter] = {
    "brevo": Reporter(email_brevo.MARK, lambda body, domain: email_brevo.read(body, domain=domain)),
    "mailjet": Reporter(email_mailjet.MARK, lambda body, domain: email_mailjet.read(body)),
    "postmark": Reporter(email_postmark.MARK, lambda body, domain: email_postmark.read(body)),
}


def is_shown(authorization: str, secrets: Sequence[str]) -> bool:
    """Return whether this field shows one of the secrets: as the password of anybody (RFC 7617), or as a token (RFC 6750)."""
    scheme, _, said = authorization.partition(" ")
    match scheme.lower():
        case "bearer":
            return is_one_of(said.strip(), secrets)
        case "basic":
            return is_one_of(_password(said.strip()), secrets)
        case _:
            return False


def _password(said: str) -> str:
    try:
        return base64.b64decode(said, validate=True).decode().partition(":")[2]
    except (binascii.Error, ValueError):
        return ""
