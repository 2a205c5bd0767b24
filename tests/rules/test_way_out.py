"""Marketing by e-mail shows how to be left alone, once, whoever wrote its template."""

import pytest

from profiles.personal_links import Offer
from profiles.timeline import Button, Content
from rules.gatekeeper import Letter
from rules.letters import Letters
from rules.personal import links_of
from rules.way_out import with_way_out
from tests.cast import NOON, anna
from tests.rules.test_personal import EMAIL, PERSONAL, SMS, person, run, template, token

LINK, PAGE = "https://shop.example/u/x.y", "https://shop.example/p/x.y"
SALE = "fr: {title: Soldes, text: 'Moins vingt.'}\nen: {title: Sale, text: 'Minus twenty.'}"


def test_a_mail_without_a_way_out_gets_one_in_its_text_and_its_html() -> None:
    content = Content("Minus twenty.", html="<html><body><p>Minus twenty.</p></BODY ></html>")
    found = with_way_out(content, LINK, (PAGE,), "en")
    assert found.text == f"Minus twenty.\n\nUnsubscribe: {LINK}"
    assert found.html.endswith(f'<a href="{LINK}">Unsubscribe</a></p></BODY ></html>')
    assert with_way_out(Content("Moins"), LINK, (), "fr").text == f"Moins\n\nSe désabonner : {LINK}"


@pytest.mark.parametrize("content", [
    Content(f"Stop: {LINK}"), Content("Hi", html=f"<a href='{PAGE}'>choose</a>"), Content("Hi", link=PAGE),
    Content("Hi", (Button("Stop", url=LINK),)), Content(silent=True),
])  # fmt: skip
def test_a_mail_that_shows_one_stays_as_it_is(content: Content) -> None:
    assert with_way_out(content, LINK, (PAGE,), "en") is content


def test_only_marketing_by_e_mail_gets_it_and_it_ends_the_topic() -> None:
    links = links_of(PERSONAL, lambda run: "offers")
    letters = Letters({"t": template(SALE)}, language="fr", links=links, is_marketing=lambda run: run.rule == "cart")
    mail = letters.write("t", EMAIL, person(anna()), run("cart"), "", "en")
    assert isinstance(mail, Letter)
    assert PERSONAL.offer_of(token(mail.content.text), NOON) == Offer(anna().id, "email", "offers")
    for other in (
        letters("t", SMS, person(anna()), run("cart"), ""),
        letters("t", EMAIL, person(anna()), run("order"), ""),
    ):
        assert isinstance(other, Letter) and other.content.text == "Moins vingt."
