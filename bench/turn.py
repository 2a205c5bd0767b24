"""What does one turn of the shipped bot cost: understanding the message and deciding what to say, nothing else?"""

import time
from datetime import UTC, datetime
from statistics import median

from bench.webhooks import QUESTIONS
from bot.answering import BotOptions, load_brain
from bot.brain import finish
from bot.contract import Heard, Known

AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
ROUNDS = 5
STRIDE = 97  # every kind of question, in both languages
TURNS = 200  # one conversation each round, as long as the bot remembers


def turn_us() -> float:
    """Return the CPU time of one turn in us: the median over rounds of conversations of 200 turns."""
    brain = load_brain(BotOptions())
    known = Known("P1", "en", {}, "telegram:1")
    rounds = []
    for _ in range(ROUNDS):
        memory = None
        began = time.thread_time()
        for number in range(TURNS):
            text = QUESTIONS[number * STRIDE % len(QUESTIONS)]
            brain.understanding.remembered.clear()  # every sentence as if heard for the first time
            turn = finish(brain.turn(memory, Heard(f"m{number}", text, "telegram", AT), known))
            assert turn and turn.says, f"the shipped bot has no answer to {text!r}"
            memory = turn.tracker
        rounds.append((time.thread_time() - began) / TURNS * 1e6)
    return median(rounds)
