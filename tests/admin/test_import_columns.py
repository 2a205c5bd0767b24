"""A file of customers as people write them: what its columns are."""

import pytest

from admin.import_columns import Column, columns
from profiles.expression_tree import Kind
from rules.vocabulary_file import Called, Words

WORDS = Words(
    {
        "first_name": Called(Kind.TEXT, {"fr": "le prénom", "en": "the first name"}),
        "born_on": Called(Kind.DATE, {"fr": "la date de naissance", "en": "the date of birth"}),
        "city": Called(Kind.TEXT, {"fr": "la ville", "en": "the city"}),
        "points": Called(Kind.NUMBER, {"fr": "les points de fidélité"}),
    }
)


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("first_name", "first_name"), ("Prénom", "first_name"), ("PRENOM", "first_name"), ("First name", "first_name"),
        ("Date de naissance", "born_on"), ("La ville", "city"), ("E-mail", "email"), ("Adresse e-mail", "email"),
        ("Téléphone", "sms"), ("Phone", "sms"), ("Langue", "language"), ("points_de_fidélité", "points"),
    ],
)  # fmt: skip
def test_a_column_is_known_by_the_name_that_people_give_it(header: str, name: str) -> None:
    found, faults = columns(["user", header], WORDS, proved=(), named={})
    assert (faults, found[1].name) == ((), name)


def test_the_shops_own_id_is_proved_and_other_addresses_are_when_one_says_so() -> None:
    found, _ = columns(["user", "email", "sms"], WORDS, proved=["sms"], named={})
    assert [one.role for one in found] == ["proved", "said", "proved"]


@pytest.mark.parametrize(
    ("headers", "named", "told"),
    [
        (["user", "fist_name"], {}, 'fist_name: expected user, email, sms, telegram, language or an attribute of '
         'vocabulary.yml. Hint: --column "fist_name=first_name" says what it is, --column "fist_name=" leaves it out'),
        (["user", "cite"], {}, 'cite: expected user, email, sms, telegram, language or an attribute of '
         'vocabulary.yml. Hint: --column "cite=city" says what it is, --column "cite=" leaves it out'),
        (["user", "pain"], {}, 'pain: expected user, email, sms, telegram, language or an attribute of '
         'vocabulary.yml. Hint: --column "pain=NAME" says what it is, --column "pain=" leaves it out'),
        (["user", "x"], {"x": "consent"}, 'x: expected user, email, sms, telegram, language or an attribute of '
         'vocabulary.yml. Hint: --column "x=NAME" says what it is, --column "x=" leaves it out'),
        (["user", "city"], {"Stadt": "city"}, "Stadt: there is no such column"),
        (["user", "city", "Ville"], {}, "city: expected one such column, got several"),
        (["email", "city"], {}, "addresses: expected a column that tells who is who: user, or one that is proved. "
         "Hint: --proved email"),
        ([], {}, "header: expected a first line that says what the columns are, got none"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_header_is_told_with_what_would_mend_it(
    headers: list[str], named: dict[str, str], told: str
) -> None:
    assert [str(fault) for fault in columns(headers, WORDS, proved=(), named=named)[1]] == [told]


@pytest.mark.parametrize("name", ["pressure", "id", "Code postal"])
def test_a_house_without_a_vocabulary_still_keeps_to_names_of_attributes(name: str) -> None:
    found, faults = columns(["user", "shoe_size", name], Words(), proved=(), named={})
    assert [one.name for one in found] == ["user", "shoe_size"] and [fault.column for fault in faults] == [name]


def test_a_column_is_what_one_says_it_is_or_left_out() -> None:
    found, faults = columns(["Kundennummer", "Notes"], WORDS, proved=(), named={"Kundennummer": "user", "Notes": ""})
    assert not faults and found == (Column("Kundennummer", "proved", "user"), Column("Notes", "left out"))
