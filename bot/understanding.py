"""What a message means: language, intent with calibrated confidence, entities. Trained when the bot is loaded."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from bot import tagger
from bot.classifier import NO_INTENT, Classifier, as_arrays, from_arrays, train
from bot.entities import Entities, Entity, spoken_payload
from bot.events import FALLBACK_INTENT
from bot.finders import Here
from bot.language import Languages
from bot.models import Models, name_of
from bot.ngrams import Tokens, words_of
from bot.project import Options, Project
from bot.semantic import Encoder
from bot.signs import Signs, learn_signs
from bot.spelling import Speller
from bot.tagger import Tagger
from bot.training import Example
from profiles.swift import swift

log = logging.getLogger("bot.understanding")

OUT_OF_SCOPE = "out_of_scope"
_Understood = tuple[str | None, tuple[tuple[str, float], ...], str | None]
_REMEMBERED = 2_000
_SHORT = 8
"""Words of a sentence that is remembered: what many people write alike is short."""
_BACKGROUND = Path(__file__).parent / "content" / "background"


@swift
@dataclass(frozen=True, slots=True)
class Meaning:
    """What one message means; `ranking` holds the likeliest intents."""

    intent: str | None
    confidence: float
    entities: tuple[Entity, ...] = ()
    ranking: tuple[tuple[str, float], ...] = ()
    response: str | None = None
    """For an intent of questions and answers (`faq`) the answer that fits: `faq/hours`."""

    def as_rasa(self, text: str) -> dict[str, Any]:
        """Return it as Rasa's parse data."""
        chosen = {"intent_response_key": self.response, "utter_action": f"utter_{self.response}"}
        return {
            **({"response_selector": {str(self.intent): {"response": chosen}}} if self.response else {}),
            "text": text,
            "intent": {"name": self.intent, "confidence": self.confidence},
            "intent_ranking": [{"name": name, "confidence": share} for name, share in self.ranking],
            "entities": [dict(entity) for entity in self.entities],
        }


class Hears(Protocol):
    """What understands messages: the trained Understanding, or a recorded one."""

    def hear(self, text: str, language: str | None, doubt: int, here: Here) -> tuple[Meaning, str, int]:
        """Return what the text means, the conversation's language from now on, and the doubt about it to remember."""
        ...


@dataclass(frozen=True, slots=True)
class Trial:
    """One of the bot's own sentences, heard by a model that had not seen it: the cross-validation."""

    example: Example
    guess: str
    """The intent it was taken for (`faq/hours` in full), or `out_of_scope`."""
    confidence: float

    @property
    def meant(self) -> str:
        """Return the intent whose example it is, of questions and answers in full."""
        return self.example.answer or self.example.intent

    @property
    def is_right(self) -> bool:
        """Whether it was taken for what it is."""
        return self.guess == self.meant


@dataclass(frozen=True, slots=True)
class Understanding:
    """All that was learned from a bot's sentences."""

    options: Options
    entities: Entities
    languages: Languages
    models: Mapping[str, tuple[Speller, Classifier]]
    taggers: Mapping[str, Tagger]
    """Only of languages whose examples mark what they name."""
    declares_out_of_scope: bool
    signs: Signs = field(default_factory=Signs)
    """Of messages without words."""
    encoder: Encoder | None = None
    hash: str = ""
    """Names what was learned: equal hashes, equal understanding."""
    remembered: dict[tuple[str, ...], _Understood] = field(default_factory=dict)
    """What short sentences came to, the first word being their language; bounded, and emptied when full."""

    def hear(self, text: str, language: str | None, doubt: int, here: Here) -> tuple[Meaning, str, int]:
        """Return what the text means, the conversation's language from now on, and the doubt about it to remember."""
        stated = self.entities.payload(text)
        if stated is not None:
            asked, found = stated
            base, answer = _split(asked)
            kept = language if language in self.languages.names else self.languages.default
            return Meaning(base, 1.0, tuple(found), ((base, 1.0),), answer), kept, 0
        said = spoken_payload(text)
        words = words_of(said)
        written_in, spoken, doubt = self.languages.decide(words, language, doubt)
        understood = self._recall(words, written_in) if words else self._decided(self.signs.rank(said))
        if spoken != written_in:  # a word or two that look foreign: heard both ways, the clearer one counts
            understood = max((self._recall(words, spoken), understood), key=_clearness)
        intent, ranking, answer = understood
        found = self.entities.find(text, here, self.taggers.get(written_in))
        confidence = 0.0 if not ranking else ranking[0][1]
        return Meaning(intent, confidence, tuple(found), ranking, answer), spoken, doubt

    def _recall(self, words: Tokens, language: str) -> _Understood:
        """Return what the words mean, as found before where a short sentence has come before."""
        if len(words) > _SHORT:
            return self._intent(words, language)
        key = (language, *words)
        understood = self.remembered.get(key)
        if understood is None:
            understood = self._intent(words, language)
            if len(self.remembered) >= _REMEMBERED:
                self.remembered.clear()
            self.remembered[key] = understood
        return understood

    def _intent(self, words: Tokens, language: str) -> _Understood:
        model = self.models.get(language)
        if model is None or not words:
            return FALLBACK_INTENT, (), None
        speller, classifier = model
        words = speller.repair(words)
        ranked = classifier.rank(words, self.encoder.encode([words])[0] if self.encoder and classifier.sense else None)
        if ranked.is_foreign:
            ranking = _by_intent(ranked.intents)
            return (OUT_OF_SCOPE if self.declares_out_of_scope and ranking else FALLBACK_INTENT), ranking, None
        return self._decided(ranked.intents)

    def _decided(self, ranked: tuple[tuple[str, float], ...]) -> _Understood:
        """Return the likeliest intent if it is sure enough and not too near the next."""
        ranking = _by_intent(ranked)
        if not ranking:
            return FALLBACK_INTENT, (), None
        shares = [share for _, share in ranking[:2]]
        is_ambiguous = len(shares) > 1 and shares[0] - shares[1] < self.options.ambiguity
        if shares[0] < self.options.threshold or (is_ambiguous and self.options.threshold > 0):
            return FALLBACK_INTENT, ranking, None
        intent = ranking[0][0]
        answer = next((_split(name)[1] for name, _ in ranked if _split(name)[0] == intent), None)
        return intent, ranking, answer


def _by_intent(ranked: tuple[tuple[str, float], ...]) -> tuple[tuple[str, float], ...]:
    """Return the ranking with all answers of an intent of questions and answers (`faq/hours`) taken together."""
    if not any("/" in name for name, _ in ranked):
        return ranked
    shares: dict[str, float] = {}
    for name, share in ranked:
        intent = _split(name)[0]
        shares[intent] = shares.get(intent, 0.0) + share
    return tuple(sorted(shares.items(), key=lambda row: -row[1]))


def _split(name: str) -> tuple[str, str | None]:
    """Return the intent, and the full name if it is one of questions and answers."""
    intent, _, answer = name.partition("/")
    return intent, name if answer else None


def _clearness(heard: _Understood) -> float:
    intent, ranking, _ = heard
    return ranking[0][1] if ranking and intent == ranking[0][0] else 0.0


def learn(project: Project, seed: int = 0, kept: Models | None = None, encoder: Encoder | None = None) -> Understanding:
    """Return the understanding of the project's sentences, one model for each language they are written in.

    A model that was learned from the same sentences before is taken from those kept. `encoder` adds what sentences mean.
    """
    models, taggers, spoken, names = {}, {}, {}, []
    kept = kept or Models()
    for language, rows in _by_language(project).items():
        background = background_of(language)
        taught = [words for _, words in rows]
        labels = [_label(example) for example, _ in rows] + [NO_INTENT] * len(background)
        model, name = _model([*taught, *background], labels, seed, kept, encoder)
        models[language] = Speller(taught), model
        spoken[language] = [*taught, *background]
        names.append((language, name))
        learned = _tagger(project, [example for example, _ in rows], seed, kept)
        if learned:
            taggers[language], name = learned
            names.append((language, name))
    signs = [(example.text, example.answer or example.intent) for example in _wordless(project)]
    if signs:
        names.append(("", name_of("signs", signs)))
    return Understanding(
        options=project.options,
        entities=Entities(project),
        languages=Languages(spoken, project.options.language),
        models=models,
        taggers=taggers,
        declares_out_of_scope=OUT_OF_SCOPE in project.domain.intents,
        signs=learn_signs(signs),
        encoder=encoder,
        hash=name_of("understanding", sorted(names)).rsplit("-", 1)[-1],
    )


def trials_of(project: Project, understanding: Understanding) -> Iterator[Trial]:
    """Yield every example that has words, as a copy of the model took it that had not learned from it (five folds)."""
    for language, rows in _by_language(project).items():
        held_out = understanding.models[language][1].held_out
        for (example, _), (guess, share) in zip(rows, held_out, strict=False):  # the background comes after ours
            yield Trial(example, guess or OUT_OF_SCOPE, share)


def _by_language(project: Project) -> dict[str, list[tuple[Example, Tokens]]]:
    rows: dict[str, list[tuple[Example, Tokens]]] = {}
    for example in project.training.examples:
        words = words_of(example.text)
        if words:
            rows.setdefault(example.language, []).append((example, words))
    return rows


def _wordless(project: Project) -> list[Example]:
    return [example for example in project.training.examples if not words_of(example.text) and example.text.strip()]


def _label(example: Example) -> str:
    return NO_INTENT if example.intent == OUT_OF_SCOPE else example.answer or example.intent


def _model(
    sentences: Sequence[Tokens], labels: Sequence[str], seed: int, kept: Models, encoder: Encoder | None
) -> tuple[Classifier, str]:
    """Return the classifier of these sentences, and its name."""
    facts = [seed, encoder.sha256 if encoder else "", *zip(sentences, labels, strict=True)]
    name = name_of("intents", facts)
    found = kept.get(name)
    if found is not None:
        try:
            return from_arrays(found), name
        except (KeyError, ValueError, IndexError):
            log.warning("understanding.learn model=%s is not one of ours; training", name)
    model = train(sentences, labels, seed, encoder.encode(sentences) if encoder else None)
    kept.put(name, as_arrays(model))
    return model, name


def _tagger(project: Project, examples: Sequence[Example], seed: int, kept: Models) -> tuple[Tagger, str] | None:
    """Return the tagger of these examples and its name; None when they mark nothing that the bot declares."""
    declared = set(project.domain.entities)
    rows = [(one.text, tuple(mark for mark in one.marks if mark.entity in declared)) for one in examples]
    if not any(marks for _, marks in rows):
        return None
    name = name_of("names", [seed, *rows])
    found = kept.get(name)
    if found is not None:
        try:
            return tagger.from_arrays(found), name
        except (KeyError, ValueError):
            log.warning("understanding.learn model=%s is not one of ours; training", name)
    model = tagger.train(rows, seed)
    kept.put(name, tagger.as_arrays(model))
    return model, name


def background_of(language: str) -> list[Tokens]:
    """Return shipped sentences that are no shop's business: they teach what to refuse."""
    path = _BACKGROUND / f"{language}.txt"
    if not path.exists():
        return []
    return [words_of(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
