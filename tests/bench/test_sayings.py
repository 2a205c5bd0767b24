"""What the benchmarks' people write: varied, the same on every run, and never more than the shipped bot answers at once."""

from datetime import UTC, datetime

from bench.sayings import questions, small_talk
from bot.answering import BotOptions, load_brain
from bot.brain import finish
from bot.contract import Heard, Known
from profiles.words import words_of

AT = datetime(2026, 11, 21, 12, tzinfo=UTC)


def test_texts_are_as_long_and_as_varied_as_messages() -> None:
    texts = list(small_talk())
    lengths = sorted(len(text.split()) for text in texts)
    assert 6 <= lengths[len(lengths) // 2] <= 10
    assert lengths[-1] > 30
    assert len(set(texts)) > 0.9 * len(texts)
    words = [words_of(" ".join(texts[start : start + 64])) for start in range(0, 640, 64)]
    assert all(len(group) > 200 for group in words), "a group's messages share few words"


def test_two_runs_write_the_same() -> None:
    assert list(small_talk()) == list(small_talk())
    assert list(questions()) == list(questions())


def test_the_bot_answers_every_question_at_once_and_hands_nobody_over() -> None:
    brain = load_brain(BotOptions())
    known = Known("P1", "en", {}, "telegram:1")
    for text in dict.fromkeys(questions()):
        turn = finish(brain.turn(None, Heard("m1", text, "telegram", AT), known))
        assert turn and turn.says, text
        assert not turn.missed and turn.handover is None, text
