"""Which answers the bot was not sure of, and which questions are the same one asked in other words: for those who teach it.

What is recorded names the message and never repeats its words: they stand in the message alone, and go with it when a person
is forgotten.
"""

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

from bot.ngrams import words_of
from bot.scene import Scene
from bot.understanding import Meaning

DOUBTED_BELOW = 0.6
"""Confidence under which an answer is shown to people: 1 to 2 of 100 on our held-out sentences, most of them right."""
NEAREST = 5

_STEM = 6  # letters: commande and commandes are one, commande and commander too
_LITTLE = """
" a ai alors apres as au aux avec avez avoir bien bonjour bonsoir c ca ce cela ces cet cette coucou d dans de des donc
du elle en es est et etre faire fait faut hello il ils j je l la le les leur ma mais me merci mes moi mon n ne nos
notre nous on ont ou par pas peut peux plait plus possible pour pourriez pouvez puis qu que quel quelle quelles quels
qui quoi s sa salut savoir se ses si sil son sont sur svp t ta te tes toi ton tu un une vos votre voudrais voulais
vous voulez y about am an and any are at be been but by can could dear did do does for from get give good has have he
hello her hey hi his i if in is it its just know like me my not of ok okay on or our please so some tell thank thanks
that the their them there they this to us want was we were what which will with would you your
"""
_SAYS_LITTLE = frozenset(_LITTLE.split())


def wording(text: str) -> str:
    """Return a name that questions in much the same words share, whatever their order, accents, endings and courtesies.

    16 hexadecimal digits that tell nothing of the words.
    """
    words = words_of(text)
    telling = {word[:_STEM] for word in words if word not in _SAYS_LITTLE} or set(words) or {text.strip().casefold()}
    return blake2b(" ".join(sorted(telling)).encode("utf-8", "replace"), digest_size=8).hexdigest()


def is_doubted(meaning: Meaning, misunderstood: frozenset[str]) -> bool:
    """Whether the bot answered by an intent it was not sure of."""
    return bool(meaning.intent) and meaning.intent not in misunderstood and meaning.confidence < DOUBTED_BELOW


def what_is_doubted(scene: Scene, meaning: Meaning) -> Mapping[str, Any]:
    """Return what the events `bot.unanswered` and `bot.doubted` say of a message: where it stands and what came near."""
    return {
        "message": scene.heard.id,
        "channel": scene.heard.channel,
        "language": scene.language,
        "wording": wording(scene.heard.text),
        "intent": meaning.intent,
        "near_intents": [[name, round(share, 3)] for name, share in meaning.ranking[:NEAREST]],
    }
