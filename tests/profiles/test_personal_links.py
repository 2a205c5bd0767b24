"""Links by which a person decides for themselves: bound to them, to a purpose and to a time."""

from datetime import timedelta

import pytest

from profiles.consent import CONFIRM_WITHIN
from profiles.personal_links import PAGE_FOR, UNSUBSCRIBE_FOR, Asked, Offer, Over, PersonalLinks
from tests.world import NOON

SECRET = b"0123456789abcdef0123456789abcdef"
LINKS = PersonalLinks(SECRET, "https://shop.example")
INSTANT = timedelta(seconds=1)


def token(link: str) -> str:
    return link.rpartition("/")[2]


def test_a_page_opens_until_its_time_is_over() -> None:
    mine = token(LINKS.preferences("anna", NOON))
    assert LINKS.page_of(mine, NOON) == "anna"
    assert LINKS.page_of(mine, NOON + PAGE_FOR - INSTANT) == "anna"
    assert LINKS.page_of(mine, NOON + PAGE_FOR) == Over()


def test_what_a_link_ends_is_said_in_it() -> None:
    offer = Offer("anna", "email", "offers", "rule:12")
    mine = token(LINKS.unsubscribe(offer, NOON))
    assert LINKS.offer_of(mine, NOON) == offer
    assert LINKS.offer_of(mine, NOON + UNSUBSCRIBE_FOR) == Over()


def test_a_confirmation_lasts_as_long_as_the_yes_waits() -> None:
    asked = Asked("anna", "email", "news", "01PROOF")
    mine = token(LINKS.confirm(asked, NOON))
    assert LINKS.asked_of(mine, NOON + CONFIRM_WITHIN - INSTANT) == asked
    assert LINKS.asked_of(mine, NOON + CONFIRM_WITHIN) == Over()


def test_a_link_for_one_purpose_opens_nothing_else() -> None:
    page = token(LINKS.preferences("anna", NOON))
    ends = token(LINKS.unsubscribe(Offer("anna", "email"), NOON))
    assert LINKS.offer_of(page, NOON) is None
    assert LINKS.page_of(ends, NOON) is None
    assert LINKS.asked_of(ends, NOON) is None


def test_every_edited_token_is_refused() -> None:
    mine = token(LINKS.preferences("anna", NOON))
    for place, letter in enumerate(mine):
        edited = f"{mine[:place]}{'A' if letter != 'A' else 'B'}{mine[place + 1 :]}"
        assert LINKS.page_of(edited, NOON) is None, place
    other = PersonalLinks(b"another installation's own secret", "https://shop.example")
    assert other.page_of(mine, NOON) is None


@pytest.mark.parametrize("given", ["", ".", "a.b", "é.é", "x" * 5_000, "\x00", "Li4.Li4"])
def test_what_is_no_token_is_refused(given: str) -> None:
    assert LINKS.page_of(given, NOON) is None


def test_a_template_may_name_each_link_that_there_is() -> None:
    found = LINKS.for_templates("anna", NOON, channel="email", topic="offers")
    assert sorted(found) == ["preferences", "unsubscribe"]
    found = PersonalLinks(SECRET, "https://shop.example", has_wallet=True).for_templates("anna", NOON, channel="email")
    assert sorted(found) == ["preferences", "unsubscribe", "wallet"]
    assert LINKS.cards_of(token(found["wallet"]), NOON) == "anna"
    assert LINKS.cards_of(token(found["preferences"]), NOON) is None
    assert LINKS.page_of(token(found["wallet"]), NOON) is None
    assert LINKS.cards_of(token(found["wallet"]), NOON + PAGE_FOR) == Over()
    ends = LINKS.for_templates("anna", NOON, channel="email", topic="offers")["unsubscribe"]
    assert LINKS.offer_of(token(ends), NOON) == Offer("anna", "email", "offers")

    start = {"name": "consent.asked", "channel": "email", "topic": "news", "asked": "01PROOF"}
    confirm = LINKS.for_templates("anna", NOON, channel="email", start=start)["confirm"]
    assert LINKS.asked_of(token(confirm), NOON) == Asked("anna", "email", "news", "01PROOF")


def test_a_link_ends_only_what_has_a_name() -> None:
    with pytest.raises(ValueError, match="expected a name"):
        LINKS.unsubscribe(Offer("anna", "email", "a.$b"), NOON)
