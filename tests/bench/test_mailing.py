"""The benchmark of a whole campaign believes only what arrived: its sink sees what came twice, and what is not as it should be."""

from email.message import EmailMessage
from typing import Any

import pytest

from bench.mail_sink import READ_EVERY, Counted
from bench.mailing import GROWN_MB, Round, figures_of

PAGE = "<html><body><p>Bonjour Anna</p><a href='https://crm.shop.example/l/abc'>x</a>{picture}</body></html>"


def mail(to: str = "anna@shop.example", *, is_tracked: bool = True, **without: str) -> bytes:
    """Return a mail as the benchmark's ways send it, but for the header that it goes without."""
    one = EmailMessage()
    one["To"], one["Subject"] = to, "Les soldes"
    one["List-Unsubscribe"], one["List-Unsubscribe-Post"] = (
        "<https://crm.shop.example/u/t>",
        "List-Unsubscribe=One-Click",
    )
    for name in without.values():
        del one[name]
    one.set_content("Bonjour Anna")
    picture = "<img src='https://crm.shop.example/o/t.gif'>" if is_tracked else ""
    one.add_alternative(PAGE.format(picture=picture), subtype="html")
    return one.as_bytes().replace(b"\n", b"\r\n")


def told(*mails: bytes, to: bytes = b"anna@shop.example") -> dict[str, int]:
    counted = Counted()
    for octets in mails:
        counted.take(to, octets)
    return counted.told()


def test_the_sink_counts_what_came_and_what_came_twice() -> None:
    assert told(mail()) == {"taken": 1, "twice": 0, "read": 1, "right": 1, "tracked": 1}
    assert told(mail(), mail())["twice"] == 1
    assert told(*[mail()] * (READ_EVERY + 1))["read"] == 2


@pytest.mark.parametrize(
    ("octets", "right", "tracked"),
    [
        (mail("boris@shop.example"), 0, 1),
        (mail(lacks="List-Unsubscribe-Post"), 0, 1),
        (mail(lacks="Subject"), 0, 1),
        (mail(is_tracked=False), 1, 0),
    ],
)
def test_the_sink_sees_what_is_not_as_it_should_be(octets: bytes, right: int, tracked: int) -> None:
    found = told(octets)
    assert (found["right"], found["tracked"]) == (right, tracked)


def ran(mails: int, most_mb: float) -> dict[str, Any]:
    spent = {"per_second": 3_000.0, "app_us": 100.0, "db_us": 50.0}
    return {"mails": mails, "sent": spent, "filled": spent, "resting_mb": most_mb - 5, "most_mb": most_mb}


def test_what_is_claimed_follows_from_the_figures() -> None:
    found = {"ours": [Round(3_000, 150, True)], "obvious": [Round(150, 3_000, True)], "post_office": []}
    figures = figures_of(found, [ran(10_000, 130), ran(500_000, 130 + GROWN_MB)])
    assert (figures["obvious_ratio"], figures["obvious_cpu_ratio"], figures["grown_mb"]) == (20.0, 20.0, GROWN_MB)
    assert (figures["each_once"], figures["a_second"], figures["beats_obvious"]) == (True, True, True)
    assert figures["memory_flat"] is False and "beats_post_office" not in figures
    lost = {**found, "post_office": [Round(400, 1_000, False)]}
    assert figures_of(lost, [ran(10_000, 130)])["each_once"] is False
    assert figures_of(lost, [ran(10_000, 130)])["beats_post_office"] is False
