"""What `causerie preview` and `simulate` say around the rules' own words, in the language that was asked for.

The English stands where it is said; here is its French, by that English.
"""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from rules.rehearsal import Stage, Told

_FRENCH = {
    "{state}: {contacts} in its audience now.": "{state} : {contacts} dans son audience à présent.",
    "It sends nothing.": "Elle n'envoie rien.",
    "gets nothing: nothing began": "ne reçoit rien : rien n'a commencé",
    "gets nothing: not in the rule's audience": "ne reçoit rien : hors de l'audience de la règle",
    "{since} to {until} ({zone}): {contacts}, {events}, {decisions}. Nothing was sent or written.": (
        "du {since} au {until} ({zone}) : {contacts}, {events}, {decisions}. Rien n'a été envoyé ni écrit."
    ),
    "Only the first {contacts} were played.": "Seuls les {contacts} premiers ont été joués.",
    "... and {rows} more. Hint: --all, --rule, --contact or --json": (
        "... et {rows} de plus. Conseil : --all, --rule, --contact ou --json"
    ),
    "rule": "règle",
    "sent": "envoyés",
    "waits": "attend",
    "not sent": "écartés",
    "why not, most often": "raisons les plus fréquentes",
}
_COUNTED = {
    "contact": ("contact", "contacts"),
    "event": ("événement", "événements"),
    "decision": ("décision", "décisions"),
}
_NARROW = "\u202f"


def said(language: str, text: str, **fields: str) -> str:
    """Return the sentence in this language, filled in."""
    return (_FRENCH[text] if language.startswith("fr") else text).format(**fields)


def number(language: str, count: int) -> str:
    """Return a number with its thousands set apart."""
    return f"{count:,}".replace(",", _NARROW) if language.startswith("fr") else f"{count:,}"


def counted(language: str, count: int, what: str) -> str:
    """Return so many contacts, events or decisions; French says one of none, too."""
    if language.startswith("fr"):
        return f"{number(language, count)} {_COUNTED[what][count > 1]}"
    return f"{number(language, count)} {what}{'' if count == 1 else 's'}"


def plain(row: Told) -> dict[str, Any]:
    """Return a row as JSON has it, without what is empty."""
    return {name: value for name, value in {**asdict(row), "at": row.at.isoformat()}.items() if value != ""}


def when(at: datetime, stage: Stage) -> str:
    """Return when a row happens, on the clock of the book's zone."""
    return f"{at.astimezone(stage.book.policy.zone):%Y-%m-%d %H:%M}"
