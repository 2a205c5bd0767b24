"""Which mind answers: the one named in the configuration. What is not named is not imported."""

from typing import TYPE_CHECKING

from bot.answering import BotOptions
from bot.brain import Brain, Mind
from bot.live import LiveBrain
from bot.llm_options import LlmOptions
from bot.offers import Offered
from profiles.calendar import Clock, utc_now
from profiles.store import Store

if TYPE_CHECKING:
    from bot.llm import Llm


def mind_of(
    options: BotOptions,
    brain: LiveBrain | Brain,
    llm: LlmOptions | None = None,
    store: Store | None = None,
    clock: Clock = utc_now,
) -> Mind:
    """Return who answers; the brain of the bot's folder stays at its side for languages and words."""
    mind = _mind(options, brain, llm, store, clock)
    return mind if options.typed_payloads == "any" else Offered(mind, brain)


def _mind(
    options: BotOptions, brain: LiveBrain | Brain, llm: LlmOptions | None, store: Store | None, clock: Clock
) -> Mind:
    if options.brain == "rasa":
        from bot.breaker import Breaker
        from bot.rasa import Rasa
        from bot.rasa_client import RasaClient

        client = RasaClient(options.rasa_url, options.rasa_token, options.rasa_seconds)
        return Rasa(brain, client, Breaker())
    if llm and store and llm.mode in ("fallback", "commands"):
        from bot.llm import assemble

        return assemble(brain, llm, store, clock)
    return brain


def drafting(options: LlmOptions, mind: Mind, brain: LiveBrain | Brain, store: Store, clock: Clock) -> "Llm | None":
    """Return who proposes replies to agents, if a language model is configured: the mind itself where it has one."""
    if options.mode == "off":
        return None
    from bot.llm import Llm, assemble

    answering = mind.mind if isinstance(mind, Offered) else mind
    return answering if isinstance(answering, Llm) else assemble(brain, options, store, clock)
