"""Planted secrets and addresses never reach a log line, whoever logs them and however."""

import io
import logging
from collections.abc import Iterator

import pytest

from causerie.logs import LONGEST_LINE, configure, redact
from profiles.secret import Secret

TOKEN = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw0"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI0MiJ9.dBjftJeZ4CVPmB92K27uhbUJU1p1r"


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before = root.handlers[:], root.level
    stream = io.StringIO()
    configure("INFO", [Secret("s3cr3t-of-this-shop"), Secret("")], stream)
    yield stream
    root.handlers[:], level = before
    root.setLevel(level)
    logging.captureWarnings(False)


@pytest.mark.parametrize(
    ("text", "planted"),
    [
        (f"POST https://api.telegram.org/bot{TOKEN}/sendMessage 200", TOKEN),
        (f"token is {TOKEN}", TOKEN),
        ("mongodb://causerie:0123abcd@127.0.0.1:27017/?authSource=admin", "0123abcd"),
        ("mongodb://causerie:p%40ss:w@db1,db2/", "p%40ss"),
        (f"Authorization: Bearer {JWT}", JWT),
        (f"cookie says {JWT}", JWT),
        ("Authorization: Basic dXNlcjpwYXNz", "dXNlcjpwYXNz"),
        ("{'password': 'hunter2', 'name': 'x'}", "hunter2"),
        ('{"api_key":"ck_live_9s8d7f"}', "ck_live_9s8d7f"),
        ("webhook?secret_token=abcdef&x=1", "abcdef"),
        ("X-Twilio-Signature: 0/KCTR6DLpKmkAf8muzZqo1nDgQ=", "0/KCTR6DLpKmkAf8muzZqo1nDgQ="),
        ("key ck_a1B2c3D4_0123456789abcdefghijABCDEFGHIJ0123456789abc was refused", "0123456789abcdefghij"),
        ("signed with whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "MfKQ9r8GKYqr"),
        ("token=v1.0123456789abcdef0123456789abcdef.c2lnbmF0dXJlb2Y", "c2lnbmF0dXJl"),
        ("visitor v1.0123456789abcdef0123456789abcdef.c2lnbmF0dXJlb2Y", "c2lnbmF0dXJl"),
        ("GET https://shop.example/p/nmI1MTKZM2EfYW5uYQ.kRpN8fWI0yMrI4C7", "kRpN8fWI"),
        ("GET /console/welcome/0123456789abcdefghijABCDEFGHIJ", "0123456789abcdefghij"),
        ("identity=email:anna.martin+shop@example.co.uk", "anna.martin"),
        ("conversation=sms:+33612345678", "612345678"),
        ("to +44 (0)20 7946 0958.", "7946"),
        ("from 06.12.34.56.78", "34.56"),
        ("from 06 12 34 56 78", "34 56"),
        ("from 0612345678", "0612345678"),
        ("setting s3cr3t-of-this-shop was wrong", "s3cr3t"),
    ],
)
def test_a_planted_secret_or_address_is_redacted(lines: io.StringIO, text: str, planted: str) -> None:
    logging.getLogger("anybody").info("edge.said %s", text)
    assert planted in text
    assert planted not in lines.getvalue()
    assert "edge.said" in lines.getvalue()


@pytest.mark.parametrize(
    "text",
    [
        "rules.run skipped rule=birthday profile=01KB2M4Z8H7Q2X9RD3S5T6V7W8 reason=capped used=2 cap=2",
        "serve.ready port=8080 channels=sms_http,telegram,webchat",
        "outbound.later message=01KB2M4Z8H7Q2X9RD3S5T6V7W8 seconds=1.5 attempt=1",
        "until=2026-11-21 22:10:01.123000+00:00",
        "took=0.123456789012",
        "CAUSERIE_SERVER__PORT at 127.0.0.1:8080",
    ],
)
def test_an_ordinary_line_stays_as_it_is(text: str) -> None:
    assert redact(text) == text


def test_a_line_has_instant_level_and_event(lines: io.StringIO) -> None:
    logging.getLogger("causerie.serve").warning("serve.slow seconds=%d", 3)
    at, level, said = lines.getvalue().rstrip("\n").split(" ", 2)
    assert len(at) == len("2026-11-21T22:10:01.123Z")
    assert at.endswith("Z")
    assert (level, said) == ("WARNING", "serve.slow seconds=3")


def test_line_breaks_and_control_characters_can_not_forge_a_second_line(lines: io.StringIO) -> None:
    logging.getLogger("edge").info("edge.said path=%s", "/x\n2026-11-21 ERROR forged\r\x1b[2J\u2028end")
    assert lines.getvalue().count("\n") == 1
    assert "\\n2026-11-21 ERROR forged\\r\\x1b[2J\\u2028end" in lines.getvalue()


def failing_on(words: str) -> None:
    raise ValueError(words)


@pytest.mark.parametrize(("level", "is_shown"), [("INFO", False), ("DEBUG", True)])
def test_an_exception_is_told_by_type_and_place_and_its_words_only_at_debug(
    lines: io.StringIO, level: str, is_shown: bool
) -> None:
    configure(level, stream=lines)
    try:
        failing_on("the customer wrote this and anna@example.com")
    except ValueError as error:
        logging.getLogger("edge").error("edge.broke", exc_info=error)
    line = lines.getvalue()
    assert line.count("\n") == 1
    assert "exception=ValueError" in line
    assert "causerie/test_logs.py:" in line
    assert ("the customer wrote this" in line) is is_shown
    assert "anna@" not in line


def test_a_huge_line_is_cut_and_takes_linear_time(lines: io.StringIO) -> None:
    logging.getLogger("edge").info("edge.said %s", "1 " * 1_000_000)
    assert len(lines.getvalue()) < LONGEST_LINE + 100


def test_libraries_do_not_tell_every_request(lines: io.StringIO) -> None:
    logging.getLogger("httpx").info("HTTP Request: POST https://...")
    assert lines.getvalue() == ""


def test_an_unknown_level_is_refused() -> None:
    with pytest.raises(ValueError, match="LOUD"):
        configure("LOUD", stream=io.StringIO())
