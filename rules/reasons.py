"""What a decision's code says to a person: one sentence in French and English for each reason that the gates give."""

import re
from collections.abc import Mapping

from profiles.duration import parse_duration
from rules.wording import often

Spoken = Mapping[str, str]
_OFTEN = re.compile(r"(\d{1,6}) per (\S+)")
_WITHOUT = re.compile(r"(?:,? (?:until|jusqu'à))? ?[:(]? ?\{0\}")
"""Where a sentence ends when nothing stands behind its word."""

REASONS: Mapping[str, Spoken] = {
    "sent": {"en": "sent", "fr": "envoyé"},
    "erased": {"en": "the contact was erased", "fr": "le contact a été effacé"},
    "merged": {"en": "the contact is now part of another one", "fr": "le contact fait partie d'un autre"},
    "no_address": {"en": "no address on this channel", "fr": "pas d'adresse sur ce canal"},
    "suppressed": {"en": "this address is banned: {0}", "fr": "cette adresse est bannie : {0}"},
    "opted_out": {"en": "the contact said no ({0})", "fr": "le contact a refusé ({0})"},
    "no_consent": {"en": "the contact never said yes ({0})", "fr": "le contact n'a jamais accepté ({0})"},
    "unconfirmed": {
        "en": "the contact's yes is not confirmed yet ({0})",
        "fr": "l'accord n'est pas encore confirmé ({0})",
    },
    "paused": {"en": "the contact asked for a pause", "fr": "le contact a demandé une pause"},
    "not_on_channel": {"en": "this topic is not sent on this channel", "fr": "ce sujet n'est pas envoyé sur ce canal"},
    "not_yet_valid": {"en": "the rule is not valid yet", "fr": "la règle n'est pas encore valable"},
    "expired": {"en": "the rule is no longer valid", "fr": "la règle n'est plus valable"},
    "late": {"en": "too late to be useful", "fr": "trop tard pour être utile"},
    "exit": {"en": "no longer needed: {0}", "fr": "devenu inutile : {0}"},
    "complaints": {
        "en": "pauses by itself: too many people call it unwanted",
        "fr": "en pause d'elle-même : trop de gens la signalent comme indésirable",
    },
    "held": {"en": "waits: {0}", "fr": "en attente : {0}"},
    "grace": {"en": "too soon after the last one ({0})", "fr": "trop tôt après le précédent ({0})"},
    "holdout": {"en": "held out, to measure by", "fr": "dans un groupe témoin, pour mesurer"},
    "quiet": {"en": "quiet hours, until {0}", "fr": "heures calmes, jusqu'à {0}"},
    "window": {"en": "outside the rule's hours, until {0}", "fr": "hors des heures de la règle, jusqu'à {0}"},
    "best_hour": {"en": "waits for the contact's best hour, {0}", "fr": "attend la meilleure heure du contact, {0}"},
    "capped": {"en": "the limit is reached ({0})", "fr": "la limite est atteinte ({0})"},
    "contended": {"en": "asked again at once", "fr": "redemandé aussitôt"},
    "superseded": {"en": "replaced by a newer message", "fr": "remplacé par un message plus récent"},
}
"""word of a code -> language -> sentence; {0} is what stands behind the word."""


BESIDE_GATES: Mapping[str, Spoken] = {
    "no_channel": {"en": "none of its channels is connected here", "fr": "aucun de ses canaux n'est connecté ici"},
    "template": {"en": "the message could not be written: {0}", "fr": "le message n'a pas pu être rédigé : {0}"},
    "audience": {"en": "not among those the rule is for", "fr": "ne fait pas partie de ceux que la règle vise"},
    "running": {"en": "already inside the rule", "fr": "est déjà dans la règle"},
    "again": {"en": "the same matter came before", "fr": "la même affaire est déjà venue"},
    "entry": {"en": "has entered often enough ({0})", "fr": "y est déjà entré assez souvent ({0})"},
    "draft": {"en": "the rule is a draft", "fr": "la règle est un brouillon"},
    "not_tester": {
        "en": "the rule is on trial, for its testers only",
        "fr": "la règle est à l'essai, pour ses testeurs",
    },
    "loop": {"en": "rules started one another too often", "fr": "des règles se sont relancées trop souvent"},
    "restarted": {"en": "begun anew by the same matter", "fr": "recommencé par le même sujet"},
    "edited": {"en": "the rule was changed meanwhile", "fr": "la règle a changé entre-temps"},
}
"""What a rule itself says, before its gates are asked or beside them (docs/marketers.md)."""


WORDS: Mapping[str, Spoken] = {
    "all": {"en": "all", "fr": "tout"},
    "topic": {"en": "topic", "fr": "sujet"},
    "label": {"en": "label", "fr": "étiquette"},
    "channel": {"en": "channel", "fr": "canal"},
    "rule": {"en": "rule", "fr": "règle"},
    "blocked": {"en": "blocked by the contact", "fr": "bloquée par le contact"},
    "bounced": {"en": "it bounced", "fr": "elle n'existe plus"},
    "complained": {"en": "the contact reported us", "fr": "le contact nous a signalés"},
    "unreachable": {"en": "out of reach", "fr": "injoignable"},
    "opted_out": {"en": "the contact said no", "fr": "le contact a refusé"},
    "goal": {"en": "the goal was reached", "fr": "le but est atteint"},
    "stop": {"en": "the contact said STOP", "fr": "le contact a dit STOP"},
}
"""What stands first behind the word of a code: a kind of thing that is then named, or why an address is banned."""


def spoken(code: str, language: str) -> str:
    """Return the sentence for a code such as `capped:label:promo` or `quiet->09:00`; an unknown code is its own sentence."""
    word, _, rest = code.partition("->")
    if not rest:
        word, _, rest = code.partition(":")
        rest = _often(rest, language) or named(*rest.partition(":")[::2], language)
    sentences = REASONS.get(word) or BESIDE_GATES.get(word)
    if sentences is None:
        return code
    sentence = _in(sentences, language)
    return sentence.format(rest) if rest else _WITHOUT.split(sentence)[0]


def _often(written: str, language: str) -> str | None:
    """Return a rule's own limit in words; None for what is none: `1 per 120d` is once in any 120 days."""
    found = _OFTEN.fullmatch(written)
    length = parse_duration(found[2]) if found else None
    return often(int(found[1]), length, language) if found and length else None


def named(kind: str, name: str, language: str) -> str:
    """Return a thing with its kind: `label promo`, in French `étiquette promo`."""
    word = _in(WORDS[kind], language) if kind in WORDS else kind
    return f"{word} {name.replace(':', ' ')}".strip()


def _in(said: Spoken, language: str) -> str:
    return said.get(language.split("-")[0].lower(), said["en"])
