"""People press links; scanners, previews and crawlers look at them."""

from datetime import UTC, datetime, timedelta

import pytest

from admin.machines import is_machine

SENT = datetime(2026, 11, 21, 12, tzinfo=UTC)
LATER = SENT + timedelta(minutes=5)
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148"


@pytest.mark.parametrize(
    "agent",
    [
        PHONE,
        "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        "Mozilla/5.0 (Linux; Android 13; CUBOT KINGKONG 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Mobile Safari",
        "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
    ],
)
def test_a_persons_browser_is_a_person(agent: str) -> None:
    assert not is_machine({"User-Agent": agent}, sent_at=SENT, now=LATER)


@pytest.mark.parametrize(
    "agent",
    [
        "",
        "Mozilla/5.0",
        "TelegramBot (like TwitterBot)",
        "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
        "WhatsApp/2.23.20.0",
        "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
        "Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5 skype-url-preview@microsoft.com",
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 HeadlessChrome/130.0",
        "python-requests/2.32",
        "curl/8.14.1",
        "BarracudaCentral",
    ],
)
def test_machines_that_say_their_name_are_machines(agent: str) -> None:
    assert is_machine({"User-Agent": agent}, sent_at=SENT, now=LATER)


@pytest.mark.parametrize(
    "header",
    [("Sec-Purpose", "prefetch;prerender"), ("Purpose", "prefetch"), ("X-Moz", "prefetch"), ("X-Purpose", "preview")],
)
def test_what_fetches_ahead_has_not_pressed(header: tuple[str, str]) -> None:
    assert is_machine({"User-Agent": PHONE, header[0]: header[1]}, sent_at=SENT, now=LATER)


@pytest.mark.parametrize(("seconds", "expected"), [(0, True), (1.9, True), (2, False), (60, False)])
def test_nobody_presses_within_two_seconds_of_the_sending(seconds: float, expected: bool) -> None:
    assert is_machine({"User-Agent": PHONE}, sent_at=SENT, now=SENT + timedelta(seconds=seconds)) is expected
