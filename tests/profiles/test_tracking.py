"""Addresses in a message become ours; where they lead is kept, and the rest of the message stays as it was."""

from dataclasses import replace

import pytest

from profiles.links import read_link, read_open, sign_link
from profiles.personal_links import Offer, PersonalLinks
from profiles.timeline import Button, Content
from profiles.tracking import MOST_LINKS, Tracked, for_agents, with_links, without_links
from tests.cast import NOON

SECRET = b"s" * 32
BASE = "https://hello.example.org"
MESSAGE = "rule:" + "ab" * 15
TRACKED = Tracked(BASE, SECRET)


def tracked(content: Content, **how: object) -> Content:
    return with_links(content, MESSAGE, replace(TRACKED, **how))  # type: ignore[arg-type]


def numbers(text: str) -> list[int]:
    """Return the numbers of our links in a text, each checked to be of this message."""
    found = []
    for piece in text.split(f"{BASE}/l/")[1:]:
        link = read_link(SECRET, piece[:32])
        assert link and link[0] == MESSAGE, piece
        found.append(link[1])
    return found


@pytest.mark.parametrize(
    ("text", "targets", "left"),
    [
        ("See https://shop.example/a.", ["https://shop.example/a"], "See ."),
        ("(https://shop.example/a)", ["https://shop.example/a"], "()"),
        ("https://en.example/Tea_(drink) !", ["https://en.example/Tea_(drink)"], " !"),
        ("https://a.example/?q=1&r=é, https://a.example/?q=1&r=é", ["https://a.example/?q=1&r=é"], ", "),
        ("HTTPS://A.example/x http://b.example", ["HTTPS://A.example/x", "http://b.example"], " "),
        ("« https://a.example/x »…", ["https://a.example/x"], "«  »…"),
        ("mailto:anna@example.org ftp://x.example javascript:alert(1) www.example.org", [],
         "mailto:anna@example.org ftp://x.example javascript:alert(1) www.example.org"),
        ("https:// http://]broken", [], "https:// http://]broken"),
        ("https://a.example/x\x01y\x7f", ["https://a.example/x"], "\x01y\x7f"),
    ],
)  # fmt: skip
def test_web_addresses_of_a_text_become_ours_and_nothing_else_does(text: str, targets: list[str], left: str) -> None:
    content = tracked(Content(text))
    assert list(content.links) == targets
    bare = content.text
    for piece in content.text.split(f"{BASE}/l/")[1:]:
        bare = bare.replace(f"{BASE}/l/{piece[:32]}", "")
    assert bare == left
    assert sorted(set(numbers(content.text))) == list(range(len(targets)))


def test_buttons_and_what_a_tap_opens_are_counted_too_and_one_target_has_one_number() -> None:
    shop = "https://shop.example/basket"
    content = tracked(
        Content(shop, buttons=(Button("Basket", url=shop), Button("Yes", payload="/yes")), link=shop + "/2")
    )
    assert content.links == (shop, shop + "/2")
    assert content.buttons[0].url and content.buttons[0].url == content.text
    assert content.buttons[1] == Button("Yes", payload="/yes")
    assert numbers(content.link) == [1]


def test_only_the_links_of_an_html_body_are_changed_and_its_escapes_are_understood() -> None:
    body = (
        "<p>https://seen.example <A class=\"x\" HREF='https://shop.example/?a=1&amp;b=2'>Shop</a>"
        '<img src="https://img.example/x.png"><a href="mailto:a@example.org">mail</a></p>'
    )
    content = tracked(Content("Shop: https://shop.example/?a=1&b=2", html=body))
    assert content.links == ("https://shop.example/?a=1&b=2",)
    assert "https://seen.example " in content.html and "https://img.example/x.png" in content.html
    assert 'href="mailto:a@example.org"' in content.html
    assert numbers(content.html) == [0]


def test_our_own_pages_are_not_counted_and_doing_it_twice_changes_nothing() -> None:
    own = f"{BASE}/p/token {BASE}/u/token https://hello.example.org.evil.example/p/x"
    once = tracked(Content(own, html=f'<a href="{BASE}/u/token">no</a>'), opens=True)
    assert once.links == ("https://hello.example.org.evil.example/p/x",)
    assert f"{BASE}/u/token" in once.html
    assert tracked(once, opens=True) == once


def test_parameters_are_added_where_the_author_wrote_none() -> None:
    utm = {"utm_source": "shop", "utm_campaign": "cart & co", "utm_content": ""}
    content = tracked(Content("https://a.example/x?utm_source=mine#part https://b.example"), parameters=utm)
    assert content.links == (
        "https://a.example/x?utm_source=mine&utm_campaign=cart+%26+co#part",
        "https://b.example?utm_source=shop&utm_campaign=cart+%26+co",
    )


def test_clicks_that_are_not_counted_leave_addresses_as_they_are() -> None:
    content = Content("https://a.example/x", html='<a href="https://a.example">x</a>')
    assert tracked(content, clicks=False) is content
    plain = tracked(content, clicks=False, parameters={"utm_source": "shop"})
    assert plain.text == "https://a.example/x?utm_source=shop" and plain.links == ()


def test_the_picture_that_tells_of_an_opening_stands_at_the_end_of_the_body() -> None:
    content = tracked(Content("x", html="<html><body><p>x</p></BODY></html>"), opens=True, clicks=False)
    before, _, after = content.html.partition(f'<img src="{BASE}/o/')
    assert before == "<html><body><p>x</p>" and after.endswith('style="display:none"></BODY></html>')
    assert read_open(SECRET, after.partition(".gif")[0]) == MESSAGE
    assert tracked(Content("x"), opens=True).html == "", "a text has no picture"


def test_more_links_than_a_token_can_number_stay_as_they_are() -> None:
    content = tracked(Content(" ".join(f"https://a.example/{number}" for number in range(MOST_LINKS + 5))))
    assert len(content.links) == MOST_LINKS
    assert content.text.endswith(f"https://a.example/{MOST_LINKS + 4}")


def test_a_long_row_of_brackets_behind_an_address_costs_nothing() -> None:
    text = "https://a.example/x" + ")" * 200_000
    assert tracked(Content(text)).text == text


@pytest.mark.parametrize("message", [MESSAGE, "api:order-1"])
def test_who_looks_at_a_message_here_sees_what_its_author_wrote(message: str) -> None:
    content = Content(
        "Go to https://a.example/x?a=1&b=2. Or (https://b.example), or https://a.example/x?a=1&b=2!",
        buttons=(Button("Basket", url="https://c.example"), Button("Yes", payload="/yes")),
        html='<body><a href="https://a.example/x?a=1&amp;b=2">a</a> <img src="https://img.example/o/x.gif"></body>',
        link="https://d.example",
    )
    counted = with_links(content, message, replace(TRACKED, opens=True))
    assert counted != content and len(counted.links) == 4
    assert without_links(counted) == content
    assert without_links(content) == content
    opened = with_links(content, message, replace(TRACKED, clicks=False, opens=True))
    assert without_links(opened) == content


def test_a_link_that_only_looks_like_ours_stays() -> None:
    strange = Content(f"https://x.example/l/{'A' * 32} https://x.example/l/abc", links=())
    assert without_links(strange) == strange
    numbered = sign_link(b"x" * 32, MESSAGE, 7)
    beyond = Content(f"https://x.example/l/{numbered}", links=("https://a.example",))
    assert without_links(beyond).text == beyond.text


def test_agents_see_no_address_that_acts_for_the_contact() -> None:
    links = PersonalLinks(SECRET, BASE)
    page, ends = links.preferences("anna", NOON), links.unsubscribe(Offer("anna", "email", "offers"), NOON)
    pressed = (Button("Stop", url=ends), Button("Hours", "/hours"))
    content = Content(f"Choose: {page}, stop: {ends}.", pressed, html=f'<a href="{ends}">x</a>', link=page)
    shown = for_agents(content)
    assert shown.text == f"Choose: {BASE}/p/…, stop: {BASE}/u/…."
    assert shown.html == f'<a href="{BASE}/u/…">x</a>'
    assert ([one.url for one in shown.buttons], shown.link) == ([f"{BASE}/u/…", None], f"{BASE}/p/…")
    assert for_agents(Content("x", link=page)).link == f"{BASE}/p/…", "also where only a tap leads there"
    plain = Content("https://shop.example/p/lamp and https://shop.example/u/profile.html")
    assert for_agents(plain) is plain
