"""A mistake in a file of the rule book as the reader's language says it.

Who finds a mistake often knows it in French (rules/file_reading.py). What is left is put together from a few frames and phrases,
and those are turned here; a phrase that nobody turned stays English within its French frame.
"""

import re

from admin.texts import typeset
from profiles.findings import ContentError

_FRAMES = (
    (r"expected YAML, got something unreadable.*", "attendu du YAML, et ceci ne se lit pas."),
    (
        r"unknown key; expected one of (?P<known>.+); got \"(?P<got>.+)\"\.",
        "clé inconnue « {got} » ; les clés d'ici : {known}.",
    ),
    (r"unknown (?P<what>[\w ]+); got \"(?P<got>.*)\"\.", "inconnu ({what}) : « {got} »."),
    (r"(?P<key>[^:]+): expected (?P<what>.+?), got (?P<got>.+)\.", "{key} : attendu {what}, trouvé {got}."),
    (r"(?P<key>[^:]+): expected (?P<what>.+)\.", "{key} : attendu {what}."),
    (r"expected (?P<what>.+?), got (?P<got>.+)\.", "attendu {what}, trouvé {got}."),
)
_HINTS = (
    (r"did you mean \"(?P<got>.+)\"\?", "vouliez-vous dire « {got} » ?"),
    (r"known: (?P<known>.+)", "connus : {known}"),
    (r"it stands in line (?P<got>\d+) already", "il est déjà à la ligne {got}"),
    (r"a quote or a bracket is not closed", "un guillemet ou un crochet n'est pas fermé"),
)
_PHRASES = tuple(
    (re.compile(english), french)
    for english, french in (
        (r"^an? (number|text|flag|date|condition|list|value|length|instant)$", r"un(e) \1"),
        (r"^nothing$|^none$", "rien"),
        (r"^keys \((.*)\)$", r"les clés (\1)"),
        (r"^one of (.+)$", r"l'un de \1"),
        (r"^all of them$", "tous"),
        (r"^at least one step$", "au moins une étape"),
        (r"^at least one in a test rule$", "au moins un dans une règle à l'essai"),
        (r"^at most (\d+) steps in a rule$", r"au plus \1 étapes dans une règle"),
        (r"^each id once$", "chaque id une seule fois"),
        (r"^each rule once$", "chaque règle une seule fois"),
        (r"^\"(.+)\" again$", r"« \1 » une seconde fois"),
        (r"^\"(.+)\" itself$", r"« \1 » elle-même"),
        (r"^another rule$", "une autre règle"),
        (r"^an expression$", "une expression"),
        (r"^an attribute$", "un attribut"),
        (r"^a known (attribute|segment)$", r"un \1 connu"),
        (r"^a date or an instant$", "une date ou un instant"),
        (r"^a text or a number$", "un texte ou un nombre"),
        (r"^== or !=$", "== ou !="),
        (r"^the key \"(.+?)\" \((.+)\)$", r"la clé « \1 »"),
        (r"^a count per length such as (.+)$", r"un compte par durée, tel que \1"),
        (r"^a length such as (.+)$", r"une durée telle que \1"),
        (r"^a length in quotes such as (.+)$", r"une durée entre guillemets telle que \1"),
        (r"^a date in quotes$", "une date entre guillemets"),
        (r"^(and|or) between conditions$", r"\1 entre deux conditions"),
        (r"^a sign before it$", "un signe devant"),
        (r"^(.+): the quote is not closed$", r"\1, dont le guillemet n'est pas fermé"),
        (r"^a file name such as (.+)$", r"un nom de fichier tel que \1"),
        (r"^a length beside on cap: wait$", "une durée à côté de on cap: wait"),
        (r"^one for consent to attach to$", "un sujet auquel attacher le consentement"),
        (r"^none in a (\w+) rule$", r"aucun, dans une règle \1"),
        (r"^(.+): invalid syntax$", r"\1, qui ne se lit pas"),
    )
)
_NOUNS = {"number": "nombre", "text": "texte", "flag": "oui ou non", "date": "date", "condition": "condition",
          "list": "liste", "value": "valeur", "length": "durée", "instant": "instant", "attribute": "attribut",
          "intent": "intention", "segment": "segment"}  # fmt: skip
_FEMININE = ("date", "condition", "list", "value", "length")


def complaint(error: ContentError, language: str) -> tuple[str, str]:
    """Return what is wrong and the hint, in this language."""
    if language != "fr":
        return error.problem, error.hint
    problem = error.french or _framed(error.problem, _FRAMES)
    return typeset(problem, language), typeset(_framed(error.hint, _HINTS), language)


def _framed(text: str, frames: tuple[tuple[str, str], ...]) -> str:
    for pattern, french in frames:
        if found := re.fullmatch(pattern, text, re.DOTALL):
            parts = found.groupdict()
            return french.format(
                **{name: part if name in ("key", "known") else _phrase(part) for name, part in parts.items()}
            )
    return text


def _phrase(text: str) -> str:
    for pattern, french in _PHRASES:
        if found := pattern.match(text):
            if french == r"un(e) \1":
                return f"{'une' if found[1] in _FEMININE else 'un'} {_NOUNS[found[1]]}".replace("un oui", "oui")
            return found.expand(french)
    return text
