"""What is new in a mail: its text without the mail it answers and without the signature. Pure.

There is no standard for quotes, only habits of mail programs; the rules here follow those of Gmail, Outlook, Apple Mail, Yahoo,
GMX, Zimbra, Samsung's and Thunderbird in French, English and German. Where a rule would leave nothing, or the answer stands
between the quoted lines, all is kept.
"""

import re

LONGEST = 200_000  # characters that are looked at
MOST_LINES = 3_000  # in which a quote is looked for

_WROTE = re.compile(
    r"(?=.*\d)(?:(?:on|le|am|el)\b.{5,300}(?:wrote|(?<!['’])a écrit|schrieb|escribió|folgendes geschrieben)\s?:?|"
    r"am\b.{5,300}\bschrieb (?!mir\b|uns\b|ich\b).{2,200}:)\s*",
    re.IGNORECASE | re.DOTALL,
)
_STAMPED = re.compile(r"\d\s?[:h]\s?\d\d|\S@\S", re.IGNORECASE)
"""A time of day or an address, which every program names; people who tell of a letter name neither."""
_BARE_WROTE = re.compile(r".{3,200}(?:wrote|a écrit|schrieb)\s?:", re.IGNORECASE)
_ORIGINAL = re.compile(
    r"[-_]{3,}\s?(?:original message|(?:message|mail|courriel) (?:d['’]origine|original)|"
    r"ursprüngliche (?:nachricht|e-?mail)|original-?nachricht)\s?[-_]{3,}",
    re.IGNORECASE,
)
_RULE = re.compile(r"_{20,}|-{20,}")
_HEADER = re.compile(r"\*?(?:from|de|von|sent|gesendet)\s?:\*?\s.{1,300}", re.IGNORECASE)
_NEXT_HEADER = re.compile(
    r"\*?(?:from|sent|date|to|subject|cc|de|envoyé(?: le)?|à|a|objet|von|gesendet|datum|an|betreff)\s?:\*?.{0,300}",
    re.IGNORECASE,
)
_CERTAIN = re.compile(r"\*?(?:subject|objet|betreff)\s?:.*|.*\S@\S.*", re.IGNORECASE)
"""What Outlook's block has and the "From: Paris, To: Lyon" of a person has not: a subject, or an address."""
_SENT_BY = re.compile(
    r"(?:sent from (?:my|outlook|yahoo|mail for)|sent with proton|get outlook for|"
    r"envoyé (?:de|depuis|à partir d[e'’]) ?(?:mon|ma|yahoo|outlook)|envoyé avec la messagerie sécurisée|"
    r"télécharger outlook|obten(?:ez|ir) outlook|provenance : courrier|"
    r"von mein.{1,40} gesendet|gesendet (?:von (?:mein|outlook|yahoo)|mit (?:yahoo|proton))|"
    r"outlook für (?:ios|android)|holen sie sich outlook).{0,120}",
    re.IGNORECASE,
)
_MOST_WRAPPED = 3  # lines over which a program may wrap "On ... wrote:"


def fresh(text: str) -> str:
    """Return what the person wrote for this mail."""
    lines = [line.rstrip() for line in text[:LONGEST].replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    written = _unquoted(lines)
    kept = "\n".join(_unsigned(written)).strip()
    return kept or "\n".join(lines).strip()


def _unquoted(lines: list[str]) -> list[str]:
    begin, marked = _quote(lines)
    if begin is None:
        return lines
    if marked is None:
        return lines[:begin] if _has_words(lines[:begin]) else lines
    rest = lines[marked:]
    runs = _runs(rest)
    if sum(1 for is_quoted, run in runs if not is_quoted and _has_words(_unsigned(run))) == 0:
        return lines[:begin]
    if len([1 for is_quoted, _ in runs if is_quoted]) > 1:
        return lines  # the answers stand between the questions
    after = [line for is_quoted, run in runs if not is_quoted for line in run]
    return [*lines[:begin], *after]


def _quote(lines: list[str]) -> tuple[int | None, int | None]:
    """Return where a quote begins, and where its lines marked by > do, None when it has no marks; None for no quote."""
    for at, line in enumerate(lines[:MOST_LINES]):
        if line.startswith(">"):
            return at, at
        if not line:
            continue
        if ends := _attribution(lines, at):
            marked = next((place for place in range(ends, min(ends + 3, len(lines))) if lines[place]), None)
            return at, marked if marked is not None and lines[marked].startswith(">") else None
        if _ORIGINAL.fullmatch(line.strip()) or _is_header(lines, at):
            return at, None
    return None, None


def _attribution(lines: list[str], at: int) -> int:
    """Return the line behind "On Monday Anna wrote:", which may be wrapped; 0 when this is none."""
    for length in range(1, _MOST_WRAPPED + 1):
        said = " ".join(line.strip() for line in lines[at : at + length])
        is_marked = any(line.startswith(">") for line in lines[at + length : at + length + 2])
        if _WROTE.fullmatch(said) and (is_marked or _STAMPED.search(said)):
            return at + length
        if length == 1 and is_marked and _BARE_WROTE.fullmatch(said):
            return at + 1
    return 0


def _is_header(lines: list[str], at: int) -> bool:
    """Return whether Outlook's block of From, Sent, To, Subject begins here, below its rule or without one."""
    if _RULE.fullmatch(lines[at].strip()):
        at += 1
    below = [line.strip() for line in lines[at : at + 5] if line]
    if not (below and _HEADER.fullmatch(below[0])):
        return False
    others = [line for line in below[1:] if _NEXT_HEADER.fullmatch(line)]
    return len(others) >= 2 and any(_CERTAIN.fullmatch(line) for line in [below[0], *others])


def _runs(lines: list[str]) -> list[tuple[bool, list[str]]]:
    """Return the stretches of quoted and unquoted lines in turn; blank ones belong to the stretch they stand in."""
    found: list[tuple[bool, list[str]]] = []
    for line in lines:
        is_quoted = line.startswith(">") or bool(not line and found and found[-1][0])
        if not found or found[-1][0] != is_quoted:
            found.append((is_quoted, []))
        found[-1][1].append(line)
    return found


def _unsigned(lines: list[str]) -> list[str]:
    """Return the lines above the signature: below "-- " (RFC 3676 section 4.3), or what a telephone adds by itself."""
    last = max((at for at, line in enumerate(lines) if line.strip()), default=0)
    for at, line in enumerate(lines):
        if line in ("--", "-- ") or (at == last and _SENT_BY.fullmatch(line.strip())):
            return lines[:at] if _has_words(lines[:at]) else lines
    return lines


def _has_words(lines: list[str]) -> bool:
    return any(line.strip() for line in lines)
