"""What the columns of a file of customers are: addresses, the language, or attributes of vocabulary.yml.

A column may be called as the code calls it (first_name, sms) or as the house and people do (Prénom, Téléphone).
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from profiles.attributes import RESERVED
from profiles.expression_tree import Kind
from profiles.findings import nearest_name
from profiles.identity import USER
from profiles.text import unaccented
from rules.vocabulary_file import Words

Role = Literal["proved", "said", "language", "attribute", "left out"]

SPACES = (USER, "email", "sms", "telegram")
"""Spaces whose addresses a file may hold: no list of customers knows browsers' and apps' ids."""
LANGUAGE = "language"
TOLD = (
    "profile.id", "profile.created_at", "addresses.other", "addresses.proved", "addresses.banned", "consent.given",
    "consent.refused",
)  # fmt: skip
"""What an export (admin/export_rows.py) says beside, and an import leaves out."""
ALSO_CALLED: Mapping[str, str] = {
    "e mail": "email", "mail": "email", "courriel": "email", "adresse e mail": "email", "adresse email": "email",
    "email address": "email", "phone": "sms", "mobile": "sms", "phone number": "sms", "mobile phone": "sms",
    "telephone": "sms", "portable": "sms", "numero de telephone": "sms", "langue": LANGUAGE,
}  # fmt: skip
ALIKE = 0.75
"""How near a name is suggested: a short header is near to many (`Ref` is no `rfm`), and who follows overwrites an attribute."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_ARTICLE = re.compile(r"^((the|les?|la) |l[’'])")


@dataclass(frozen=True, slots=True)
class Column:
    """One column: what its header says, what it holds, and what that is called here."""

    header: str
    role: Role
    name: str = ""
    kind: Kind = Kind.ANY

    def __str__(self) -> str:
        shown = {"proved": "addresses, proved", "said": "addresses, only said", "attribute": f"attribute, {self.kind}"}
        about = f"{self.name} ({shown[self.role]})" if self.role in shown else self.name or "left out"
        return f"{self.header}: {about}"


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a cell, or a header."""

    column: str
    problem: str

    def __str__(self) -> str:
        return f"{self.column}: {self.problem}"


def columns(
    headers: Sequence[str], words: Words, *, proved: Iterable[str], named: Mapping[str, str]
) -> tuple[tuple[Column, ...], tuple[Fault, ...]]:
    """Return what each column is, and what is wrong with them.

    `proved`: the spaces whose addresses are proved to be theirs; `user`, the shop's own id, always is. `named`: what the
    columns of these headers are, "" for one that is left out.
    """
    called = _names(words)
    found = [_column(header.strip(), called, words, {USER, *proved}, named) for header in headers]
    good = tuple(one for one in found if isinstance(one, Column))
    faults = [one for one in found if isinstance(one, Fault)]
    unmet = [Fault(header, "there is no such column") for header in named if header not in map(str.strip, headers)]
    twice = {one.name for one in good if one.name and sum(other.name == one.name for other in good) > 1}
    faults += [*unmet, *(Fault(name, "expected one such column, got several") for name in sorted(twice))]
    if not headers:
        faults.append(Fault("header", "expected a first line that says what the columns are, got none"))
    if not faults and not any(one.role == "proved" for one in good):
        faults.append(
            Fault(
                "addresses",
                "expected a column that tells who is who: user, or one that is proved. Hint: --proved email",
            )
        )
    return good, tuple(faults)


def _names(words: Words) -> Mapping[str, str]:
    """Return what each column may be called, folded -> its name here."""
    own = {name: name for name in (*SPACES, LANGUAGE, *(words.attributes or {}))}
    spoken = {said: name for name, one in (words.attributes or {}).items() for said in one.words.values()}
    return {_folded(said): name for said, name in {**ALSO_CALLED, **spoken, **own}.items()}


def _column(
    header: str, called: Mapping[str, str], words: Words, proved: set[str], named: Mapping[str, str]
) -> Column | Fault:
    name = named.get(header)
    if name == "":
        return Column(header, "left out")
    meant = name or called.get(_folded(header)) or header
    if meant in SPACES:
        return Column(header, "proved" if meant in proved else "said", meant)
    if meant == LANGUAGE:
        return Column(header, "language", meant)
    if words.attributes is None and _NAME.fullmatch(meant) and meant not in RESERVED:
        return Column(header, "attribute", meant)
    if words.attributes and meant in words.attributes:
        return Column(header, "attribute", meant, words.attributes[meant].kind)
    if meant in TOLD:
        return Column(header, "left out")
    near = called.get(nearest_name(_folded(meant), called, ALIKE), "")
    known = "an attribute of vocabulary.yml" if words.attributes is not None else "an attribute such as first_name"
    hint = f'--column "{header}={near or "NAME"}" says what it is, --column "{header}=" leaves it out'
    return Fault(
        header or "a column without a header", f"expected {', '.join(SPACES)}, language or {known}. Hint: {hint}"
    )


def _folded(text: str) -> str:
    """Return a name without capitals, accents, article, marks: `La date de naissance` is date de naissance."""
    return " ".join(re.split(r"[\W_]+", _ARTICLE.sub("", unaccented(text.strip()).casefold(), count=1))).strip()
