"""What a language model may do, made from the bot's own domain, and the check of what it chose.

It chooses commands; rules, forms and validators carry them out. Nothing it returns is believed: intents, slots and passages
must be ones that were offered, values must stand in what the customer wrote, and a sentence of its own must cite passages that
were found and may hold no number, link or address that they do not hold.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from bot.domain import Domain
from bot.events import DEFAULT_INTENTS, FALLBACK_INTENT
from bot.finders import fold
from bot.passages import Passage
from bot.training import Example

LONGEST_SAID = 700
_LONGEST_VALUE = 200
_MOST_VALUES = 10
_MOST_INTENTS = 120
_FACT = re.compile(r"https?://\S+|www\.\S+|[\w.+-]+@[\w.-]+|\d+(?:[.,:]\d+)*")


class Refused(ValueError):
    """What the model chose is not allowed; the text says why, without what anybody said."""


@dataclass(frozen=True, slots=True)
class Understood:
    """The message means this intent, with these entities."""

    intent: str
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Answered:
    """The message answers the question that a form has asked, with this value."""

    value: str


@dataclass(frozen=True, slots=True)
class Clarify:
    """Ask which of these intents is meant."""

    intents: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Search:
    """Look into the documents; the model is asked again with what they hold."""

    query: str


@dataclass(frozen=True, slots=True)
class Cite:
    """Say this, which stands in these passages."""

    text: str
    passages: tuple[Passage, ...]


@dataclass(frozen=True, slots=True)
class HandOver:
    """Give the conversation to people."""


Command: TypeAlias = Understood | Answered | Clarify | Search | Cite | HandOver


@dataclass(frozen=True, slots=True)
class Offer:
    """What may be chosen about one message; `found` are the passages that were shown so far."""

    domain: Domain
    text: str
    requested: str | None
    has_documents: bool
    found: Mapping[str, Passage]

    @property
    def intents(self) -> list[str]:
        """The intents that a customer's words may mean."""
        hidden = {*DEFAULT_INTENTS, FALLBACK_INTENT, "out_of_scope"}
        return [name for name in self.domain.intents if name not in hidden][:_MOST_INTENTS]


def tools(offer: Offer, examples: Sequence[Example], language: str) -> list[Mapping[str, Any]]:
    """Return the tools in the form of chat completions."""
    shown = {example.intent: example.text for example in reversed(examples) if example.language == language}
    meanings = "; ".join(f"{name}: {shown[name]}" if name in shown else name for name in offer.intents)
    entities = {name: {"type": "string"} for name in list(offer.domain.entities)[:_MOST_VALUES]}
    offered = [
        _tool("understand", f"The message means one of these (name: example): {meanings}", {
            "intent": {"type": "string", "enum": offer.intents},
            "values": {"type": "object", "properties": entities, "additionalProperties": False},
        }, ["intent"]),
        _tool("clarify", "Two to four meanings are equally likely: let the customer choose.", {
            "intents": {"type": "array", "items": {"type": "string", "enum": offer.intents}, "minItems": 2, "maxItems": 4},
        }, ["intents"]),
        _tool("hand_over", "The customer wants a person, or nothing else fits.", {}, []),
    ]  # fmt: skip
    if offer.requested:
        about = f'The message answers the open question about "{offer.requested}".'
        offered.append(_tool("answer", about, {"value": {"type": "string"}}, ["value"]))
    if offer.has_documents:
        about = "Look for a question's answer in the shop's documents."
        offered.append(_tool("search_knowledge", about, {"query": {"type": "string"}}, ["query"]))
    if offer.found:
        sources = {"type": "array", "items": {"type": "string", "enum": list(offer.found)}, "minItems": 1}
        about = "Answer with what the found passages say, and nothing else."
        offered.append(_tool("say", about, {"text": {"type": "string"}, "sources": sources}, ["text", "sources"]))
    return offered


def checked(name: str, arguments: Mapping[str, Any], offer: Offer) -> Command:
    """Return the command that was chosen. Raises Refused when it was not on offer."""
    match name:
        case "understand":
            return Understood(_one_of(arguments.get("intent"), offer.intents), _values(arguments.get("values"), offer))
        case "answer" if offer.requested:
            return Answered(_written(arguments.get("value"), offer))
        case "clarify":
            named = arguments.get("intents")
            intents = tuple(
                dict.fromkeys(_one_of(one, offer.intents) for one in (named if isinstance(named, list) else ()))
            )
            if not 2 <= len(intents) <= 4:
                raise Refused("clarify: expected two to four intents")
            return Clarify(intents)
        case "search_knowledge" if offer.has_documents:
            return Search(_text(arguments.get("query"), 300))
        case "say" if offer.found:
            return _cited(arguments, offer)
        case "hand_over":
            return HandOver()
    raise Refused("a tool that was not offered")


def _cited(arguments: Mapping[str, Any], offer: Offer) -> Cite:
    text, named = _text(arguments.get("text"), LONGEST_SAID), arguments.get("sources")
    sources = tuple(dict.fromkeys(_one_of(one, offer.found) for one in (named if isinstance(named, list) else ())))
    if not sources:
        raise Refused("say: expected sources")
    passages = tuple(offer.found[source] for source in sources)
    held = {fact.rstrip(".,;:!?") for passage in passages for fact in _FACT.findall(f"{passage.title} {passage.text}")}
    if any(fact.rstrip(".,;:!?") not in held for fact in _FACT.findall(text)):
        raise Refused("say: a number, link or address that no source holds")
    return Cite(text, passages)


def _values(given: Any, offer: Offer) -> Mapping[str, str]:
    if given is None:
        return {}
    if not isinstance(given, dict) or len(given) > _MOST_VALUES or not set(given) <= set(offer.domain.entities):
        raise Refused("values: expected known entities")
    return {name: _written(value, offer) for name, value in given.items() if value not in (None, "")}


def _written(value: Any, offer: Offer) -> str:
    """Return a value that the customer wrote; one that the model made up is refused."""
    text = _text(value, _LONGEST_VALUE)
    if fold(text) not in fold(offer.text):
        raise Refused("a value that the customer did not write")
    return text


def _text(value: Any, longest: int) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > longest:
        raise Refused(f"expected a text of at most {longest} characters")
    return value.strip()


def _one_of(value: Any, known: Any) -> str:
    if not isinstance(value, str) or value not in known:
        raise Refused("a name that was not offered")
    return value


def _tool(name: str, about: str, properties: Mapping[str, Any], required: list[str]) -> Mapping[str, Any]:
    schema = {"type": "object", "properties": dict(properties), "required": required, "additionalProperties": False}
    return {"type": "function", "function": {"name": name, "description": about, "parameters": schema}}
