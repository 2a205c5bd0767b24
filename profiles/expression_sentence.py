"""A condition in plain words, in French or in English, so that a marketer can check what a rule says."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal

from profiles.duration import Duration
from profiles.expression_tree import (
    Apart,
    Arithmetic,
    Both,
    Call,
    Clock,
    Compare,
    Contact,
    Did,
    Either,
    Extra,
    Has,
    Kind,
    Last,
    Listing,
    Literal,
    Member,
    Negation,
    Node,
    Property,
    Reached,
    Reacted,
    Segment,
    SentCount,
    Shift,
    Span,
    Thread,
    Total,
    Truth,
)
from profiles.expression_words import NAMES, OWNERS, PHRASES, UNITS

Words = Mapping[str, Mapping[str, str]]

_PLAIN = re.compile(r"[\w.+-]+")
_SIGNS = {"+": "+", "-": "−", "*": "×", "/": "÷"}


def sentence(tree: Node, language: str, words: Words) -> str:
    """Return what the tree says, without a capital or a full stop; `words` name what is named in it."""
    return _Speaker("fr" if language.startswith("fr") else "en", words).said(tree)


@dataclass(frozen=True, slots=True)
class _Speaker:
    language: str
    words: Words

    def said(self, node: Node) -> str:
        match node:
            case Both(items=items):
                return self.phrase("and").join(self._apart(item, Either) for item in items)
            case Either(items=items):
                return self.phrase("or").join(self._apart(item, Both) for item in items)
            case Negation(item=item):
                return self._negated(item)
            case Compare(op=op, left=Thread(name="owner"), right=Literal(value=who)) if (op, who) in OWNERS:
                return OWNERS[op, str(who)][self.language]
            case Compare(op=op, left=left, right=right, bracket=bracket):
                if said := self._from_now(node):
                    return said
                moment = "at" if bracket in (Kind.DATE, Kind.INSTANT) else ""
                return self.phrase(op + moment, self.value(left), self.value(right))
            case Member():
                return self._member(node)
            case Truth(value=Thread(name=("open" | "waiting") as name)):
                return self._name(f"conversation.{name}", name)
            case Truth(value=value):
                return self.phrase("truth", self.value(value))
            case Has(value=value):
                return self.phrase("has", self.value(value))
            case Did():
                return self._did(node, is_negated=False)
            case SentCount():
                return self._counted(self._sent(node), node.op, node.count, node.within)
            case Reached(channel=name):
                return self.phrase("reached", name)
            case Segment(name=name):
                return self.phrase("segment", self._quoted(name))
            case Reacted(verb=verb, step=step):
                return self.phrase(verb, self._quoted(step))
            case _:
                return self.value(node)

    def value(self, node: Node) -> str:
        match node:
            case Literal(value=value):
                return self._constant(value)
            case Contact(name=name):
                return self._name(f"contact.{name}", name)
            case Property(root="start", name=name):
                return self.phrase("start", self._name(f"event.{name}", name))
            case Property(name=name):
                return self._name(f"event.{name}", name)
            case Thread(name=name):
                return self.phrase("conversation", self._name(f"conversation.{name}", name))
            case Extra(name=name):
                return self._name(name, name)
            case Clock(kind=kind):
                return self.phrase("today" if kind is Kind.DATE else "now")
            case Shift():
                return self._shift(node)
            case Apart(left=left, right=right):
                return self.phrase("apart", self.value(left), self.value(right))
            case Arithmetic(op=op, left=left, right=right):
                return f"({self.value(left)} {_SIGNS[op]} {self.value(right)})"
            case Total(span=span, property=name):
                total = self.phrase("sum", self._name(f"event.{name}", name), self._quoted(span.event))
                return self._spanned(total, span)
            case Last(span=span, property=name):
                newest = self.phrase("newest", self._name(f"event.{name}", name), self._quoted(span.event))
                return self._spanned(newest, span)
            case Call(name=name, items=items):
                return self.phrase(name, *(self.value(item) for item in items))
            case _:
                return self.said(node)

    def phrase(self, key: str, *parts: str) -> str:
        return PHRASES[self.language][key].format(*parts, **({"de0": _of(parts[0])} if parts else {}))

    def _apart(self, item: Node, other: type[Both] | type[Either]) -> str:
        return f"({self.said(item)})" if isinstance(item, other) else self.said(item)

    def _negated(self, item: Node) -> str:
        match item:
            case Did():
                return self._did(item, is_negated=True)
            case Call(name=name, items=items):
                return self.phrase(f"not {name}", *(self.value(one) for one in items))
            case Has(value=value):
                return self.phrase("not has", self.value(value))
            case Reached(channel=name):
                return self.phrase("not reached", name)
            case Segment(name=name):
                return self.phrase("not segment", self._quoted(name))
            case Truth(value=value) if not isinstance(value, Thread):
                return self.phrase("not truth", self.value(value))
            case _:
                inside = self.said(item)
                return self.phrase("not", f"({inside})" if isinstance(item, (Both, Either)) else inside)

    def _from_now(self, node: Compare) -> str | None:
        """Return "is more than 30 days ago" for what is compared with now - "30d"."""
        if isinstance(node.right, Shift) and isinstance(node.right.moment, Clock) and node.op not in ("==", "!="):
            later = {"-": "younger", "+": "farther"}[node.right.op]
            earlier = {"-": "older", "+": "nearer"}[node.right.op]
            return self.phrase(
                later if node.op.startswith(">") else earlier, self.value(node.left), self._length(node.right.by)
            )
        return None

    def _member(self, node: Member) -> str:
        if isinstance(node.container, Listing):
            values = [self._constant(value) for value in node.container.values]
            between = self.phrase("neither" if node.is_negated else "or")
            return self.phrase("not in" if node.is_negated else "in", self.value(node.item), _listed(values, between))
        held = "not among" if node.is_negated else "among"
        return self.phrase(held, self.value(node.item), self.value(node.container))

    def _did(self, node: Did, *, is_negated: bool) -> str:
        is_plain = (node.op, node.count) == (">=", 1)
        if is_negated and not is_plain:
            return self.phrase("not", self._did(node, is_negated=False))
        done = self._word(node.span.event) or self.phrase("did", self._quoted(node.span.event))
        done = _not_done(done, self.language) if is_negated else done
        if node.span.where is not None:
            done = self.phrase("where", done, self.said(node.span.where))
        if is_negated and node.span.within:
            return self.phrase("within", done, self._last(node.span.within))
        return self._counted(done, node.op, node.count, node.span.within)

    def _counted(self, done: str, op: str, count: int, within: Duration | None) -> str:
        if (op, count) == (">=", 1):
            return self.phrase("ago", done, self._length(within)) if within else done
        times = self.phrase(f"times{op}", done, str(count))
        return self.phrase("within", times, self._last(within)) if within else times

    def _sent(self, node: SentCount) -> str:
        said = self.phrase("sent")
        for key, name in (("rule", node.rule), ("label", node.label), ("topic", node.topic), ("channel", node.channel)):
            said = self.phrase(f"sent {key}", said, self._quoted(name)) if name else said
        return said

    def _spanned(self, said: str, span: Span) -> str:
        said = self.phrase("where", said, self.said(span.where)) if span.where is not None else said
        return self.phrase("span", said, self._last(span.within)) if span.within else said

    def _shift(self, node: Shift) -> str:
        length = self._length(node.by)
        if isinstance(node.moment, Clock):
            return self.phrase(("today" if node.moment.kind is Kind.DATE else "now") + node.op, length)
        return self.phrase(node.op, length, self.value(node.moment))

    def _length(self, length: Duration) -> str:
        one, many, _, _ = UNITS[self.language][length.unit]
        return f"{length.count} {one if length.count == 1 else _years_counted(many)}"

    def _last(self, length: Duration) -> str:
        one, many, last, last_one = UNITS[self.language][length.unit]
        if length.count == 1:
            return self.phrase("last one", "1", "année" if one == "an" else one, last_one)
        return self.phrase("last", str(length.count), many, last)

    def _constant(self, value: object) -> str:
        match value:
            case bool():
                return self.phrase("true" if value else "false")
            case int() | float():
                return format_decimal(value, locale=self.language)
            case datetime():
                return self.phrase("on", format_datetime(value, "d MMMM y HH:mm 'UTC'", locale=self.language))
            case date():
                return self.phrase("on", format_date(value, "d MMMM y", locale=self.language))
            case Duration():
                return self._length(value)
            case _:
                return str(value) if _PLAIN.fullmatch(str(value)) else self._quoted(str(value))

    def _name(self, key: str, name: str) -> str:
        return self._word(key) or self._quoted(name)

    def _word(self, key: str) -> str | None:
        for words in (self.words, NAMES):
            if word := words.get(key, {}).get(self.language):
                return word
        return None

    def _quoted(self, name: str) -> str:
        return self.phrase("quoted", name)


def _listed(values: list[str], between: str) -> str:
    return between.join([", ".join(values[:-1]), values[-1]]) if len(values) > 1 else values[0]


def _of(named: str) -> str:
    """Return French "de" before a name: du pays, des étiquettes, de la ville."""
    for article, merged in (("le ", "du "), ("les ", "des ")):
        if named.startswith(article):
            return merged + named.removeprefix(article)
    return f"d’{named}" if named[:1] in "aeéêiou" else f"de {named}"


def _years_counted(many: str) -> str:
    return {"années": "ans"}.get(many, many)  # French counts "2 ans", but says "les 2 dernières années"


def _not_done(done: str, language: str) -> str:
    """Return "a payé une commande" as "n’a pas payé de commande", "has paid an order" as "has not paid an order"."""
    verb, _, rest = done.partition(" ")
    if language == "fr":
        negated = "n’" if verb[:1] in "aeéêiou" else "ne "
        return f"{negated}{verb} pas {re.sub(r' (une?|des) ', ' de ', rest, count=1)}"
    return f"{verb} not {rest}"
