"""dkimpy, which somebody else wrote, believes our signatures, and no longer when a word was changed."""

import base64
from datetime import UTC, datetime

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from channels.email_dkim import Key, read_key, record_of, signed
from channels.email_mime import header, text_part, words

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
ED = ed25519.Ed25519PrivateKey.generate()


def pem(private: object) -> str:
    return private.private_bytes(  # type: ignore[attr-defined]
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


KEYS = {"rsa": read_key("shop.example", "s1", pem(RSA)), "ed25519": read_key("shop.example", "s2", pem(ED))}
BODIES = {
    "plain": "Bonjour Anna\n",
    "blanks": "two  spaces \t and a tab\t\n  begins with blanks\n\n\n\n",
    "accents": "Déjà vu " * 60,
    "dots": ".\n..\nx\n",
    "long": "Здравствуйте " * 300,
}


def mail(body: str) -> bytes:
    head = header("From", "La boutique <news@shop.example>") + header("To", "anna@example.org")
    head += header("Subject", words("Votre panier vous attend — déjà " * 4)) + header("Message-ID", "<x@shop.example>")
    head += header("List-Unsubscribe", "<https://shop.example/u/" + "t" * 200 + ">")
    head += header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click") + header("MIME-Version", "1.0")
    return head + text_part(body, "plain")


def is_believed(octets: bytes, which: int = 0) -> bool:
    records = {f"{key.selector}._domainkey.shop.example.".encode(): record_of(key).encode() for key in KEYS.values()}
    try:
        return bool(dkim.DKIM(octets).verify(idx=which, dnsfunc=lambda name, timeout=5: records.get(name)))
    except dkim.ValidationError:
        return False


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("kind", KEYS)
def test_a_signature_is_believed(kind: str, body: str) -> None:
    assert is_believed(signed(mail(body), [KEYS[kind]], NOW))


def test_both_signatures_of_a_mail_are_believed() -> None:
    octets = signed(mail("x"), list(KEYS.values()), NOW)
    assert is_believed(octets, 0)
    assert is_believed(octets, 1)


@pytest.mark.parametrize("kind", KEYS)
@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"Bonjour", b"Bonsoir"),
        (b"To: anna", b"To: boris"),
        (b"One-Click", b"Two-Click"),
        (b"/u/ttt", b"/u/xtt"),
        (b"From: La", b"From: Le"),
    ],
)
def test_a_changed_word_is_not_believed(kind: str, old: bytes, new: bytes) -> None:
    octets = signed(mail("Bonjour"), [KEYS[kind]], NOW)
    assert old in octets
    assert not is_believed(octets.replace(old, new))


@pytest.mark.parametrize("field", [b"From: evil@x.example", b"Subject: win", b"To: x@x.example"])
def test_a_second_field_put_in_front_is_not_believed(field: bytes) -> None:
    octets = signed(mail("Bonjour"), [KEYS["rsa"]], NOW)
    signature, rest = octets.split(b"\r\nFrom:", 1)
    assert not is_believed(signature + b"\r\n" + field + b"\r\nFrom:" + rest)


def test_both_headers_of_unsubscribing_are_signed() -> None:
    octets = signed(mail("x"), [KEYS["rsa"]], NOW)
    names = b"".join(octets.split(b"h=")[1].split(b";")[0].split()).split(b":")
    assert {b"list-unsubscribe", b"list-unsubscribe-post"} <= set(names)
    assert names.count(b"from") == 2


def test_lines_of_a_signature_are_short() -> None:
    octets = signed(mail("x"), list(KEYS.values()), NOW)
    assert max(map(len, octets.split(b"From:")[0].split(b"\r\n"))) <= 100


@pytest.mark.parametrize(
    ("text", "words_of_it"),
    [
        ("", "PEM"),
        ("secret nonsense", "PEM"),
        (pem(ec.generate_private_key(ec.SECP256R1())), "RSA or Ed25519"),
    ],
)
def test_what_is_no_key_is_refused_without_repeating_it(text: str, words_of_it: str) -> None:
    with pytest.raises(ValueError, match=words_of_it) as refused:
        read_key("shop.example", "s1", text)
    assert "secret" not in str(refused.value)


def test_a_selector_that_is_no_name_is_refused() -> None:
    with pytest.raises(ValueError, match="selector"):
        read_key("shop.example", "s 1", pem(RSA))


def test_the_record_carries_the_public_half_alone() -> None:
    key: Key = KEYS["rsa"]
    published = base64.b64decode(record_of(key).partition("p=")[2])
    known = serialization.load_der_public_key(published)
    assert isinstance(known, rsa.RSAPublicKey)
    assert known.public_numbers() == RSA.public_key().public_numbers()
