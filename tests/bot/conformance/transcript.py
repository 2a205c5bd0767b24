"""What a recorded dialogue looks like on disk, and what its sentences mean: shared by record.py and the replaying test.

One line of JSON a dialogue, a list of turns: what was said (`say`, or `trigger` for an event from outside), what it
means as Rasa's NLU tells it, what the bot said (text and buttons), and the slots and the form after it.
"""

import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SAID = "said.yml"
_PAYLOAD = re.compile(r"/([^{\s]+)\s*(\{.*\})?", re.DOTALL)


def meaning_of(line: dict[str, Any], script: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what a line means, as Rasa's parse data."""
    if "trigger" in line:
        entities = [{"entity": name, "value": value} for name, value in line.get("entities", {}).items()]
        return {"text": f"EXTERNAL: {line['trigger']}", "intent": {"name": line["trigger"]}, "entities": entities}
    text = line["say"]
    known = next((one for one in script if one.get("say") == text and "intent" in one), None)
    if known is not None:
        return _told(text, known)
    payload = _PAYLOAD.fullmatch(text.strip())
    if payload is None:
        return _told(text, {"intent": "nlu_fallback"})
    stated = json.loads(payload[2]) if payload[2] else {}
    entities = [
        {"entity": name, "value": value}
        for name, values in stated.items()
        for value in (values if isinstance(values, list) else [values])
    ]
    return _told(text, {"intent": payload[1], "entities": entities})


def _told(text: str, line: dict[str, Any]) -> dict[str, Any]:
    intent, response = line["intent"], None
    if "/" in intent:
        intent, response = intent.split("/")[0], intent
    told: dict[str, Any] = {
        "text": text,
        "intent": {"name": intent, "confidence": 1.0},
        "intent_ranking": [{"name": name, "confidence": 1.0} for name in line.get("ranking", [intent])],
        "entities": line.get("entities", []),
    }
    if response:
        chosen = {"intent_response_key": response, "utter_action": f"utter_{response}", "confidence": 1.0}
        told["response_selector"] = {"all_retrieval_intents": [intent], intent: {"response": chosen}}
    return told


def written(turns: list[dict[str, Any]]) -> str:
    """Return a dialogue as one line; of the slots only those that changed."""
    before: dict[str, Any] = {}
    short = []
    for turn in turns:
        slots = turn["slots"]
        changed = {name: slots.get(name) for name in {**before, **slots} if slots.get(name) != before.get(name)}
        short.append({**turn, "slots": dict(sorted(changed.items()))})
        before = slots
    return json.dumps(short, separators=(",", ":"), ensure_ascii=False)


def read(path: Path) -> Iterator[list[dict[str, Any]]]:
    """Yield the dialogues of a file, each turn with all its slots that are set."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            slots: dict[str, Any] = {}
            turns = json.loads(line)
            for turn in turns:
                slots = {name: value for name, value in {**slots, **turn["slots"]}.items() if value is not None}
                turn["slots"] = slots
            yield turns
