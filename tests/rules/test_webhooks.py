"""The receiver of a webhook can prove that we sent it, and reads what the step wrote for this contact."""

import base64
import hashlib
import hmac
import json

import pytest

from rules.webhooks import body_of, headers, key_of
from tests.cast import NOON, anna

SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()
ERRAND = {
    "_id": "rule:abc", "at": NOON, "rule": "tell", "run": "r1", "profile": "anna",
    "start": {"name": "order.paid", "at": NOON, "order": "42", "lines": [{"sku": "A"}]},
    "fields": {"hello": "Bonjour {{ contact.first_name }}, {{ event.order }}{{ contact.nothing }}", "bad": "{% if %}"},
}  # fmt: skip


def test_the_signature_is_over_id_instant_and_body_once_with_each_secret() -> None:
    sent = headers("rule:abc", b'{"a":1}', [key_of(SECRET), b"o" * 32], NOON)
    stamp = str(int(NOON.timestamp()))
    proofs = (
        hmac.new(key * 32, f'rule:abc.{stamp}.{{"a":1}}'.encode(), hashlib.sha256).digest() for key in (b"k", b"o")
    )
    assert sent["webhook-signature"].split(" ") == ["v1," + base64.b64encode(proof).decode() for proof in proofs]
    assert (sent["webhook-id"], sent["webhook-timestamp"]) == ("rule:abc", stamp)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_!!", "k" * 40, "whsec_" + base64.b64encode(b"short").decode()])
def test_a_weak_secret_is_refused(secret: str) -> None:
    with pytest.raises(ValueError, match="whsec_"):
        key_of(secret)


def test_the_body_says_who_what_and_what_the_step_wrote() -> None:
    told = json.loads(body_of(ERRAND, anna(), NOON))
    assert told["fields"] == {"hello": "Bonjour Anna, 42", "bad": ""}
    assert (told["id"], told["rule"], told["profile"], told["at"]) == (
        "rule:abc",
        "tell",
        "anna",
        "2026-11-21T12:00:00Z",
    )
    assert told["start"]["lines"] == [{"sku": "A"}]
