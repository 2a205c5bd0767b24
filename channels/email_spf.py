"""Does a domain's SPF record say who may write for it, within the limits of RFC 7208? The record, not a judgement of a mail."""

import re
from dataclasses import dataclass, field

from channels.email_dns import Ask

MOST_LOOKUPS = 10  # RFC 7208 section 4.6.4: beyond it every receiver gives up, and the record counts for nothing
_ASKS = re.compile(r"[+?~-]?(a|mx|ptr|exists|include)(?=[:/]|$)|redirect(?==)", re.IGNORECASE)
_NEXT = re.compile(r"(?:[+?~-]?include:|redirect=)(\S+)", re.IGNORECASE)
_ALL = re.compile(r"([+?~-]?)all", re.IGNORECASE)


@dataclass(slots=True)
class Spf:
    """What the record of a domain says, with those it includes."""

    records: list[str] = field(default_factory=list)
    """Those of the domain itself; there must be one."""
    lookups: int = 0
    ends: str = ""
    """How it ends for everybody else: `-` no, `~` suspicious, `?` nothing said, `+` all may write; empty: it does not end."""
    uses_ptr: bool = False
    missing: list[str] = field(default_factory=list)
    """Included domains without a record."""


async def read_spf(domain: str, ask: Ask) -> Spf:
    """Return what the SPF record of this domain says. Raises Unanswered."""
    found = Spf(await _records(domain, ask))
    if found.records:
        await _follow(found.records[0], ask, found, {domain.lower()})
    return found


async def _follow(record: str, ask: Ask, found: Spf, seen: set[str]) -> None:
    for term in record.split()[1:]:
        if end := _ALL.fullmatch(term):
            found.ends = found.ends or end[1] or "+"
        if not (asks := _ASKS.match(term)):
            continue
        found.lookups += 1
        found.uses_ptr |= asks[1] is not None and asks[1].lower() == "ptr"
        named = _NEXT.fullmatch(term)
        if named is None or "%" in named[1] or found.lookups > MOST_LOOKUPS or named[1].lower() in seen:
            continue
        seen.add(named[1].lower())
        records = await _records(named[1], ask)
        if not records:
            found.missing.append(named[1])
            continue
        inner = Spf(lookups=found.lookups)
        await _follow(records[0], ask, inner, seen)
        found.lookups, found.missing = inner.lookups, found.missing + inner.missing
        found.uses_ptr |= inner.uses_ptr
        if term.lower().startswith("redirect"):
            found.ends = found.ends or inner.ends


async def _records(domain: str, ask: Ask) -> list[str]:
    return [text for text in await ask(domain, "TXT") if re.match(r"v=spf1(\s|$)", text, re.IGNORECASE)]
