"""The benchmark of mails sends what it says it sends, by every way."""

from bench.mail import mail


async def test_every_mail_of_every_way_is_taken() -> None:
    figures = await mail(40, 1)
    assert figures["nothing_lost"]
    assert min(figures[f"{way}_per_second"] for way in ("ours", "signed", "obvious")) > 0
