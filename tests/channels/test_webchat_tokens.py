"""Tokens: whoever changes a letter, a claim or the clock gets nothing."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as some

from channels.webchat_tokens import (
    Identity,
    file_query,
    new_address,
    opens_file,
    read_identity,
    sign_identity,
    visitor_of,
    visitor_token,
)

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
OURS = b"o" * 32
KEY = "the shop signs with thirty-two characters"
HOUR = timedelta(hours=1)


def test_a_visitor_token_gives_its_address_back() -> None:
    address = new_address()
    assert visitor_of(visitor_token(address, OURS), OURS) == address


def test_addresses_are_128_random_bits() -> None:
    assert len({new_address() for _ in range(1000)}) == 1000
    assert all(len(bytes.fromhex(new_address())) == 16 for _ in range(10))


@given(some.text(max_size=200))
def test_no_other_text_is_a_visitor_token(text: str) -> None:
    assert visitor_of(text, OURS) is None


@given(some.integers(0, 79), some.sampled_from("0123456789abcdefABCDEF_-."))
def test_a_visitor_token_with_one_letter_changed_is_none(at: int, letter: str) -> None:
    token = visitor_token("0" * 32, OURS)
    at %= len(token)
    changed = token[:at] + letter + token[at + 1 :]
    # the last letter of 43 carries 4 bits of a 256-bit signature: the rest of it is compared as text
    assert (visitor_of(changed, OURS) is None) == (changed != token)


def test_a_token_of_another_purpose_or_installation_is_none() -> None:
    address = new_address()
    assert visitor_of(visitor_token(address, b"another"), OURS) is None
    until, signature = (part.split("=")[1] for part in file_query(address, OURS, NOON).split("&"))
    assert visitor_of(f"v1.{address}.{signature}", OURS) is None
    assert until.isdigit()


def test_an_identity_token_of_the_shop_is_read_whole() -> None:
    claims = {"sub": "c-17", "email": "anna@example.com", "phone": "+33639980012", "name": "Anna", "language": "fr"}
    token = sign_identity(claims, KEY, now=NOON, valid_for=HOUR)
    assert read_identity(token, [KEY], NOON) == Identity(
        "c-17", NOON + HOUR, "anna@example.com", "+33639980012", "Anna", "fr"
    )


def test_a_second_key_is_tried_while_the_shop_changes_keys() -> None:
    token = sign_identity({"sub": "c-17"}, KEY, now=NOON, valid_for=HOUR)
    assert isinstance(read_identity(token, ["k" * 32, KEY], NOON), Identity)
    assert read_identity(token, ["k" * 32], NOON) == "forged"
    assert read_identity(token, [], NOON) == "forged"


@pytest.mark.parametrize(
    ("claims", "problem"),
    [
        ({"sub": "c", "exp": NOON - timedelta(seconds=1)}, "expired"),
        ({"sub": "c", "exp": NOON}, "expired"),
        ({"sub": "c", "exp": NOON + timedelta(hours=25)}, "too_long"),
        ({"sub": "c"}, "too_long"),
        ({"sub": "c", "exp": "tomorrow"}, "too_long"),
        ({"sub": "c", "exp": True}, "too_long"),
        ({"sub": "c", "exp": 1e300}, "too_long"),
        ({"exp": NOON + HOUR}, "malformed"),
        ({"sub": "", "exp": NOON + HOUR}, "malformed"),
        ({"sub": 17, "exp": NOON + HOUR}, "malformed"),
        ({"sub": {"$gt": ""}, "exp": NOON + HOUR}, "malformed"),
        ({"sub": "c" * 321, "exp": NOON + HOUR}, "malformed"),
        ({"sub": "c", "email": ["a@example.com"], "exp": NOON + HOUR}, "malformed"),
        ({"sub": "c", "nbf": NOON + timedelta(minutes=5), "exp": NOON + HOUR}, "early"),
        ({"sub": "c", "nbf": "soon", "exp": NOON + HOUR}, "malformed"),
    ],
)
def test_an_identity_token_that_does_not_hold_says_why(claims: dict[str, Any], problem: str) -> None:
    assert read_identity(_signed(claims), [KEY], NOON) == problem


def test_a_token_valid_for_a_day_holds_even_when_clocks_differ_a_little() -> None:
    token = sign_identity({"sub": "c"}, KEY, now=NOON + timedelta(seconds=30), valid_for=timedelta(hours=24))
    assert isinstance(read_identity(token, [KEY], NOON), Identity)


@pytest.mark.parametrize("algorithm", ["none", "HS384", "HS512"])
def test_the_token_does_not_choose_its_own_algorithm(algorithm: str) -> None:
    claims = {"sub": "c", "exp": int((NOON + HOUR).timestamp())}
    token = jwt.encode(claims, None if algorithm == "none" else KEY * 2, algorithm=algorithm)
    assert read_identity(token, [KEY, KEY * 2], NOON) == "forged"


def test_claims_changed_after_signing_are_forged() -> None:
    head, _, signature = sign_identity({"sub": "c"}, KEY, now=NOON, valid_for=HOUR).split(".")
    claims = {"sub": "d", "exp": int((NOON + HOUR).timestamp())}
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    assert read_identity(f"{head}.{body}.{signature}", [KEY], NOON) == "forged"


@given(some.text(max_size=300))
def test_no_text_breaks_the_reading_of_identity_tokens(text: str) -> None:
    assert read_identity(text, [KEY], NOON) in ("malformed", "forged")


def test_a_file_link_opens_its_file_for_an_hour_or_two_and_nothing_else() -> None:
    query = dict(part.split("=", 1) for part in file_query("F1", OURS, NOON).split("&"))
    link = {"until": query["until"], "signature": query["signature"], "secret": OURS}
    assert opens_file("F1", **link, now=NOON + timedelta(minutes=59))
    assert not opens_file("F1", **link, now=NOON + timedelta(hours=2))
    assert not opens_file("F2", **link, now=NOON)
    assert not opens_file("F1", **{**link, "until": str(int(query["until"]) + 1)}, now=NOON)
    assert not opens_file("F1", **{**link, "signature": ""}, now=NOON)
    assert not opens_file("F1", **{**link, "until": "never"}, now=NOON)


def _signed(claims: dict[str, Any]) -> str:
    plain = {name: int(v.timestamp()) if isinstance(v, datetime) else v for name, v in claims.items()}
    # by hand: PyJWT itself refuses to sign some of these
    parts = [{"alg": "HS256", "typ": "JWT"}, plain]
    body = ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts)
    algorithm = jwt.get_algorithm_by_name("HS256")
    signature = algorithm.sign(body.encode(), algorithm.prepare_key(KEY))
    return f"{body}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"
