"""Is this whole message one of the words that a person may always say: stop, start again, help?

Carriers and regulators fix the words (CTIA Short Code Monitoring Handbook; in France ARCEP and af2m for STOP), people
write them with accents, dots and emoji. Only the whole message counts: "stop by tomorrow?" is a question. Where people talk
with a bot, the words that they say to it all day ("cancel", "end", "info") are left to it, and so is Telegram's own /start.
"""

import re
import unicodedata
from functools import lru_cache
from itertools import filterfalse
from typing import Literal

Keyword = Literal["stop", "start", "help"]
LONGEST = 40  # characters; nobody's keyword is longer, and a long text need not be folded to know it

_WORDS: dict[Keyword, frozenset[str]] = {
    "stop": frozenset(
        {
            "stop", "stopall", "stop all", "unsubscribe", "cancel", "end", "quit", "revoke", "optout", "opt out",
            "arret", "arreter", "arretez", "desabonner", "desabonnement", "me desabonner", "desinscrire",
            "desinscription", "me desinscrire", "stop sms", "stopsms", "stop pub",
            "stopp", "abmelden", "baja",
        }
    ),
    "start": frozenset({"start", "unstop", "resume", "subscribe", "reprendre", "reprise", "reabonner", "me reabonner"}),
    "help": frozenset({"help", "info", "aide", "hilfe", "ayuda"}),
}  # fmt: skip
_BETWEEN_WORDS = re.compile(r"[\W_]+")
_YES = frozenset({"yes", "oui"})
_TO_THE_BOT = frozenset({"cancel", "end", "quit", "revoke", "resume", "help", "info", "aide", "hilfe", "ayuda"})

# Each fits one SMS in the GSM-7 alphabet (no ê or curly apostrophe), so that it costs one segment.
CONFIRMATIONS: dict[Keyword, dict[str, str]] = {
    "stop": {
        "en": "Understood: we will not write to you here any more. Reply START to hear from us again.",
        "fr": "C'est noté : nous ne vous écrirons plus ici. Répondez REPRENDRE pour recevoir à nouveau nos messages.",
    },
    "start": {
        "en": "Welcome back: you will hear from us here again. Reply STOP to end it.",
        "fr": "Bon retour : vous recevrez à nouveau nos messages ici. Répondez STOP pour ne plus en recevoir.",
    },
    "help": {
        "en": "Write your question here and we will answer. Reply STOP to receive no more messages.",
        "fr": "Posez votre question ici, nous vous répondrons. Répondez STOP pour ne plus recevoir de messages.",
    },
}

# Where STOP ends what rules write and nothing else: people may still write there, and are answered.
IN_CHAT: dict[Keyword, dict[str, str]] = {
    "stop": {
        "en": "Understood: no more offers or reminders from us here. You can still write to us, and we will answer. "
        "Reply START to hear from us again.",
        "fr": "C'est noté : plus d'offres ni de rappels de notre part ici. Vous pouvez toujours nous écrire, nous "
        "répondrons. Répondez REPRENDRE pour en recevoir à nouveau.",
    },
    "start": {
        "en": "Welcome back: what you had agreed to holds here again. Reply STOP to end it.",
        "fr": "Bon retour : ce que vous aviez accepté vaut de nouveau ici. Répondez STOP pour l'arrêter.",
    },
}
NO_START = {
    "en": "Understood: no more offers or reminders from us here. You can still write to us, and we will answer.",
    "fr": "C'est noté : plus d'offres ni de rappels de notre part ici. Vous pouvez toujours nous écrire, nous répondrons.",
}
"""Where START is not obeyed, for anybody can write under anybody's name (e-mail)."""
CHOOSE = {"en": "Choose in detail", "fr": "Choisir en détail"}


def keyword(text: str, *, opted_out: bool = False, in_chat: bool = False) -> Keyword | None:
    """Return which of the three the whole text says, or None. A plain yes resumes only for somebody who is opted out."""
    words = _folded(text)
    if in_chat:
        if words in _TO_THE_BOT or (text.lstrip().startswith("/") and words != "stop"):
            return None
        opted_out = False  # there, a yes answers the bot's question
    if opted_out and words in _YES:
        return "start"
    return next((kind for kind, known in _WORDS.items() if words in known), None)


def spoken_to(language: str | None) -> str:
    """Return the language of these texts for a person of this one: `fr` for `fr-CA`, English for whose we have not."""
    spoken = (language or "en").split("-")[0].lower()
    return spoken if spoken in CHOOSE else "en"


def confirmation(kind: Keyword, language: str | None) -> str:
    """Return what to answer, in the person's language where we have it."""
    return CONFIRMATIONS[kind][spoken_to(language)]


def chat_confirmation(kind: Keyword, language: str | None, *, hears_start: bool = True) -> tuple[str, str]:
    """Return what to answer where a bot talks, and the title of the button that opens the person's own page."""
    texts = IN_CHAT[kind] if hears_start else NO_START
    return texts[spoken_to(language)], CHOOSE[spoken_to(language)]


def _folded(text: str) -> str:
    """Return the words alone, without case, accents, punctuation, emoji or invisible characters."""
    trimmed = text.strip()
    return _folded_short(trimmed) if len(trimmed) <= LONGEST else ""


@lru_cache(256)  # every message is asked twice: before it is thought of, and then
def _folded_short(trimmed: str) -> str:
    bare = trimmed if trimmed.isascii() else "".join(filterfalse(_is_unheard, unicodedata.normalize("NFKD", trimmed)))
    return _BETWEEN_WORDS.sub(" ", bare).casefold().strip()


def _is_unheard(char: str) -> bool:
    return unicodedata.category(char) in ("Mn", "Cf")
