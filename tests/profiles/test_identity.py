"""Two spellings of one address meet on one key; what can not be an address is refused."""

import pytest

from profiles.identity import key, mention, normalise


@pytest.mark.parametrize(
    ("space", "address", "expected"),
    [
        ("sms", "06 12 34 56 78", "+33612345678"),
        ("sms", "0612345678", "+33612345678"),
        ("sms", "+33 (0)6 12 34 56 78", "+33612345678"),
        ("sms", "0033612345678", "+33612345678"),
        ("sms", "33612345678", "+33612345678"),
        ("sms", "+33612345678\u00a0", "+33612345678"),
        ("sms", "+15005550006", "+15005550006"),
        ("voice", "01 23 45 67 89", "+33123456789"),
        ("whatsapp", "33612345678", "+33612345678"),
        ("whatsapp", "15551234567", "+15551234567"),
        ("sms", "36180", "36180"),
        ("sms", "3639", "3639"),
        ("sms", "CAUSERIE", "CAUSERIE"),
        ("sms", "Bank 24", "Bank 24"),
        ("voice", "36180", None),
        ("whatsapp", "CAUSERIE", None),
        ("sms", "1-800-FLOWERS-NOW", None),
        ("sms", "anonymous-caller", None),
        ("sms", "+", None),
        ("sms", "", None),
        ("sms", "1" * 41, None),
        ("sms", "06\x0012345678", None),
        ("sms", "06\ud80012345678", None),
        ("email", "Anna@Example.COM", "anna@example.com"),
        ("email", "  anna@example.com ", "anna@example.com"),
        ("email", "anna+promo@example.com", "anna+promo@example.com"),
        ("email", "Anna@CAFÉ.fr", "anna@xn--caf-dma.fr"),
        ("email", "anna@xn--caf-dma.fr", "anna@xn--caf-dma.fr"),
        ("email", "АННА@пример.рф", "анна@xn--e1afmkfd.xn--p1ai"),
        ("email", "anna@localhost", None),
        ("email", "anna", None),
        ("email", "a" * 300 + "@example.com", None),
        ("email", "anna@example.com\r\nBcc: x@y.fr", None),
        ("email", "an\u202ena@example.com", None),
        ("email", "an\ud800na@example.com", None),
        ("telegram", " 123456789 ", "123456789"),
        ("webchat", "b2f1-44", "b2f1-44"),
        ("user", "Client:42/É", "Client:42/É"),
        ("user", "Cafe\u0301", "Caf\u00e9"),
        ("user", "4 2", None),
        ("user", "4\x002", None),
        ("user", "4\u200b2", None),
        ("user", "\ud8342", None),
        ("user", "x" * 257, None),
        ("user", "", None),
    ],
)
def test_an_address_has_one_spelling_or_none(space: str, address: str, expected: str | None) -> None:
    assert normalise(space, address, country="FR") == expected


@pytest.mark.parametrize("space", ["sms", "whatsapp", "voice", "email", "telegram", "user"])
@pytest.mark.parametrize("address", ["0612345678", "Anna@CAFÉ.fr", "CAUSERIE", "36180", "42"])
def test_a_normalised_address_stays_as_it_is(space: str, address: str) -> None:
    once = normalise(space, address, country="FR")
    assert once is None or normalise(space, once, country="FR") == once


def test_the_country_says_where_a_number_without_code_belongs() -> None:
    assert normalise("sms", "020 7946 0018", country="GB") == "+442079460018"


def test_what_is_only_said_has_a_key_of_its_own() -> None:
    assert mention(key("email", "anna@example.com")) == "?email:anna@example.com"
