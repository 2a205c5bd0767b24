"""What a log line looks like, and what may never stand in one: secrets, addresses, the words of customers.

One line is `instant LEVEL event key=value ...`. Every line is redacted on its way out, whoever wrote it: the Telegram API has
its token in the URL, and libraries log URLs. An exception is told by type and place; its text may quote a customer, so it
comes only with level DEBUG.
"""

import logging
import re
import sys
import time
import traceback
from collections.abc import Iterable
from types import TracebackType
from typing import TextIO

from profiles.secret import Secret

LONGEST_LINE = 8_000  # characters; bounds the work of the patterns too
FRAMES = 6
TALKATIVE = (
    "apscheduler",
    "httpx",
    "httpcore",
    "telegram",
    "pymongo",
    "motor",
    "aiohttp.access",
    "rasa_sdk",
    "asyncio",
)

NO_REQUEST = ("HttpProcessingError", "RequestPayloadError")  # aiohttp's; named, so that commands need not import it

_PATTERNS = (
    (re.compile(r"(?<!\d)\d{6,12}:[A-Za-z0-9_-]{30,}"), "[token]"),  # Telegram's, also inside /bot<token>/
    (re.compile(r"\beyJ[\w-]{8,}\.[\w-]+\.[\w-]+"), "[token]"),  # JSON web tokens
    (
        re.compile(r"\b(?:ck_\w{8}_\w{20,}|whsec_[\w+/=-]{20,}|v1\.[0-9a-f]{32}\.[\w-]+)"),
        "[token]",
    ),  # keys, visitors' tokens
    (
        re.compile(r"/(p|p/confirm|u|l|o|w|welcome)/[\w.-]{16,}"),
        r"/\1/[token]",
    ),  # links that open something to whoever has them
    (re.compile(r"://[^\s/@]{1,400}@"), "://[secret]@"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{6,}"), r"\1 [secret]"),
    (
        re.compile(
            r"(?i)((?:password|passwd|pwd|secret|token|api[_-]?key|authorization|signature|cookie|hmac)[\"']?\s*[=:]\s*[\"']?)"
            r"(?!\[secret\]|bearer|basic)[^\s\"',&;]+"
        ),
        r"\1[secret]",
    ),
    (re.compile(r"[\w.+%-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+"), "[e-mail]"),
    (re.compile(r"(?<![\w.])0\d(?:[ .-]\d\d){4}(?!\w)"), "[phone]"),  # 06.12.34.56.78
    (re.compile(r"(?<![\w.])(?!\d{4}-\d\d-\d\d)\+?\d(?:[ ()-]{0,2}\d){8,14}(?!\w)"), "[phone]"),
)


def configure(level: str, hidden: Iterable[Secret] = (), stream: TextIO | None = None) -> None:
    """Send all logs to this stream (standard error), redacted; `hidden` are secrets to blot out wherever they stand.

    Raises ValueError for a level that is none of DEBUG, INFO, WARNING, ERROR.
    """
    root = logging.getLogger()
    root.setLevel(level)
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(OneLine(hidden, shows_causes=level == "DEBUG"))
    root.handlers[:] = [handler]
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("aiohttp.server").addFilter(_malformed)
    logging.captureWarnings(True)


def redact(text: str, hidden: Iterable[str] = ()) -> str:
    """Return the text without tokens, passwords, e-mail addresses and what looks like a phone number."""
    for secret in hidden:
        text = text.replace(secret, "[secret]")
    for pattern, instead in _PATTERNS:
        text = pattern.sub(instead, text)
    return text


def _malformed(record: logging.LogRecord) -> bool:
    """Let bytes that are no request be told at INFO, without whose they were: scanners send them all day, and nobody need act.

    aiohttp tells them as errors, with the address that they came from.
    """
    error = record.exc_info[0] if record.exc_info else None
    if error is None or not any(kind.__name__ in NO_REQUEST for kind in error.__mro__):
        return True
    record.levelno, record.levelname = logging.INFO, "INFO"
    record.msg, record.args, record.exc_info = "http.malformed error=%s", (error.__name__,), None
    return logging.getLogger().isEnabledFor(logging.INFO)


class OneLine(logging.Formatter):
    """Formats a record as one redacted line; line breaks inside it are shown as \\n, so nobody can forge a second line."""

    def __init__(self, hidden: Iterable[Secret] = (), *, shows_causes: bool = False) -> None:
        super().__init__()
        self._hidden = tuple(secret.reveal() for secret in hidden if len(secret.reveal()) >= 6)
        self._shows_causes = shows_causes

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, without its line break."""
        said = record.getMessage()
        if record.exc_info and record.exc_info[1]:
            said += f" {self._cause(record.exc_info[1], record.exc_info[2])}"
        said = redact(said[:LONGEST_LINE], self._hidden)
        said = "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in said)
        at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        return f"{at}.{int(record.msecs):03}Z {record.levelname} {said}"

    def _cause(self, error: BaseException, trace: TracebackType | None) -> str:
        frames = traceback.extract_tb(trace)[-FRAMES:]
        place = " > ".join(f"{_short(frame.filename)}:{frame.lineno}" for frame in frames)
        text = f" text={error}" if self._shows_causes else ""
        return f"exception={type(error).__name__} at={place}{text}"


def _short(filename: str) -> str:
    return "/".join(filename.split("/")[-2:])
