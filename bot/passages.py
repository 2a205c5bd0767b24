"""The documents that a bot may answer from: `kb/**/*.md` in its folder, cut into passages at their headings.

A document may begin with front matter (YAML between two lines of three dashes): `title`, `url` (where people read it on
the web), `language`. Without it the language is the folder's or the file name's (`kb/fr/`, `delivery.fr.md`), else the
bot's. Under a heading `<!-- also: parcel, shipping -->` holds other words that people ask with. What is said is plain
text: channels know no Markdown.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from bot.cleaning import clean_text
from bot.finders import fold
from bot.training import language_of
from profiles.findings import Findings, nearest
from profiles.written import Place

LONGEST_SAID = 700
"""Characters of a passage that are said; who wants more follows the link."""
_MOST_PASSAGES = 5_000
_LARGEST_FILE = 1_000_000
_KEYS = ("title", "url", "language")

# Every repeat that can begin anywhere has a bound: without one the time grows with the square of the document's length.
_HEADING = re.compile(r"(#{1,6})[ \t]+(.{1,300}?)[ \t]*#*$")
_ANCHOR = re.compile(r"\s*\{#([\w-]+)\}$")
_ALSO = re.compile(r"<!--\s*also:(.*?)-->", re.S | re.I)
_COMMENT = re.compile(r"<!--.*?-->", re.S)
_IMAGE = re.compile(r"!\[([^\]]{0,500})\]\([^)]{0,2000}\)")
_LINK = re.compile(r"\[([^\]]{1,500})\]\([^)]{0,2000}\)")
_STRESS = re.compile(r"(\*\*|__|\*|`|~~)(?=\S)(.{1,500}?)(?<=\S)\1")
_BULLET = re.compile(r"^[ \t]*[*+-][ \t]+", re.M)
_WRAP = re.compile(r"(?<=\S)[ \t]*\n(?=[^\s\-\d>|])")
_SENTENCE_END = re.compile(r"[.!?…](?=\s|$)")


@dataclass(frozen=True, slots=True)
class Passage:
    """What stands under one heading."""

    id: str
    """file#anchor: for logs, events and tests."""
    language: str
    title: str
    """The headings above it and its own, as people read them."""
    text: str
    also: str = ""
    url: str | None = None


def read_passages(folder: Path, default_language: str, findings: Findings) -> tuple[Passage, ...]:
    """Return the passages of a bot's kb/ folder, none when there is no such folder; what cannot be read is noted."""
    passages: list[Passage] = []
    for path in sorted(folder.glob("kb/**/*.md")):
        shown = path.relative_to(folder).as_posix()
        text = _text_of(path, shown, findings)
        passages += _passages_in(text, shown, default_language, findings)
    if len(passages) > _MOST_PASSAGES:
        findings.error(Place("kb"), f"expected at most {_MOST_PASSAGES:,} passages; got {len(passages):,}.")
    return tuple(passages[:_MOST_PASSAGES])


def said(passage: Passage) -> str:
    """Return what the customer is told: the passage, cut after a sentence when it is long."""
    text = passage.text
    if len(text) <= LONGEST_SAID:
        return text
    ends = [match.end() for match in _SENTENCE_END.finditer(text, 0, LONGEST_SAID - 2)]
    cut = text[: ends[-1]] if ends else text[: LONGEST_SAID - 2].rsplit(" ", 1)[0]
    return f"{cut} …"


def _text_of(path: Path, shown: str, findings: Findings) -> str:
    if path.stat().st_size > _LARGEST_FILE:
        findings.error(Place(shown), f"expected at most {_LARGEST_FILE:,} bytes; got {path.stat().st_size:,}.")
        return ""
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        findings.error(Place(shown), f"expected UTF-8, got something unreadable: {error.reason}.")
        return ""


def _passages_in(text: str, shown: str, default_language: str, findings: Findings) -> Iterator[Passage]:
    front, body = _front_matter(text, shown, findings)
    language = front.get("language") or language_of(shown.removeprefix("kb/")) or default_language
    seen: Counter[str] = Counter()
    for headings, written_anchor, written in _sections(body):
        also = " ".join(" ".join(_ALSO.findall(written[: _commented(written)])).split())
        plain = _plain(written)
        if not plain:
            continue
        own = [front["title"]] if front.get("title") and headings[:1] != [front["title"]] else []
        title = " > ".join([*own, *headings])
        anchor = written_anchor or _slug(headings[-1] if headings else "")
        seen[anchor] += 1
        if seen[anchor] > 1:
            anchor = f"{anchor}_{seen[anchor] - 1}"
        url = front.get("url")
        is_top = len(headings) < 2 and not written_anchor
        yield Passage(
            id=f"{shown}#{anchor}" if anchor else shown,
            language=language,
            title=title,
            text=plain,
            also=also,
            url=(url if is_top or "#" in url else f"{url}#{anchor}") if url else None,
        )


def _front_matter(text: str, shown: str, findings: Findings) -> tuple[dict[str, str], str]:
    """Return the keys between the two lines of dashes, and what comes after them."""
    match = re.match(r"---[ \t]*\r?\n(.*?)^---[ \t]*$", text, re.S | re.M)
    if not match:
        return {}, text
    try:
        written = YAML(typ="safe", pure=True).load(match[1]) or {}
    except (YAMLError, RecursionError, ValueError):
        findings.error(Place(shown), "expected front matter in YAML, got something unreadable.", "url: https://...")
        return {}, text[match.end() :]
    if not isinstance(written, dict):
        findings.error(Place(shown), "expected keys in the front matter, got a text or a list.", "url: https://...")
        return {}, text[match.end() :]
    front: dict[str, str] = {}
    for key, value in written.items():
        if key not in _KEYS:
            problem = f'unknown key; expected one of {", ".join(_KEYS)}; got "{key}".'
            findings.error(Place(shown), problem, nearest(str(key), _KEYS))
        elif not isinstance(value, str) or not value.strip():
            findings.error(Place(shown), f"{key}: expected a text, got {value!r}.")
        else:
            front[str(key)] = clean_text(value.strip(), 500)
    if not front.get("url", "https://").startswith(("https://", "http://")):
        findings.error(Place(shown), f'url: expected https://..., got "{front.pop("url")}".')
    return front, text[match.end() :]


def _sections(body: str) -> Iterator[tuple[list[str], str, str]]:
    """Yield (headings down to here, its written anchor, what stands under it); a # in a block of code is no heading."""
    headings: list[tuple[int, str]] = []
    anchor, lines, in_code = "", [], False
    for line in body.splitlines():
        in_code ^= line.lstrip().startswith(("```", "~~~"))
        match = None if in_code else _HEADING.match(line)
        if match is None:
            lines.append(line)
            continue
        yield [name for _, name in headings], anchor, "\n".join(lines)
        level, name = len(match[1]), match[2]
        anchored = _ANCHOR.search(name)
        anchor = anchored[1] if anchored else ""
        headings = [heading for heading in headings if heading[0] < level]
        headings.append((level, _plain(_ANCHOR.sub("", name))))
        lines = []
    yield [name for _, name in headings], anchor, "\n".join(lines)


def _plain(markdown: str) -> str:
    """Return the words without marks; paragraphs and list items keep their lines, lines wrapped in the file are joined."""
    text = clean_text(markdown, _LARGEST_FILE)
    end = _commented(text)
    text = _COMMENT.sub("", text[:end]) + text[end:]
    text = _LINK.sub(r"\1", _IMAGE.sub(r"\1", text))
    for _ in range(2):  # stress inside stress
        text = _STRESS.sub(r"\2", text)
    text = re.sub(r"^[ \t]*(```|~~~).*$", "", text, flags=re.M)
    text = _BULLET.sub("- ", re.sub(r"^[ \t]*>[ \t]?", "", text, flags=re.M))
    text = _WRAP.sub(" ", "\n".join(line.strip() for line in text.splitlines()))
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def _commented(text: str) -> int:
    """Return where the last comment ends: up to there no search for an end is in vain."""
    return text.rfind("-->") + len("-->") if "-->" in text else 0


def _slug(heading: str) -> str:
    """Return the anchor of a heading as Python-Markdown makes it (markdown/extensions/toc.py); others: write {#anchor}."""
    return re.sub(r"[\s_]+", "-", re.sub(r"[^\w\s-]", "", fold(heading)).strip())
