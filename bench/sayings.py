"""What people write in the benchmarks: thousands of different texts, as long and as varied as messages are.

A few fixed sentences flatter whoever remembers: the search entry of a group would hold the same thirty words each time, and the
bot would have heard every question before. Words are drawn as language draws them (Zipf: the n-th most frequent about 1/n of
the time), from the commonest of two languages and a long tail of names, products and numbers. The same on every run.
"""

import random
from collections.abc import Iterator
from itertools import accumulate

TEXTS = 5_000
RARE_WORDS = 20_000
MEDIAN_WORDS, SPREAD, MOST_WORDS = 8, 0.7, 60  # lengths are log-normal: most messages are short, a few are letters

_COMMON = (
    "je de est pas le vous la tu que un il et à a ne les ce en on ça une ai pour des moi qui nous mais y me dans du bien elle si "
    "tout plus non mon suis te au avec va oui toi fait ils as être faire se quoi sur quand merci bonjour commande veste taille "
    "the i you to a it is and of that in my for on me have what not be this do was with are so but your can just order parcel "
    "we if no at all please when there from got how good would one still size shop jacket broken thanks hello photo delivery"
)
_SYLLABLES = (
    "ba",
    "do",
    "ka",
    "le",
    "mi",
    "no",
    "ra",
    "su",
    "ti",
    "vo",
    "zel",
    "mar",
    "lin",
    "chou",
    "ber",
    "thé",
    "gar",
    "pon",
)

_ENGLISH = (
    "what are your opening hours {}", "when are you open {}", "are you open {}", "at what time do you open {}",
    "what time do you close {}", "is the shop open {}",
)  # fmt: skip
_FRENCH = (
    "quels sont vos horaires {}", "à quelle heure ouvrez-vous {}", "vous êtes ouverts {}", "à quelle heure fermez-vous {}",
    "le magasin est ouvert {}",
)  # fmt: skip
_DAYS = "monday tuesday wednesday thursday friday saturday sunday today tomorrow"
_JOURS = "lundi mardi mercredi jeudi vendredi samedi dimanche demain aujourd'hui"
_CIVIL = (
    ("", "Hello, ", "Hi, ", "hey ", "Good morning, ", "good evening "),
    ("", "?", " please", " thanks", " thank you", " ??"),
)
_POLI = (
    ("", "Bonjour, ", "Salut, ", "bonsoir ", "Bonjour madame, "),
    ("", " ?", " svp", " s'il vous plaît", " merci", " merci d'avance"),
)


def small_talk(seed: int = 1) -> Iterator[str]:
    """Yield what people write to an agent."""
    chance = random.Random(seed)
    words = [
        *_COMMON.split(),
        *("".join(chance.choices(_SYLLABLES, k=chance.randint(2, 4))) for _ in range(RARE_WORDS)),
    ]
    weights = tuple(accumulate(1 / (rank + 2.7) for rank in range(len(words))))
    for _ in range(TEXTS):
        length = min(MOST_WORDS, max(1, round(MEDIAN_WORDS * chance.lognormvariate(0, SPREAD))))
        yield " ".join(chance.choices(words, cum_weights=weights, k=length)).capitalize() + chance.choice(
            (".", "", " ?", "!")
        )


def questions() -> Iterator[str]:
    """Yield what people ask the shipped bot: understood and answered at once, no form left open, nobody handed over."""
    for (before, after), asked, days in ((_CIVIL, _ENGLISH, _DAYS), (_POLI, _FRENCH, _JOURS)):
        yield from (
            hello + ask.format(day) + end for hello in before for ask in asked for day in days.split() for end in after
        )
    yield from ("hello", "Bonjour", "thank you very much", "merci beaucoup") * 50
