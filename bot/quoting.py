"""Answers from the bot's documents, word for word, with a link: no sentence is made up, none is looked for twice in a turn."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from bot.events import Event
from bot.events import said as says
from bot.knowledge import SCORE_NEAR, Found, Knowledge
from bot.ngrams import Tokens, words_of
from bot.passages import Passage, said
from bot.project import Project
from bot.scene import Scene
from bot.understanding import Meaning, background_of
from bot.unsure import what_is_doubted

_ASKING = Path(__file__).parent / "content" / "asking"
_MORE = {"fr": "En savoir plus", "en": "Read more"}


def knowledge_of(passages: Iterable[Passage], project: Project) -> Knowledge:
    """Return the index of these passages; the bot's own sentences and the background say which words are common."""
    passages = tuple(passages)
    return Knowledge(passages, {language: _general(project, language) for language in {p.language for p in passages}})


def has_answer(scene: Scene) -> bool:
    """Whether the documents answer what was just said well enough."""
    return any(found.is_answer for found in _search(scene))


def quote(scene: Scene) -> list[Event]:
    """Return the best passage as the bot's words; nothing when none is good enough."""
    for found in _search(scene):
        if found.is_answer:
            url = found.passage.url
            title = _MORE.get(scene.language, _MORE["en"])
            return [says(said(found.passage), **({"buttons": [{"title": title, "url": url}]} if url else {}))]
    return []


def unanswered(scene: Scene, meaning: Meaning) -> Mapping[str, Any]:
    """Return what the event `bot.unanswered` says: where the question stands (its words stay there), and what came near."""
    facts: dict[str, Any] = dict(what_is_doubted(scene, meaning))
    near = [found for found in _search(scene) if found.score >= SCORE_NEAR]
    return {**facts, "near_passage": near[0].passage.id} if near else facts


def _search(scene: Scene) -> tuple[Found, ...]:
    if scene.found is None:
        scene.found = scene.script.knowledge.search(scene.heard.text, scene.language)
    return scene.found


def _general(project: Project, language: str) -> list[Tokens]:
    """Return one long sentence for each intent, so that a word of all intents counts as common and one of a single intent not.

    How people begin a question and what has nothing to do with the bot are shipped, so that this holds for small bots too.
    """
    by_intent: dict[str, Tokens] = {}
    for example in project.training.examples:
        if example.language == language:
            by_intent.setdefault(example.intent, []).extend(words_of(example.text))
    return [*by_intent.values(), *background_of(language), *_ways_of_asking(language)]


def _ways_of_asking(language: str) -> list[Tokens]:
    path = _ASKING / f"{language}.txt"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return [words_of(line) for line in lines if line.strip()]
