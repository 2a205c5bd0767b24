"""The `nlu:` items of a file and the lists of sentences in them, as plain values and as ruamel's, which keeps comments."""

from collections.abc import Mapping, Sequence
from typing import Any

from ruamel.yaml.comments import CommentedMap, CommentedSeq

from bot.roundtrip import literal


def items_of(table: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the items that teach an intent."""
    return [item for item in table.get("nlu") or [] if isinstance(item, dict) and isinstance(item.get("intent"), str)]


def language_said(item: Mapping[str, Any]) -> str | None:
    """Return the language that the item itself names."""
    metadata = item.get("metadata")
    return metadata.get("language") if isinstance(metadata, dict) else None


def sentences(examples: Any) -> list[str]:
    """Return the sentences of a block or list of examples, as written."""
    if isinstance(examples, list):
        found = [one.get("text") if isinstance(one, dict) else one for one in examples]
        return [str(text).strip().removeprefix("- ") for text in found if text]
    lines = (line.strip() for line in str(examples or "").splitlines())
    return [line[1:].strip() for line in lines if line.startswith("-") and line[1:].strip()]


def same_item(table: CommentedMap, like: Mapping[str, Any]) -> CommentedMap:
    """Return the item of the loaded file that is the one found before."""
    return next(item for item in table["nlu"] if isinstance(item, CommentedMap) and item == like)


def append_sentence(item: CommentedMap, text: str) -> None:
    """Add a sentence to the item, written as its neighbours are."""
    examples = item.get("examples")
    if isinstance(examples, CommentedSeq):
        examples.append(CommentedMap({"text": text}) if examples and isinstance(examples[0], dict) else text)
        return
    item["examples"] = literal([*str(examples or "").rstrip("\n").splitlines(), f"- {text}"], like=examples)


def keep_sentences(item: CommentedMap, kept: Sequence[str]) -> None:
    """Take out all sentences of the item but these."""
    examples = item["examples"]
    if isinstance(examples, CommentedSeq):
        for number in reversed(range(len(examples))):
            if sentences([examples[number]]) and sentences([examples[number]])[0] not in kept:
                del examples[number]
        return
    lines = [line for line in str(examples).splitlines() if not sentences(line) or sentences(line)[0] in kept]
    item["examples"] = literal(lines, like=examples)
