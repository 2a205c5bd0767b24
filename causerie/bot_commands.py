"""`causerie bot check|test|train|explain`: what the owner of a bot's files does with them, without a server or a database."""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

from bot.actions import Actions
from bot.answering import BotOptions
from bot.brain import Brain
from bot.checks import called
from bot.dialogue_report import as_json, as_lines
from bot.dialogues import play, play_dialogues, read_dialogues
from bot.explanation import explain
from bot.remote_actions import performer, read_endpoint
from bot.scores import as_table, figures_of
from bot.understanding import Trial, trials_of
from causerie.progress import Progress
from profiles.calendar import utc_now
from profiles.findings import ContentError, ContentErrors, Findings, nearest

Say = Callable[[str], None]

MOST_CONFUSIONS = 15


def check(folder: Path, say: Say, *, strict: bool = False) -> Brain | None:
    """Say all that is wrong with the bot's files, all at once; return the bot, or None when it can not start.

    `strict`: what is only worth knowing counts as wrong, too.
    """
    try:
        brain = Brain.load(folder)
        read_endpoint(folder)
    except ContentErrors as errors:
        say(str(errors))
        _say_notices(errors.notices, say)
        say(f"{_many(len(errors.errors), 'mistake')}; the server does not start with this bot.")
        return None
    _say_notices(brain.notices, say)
    return None if strict and brain.notices else brain


def _say_notices(notices: Iterable[ContentError], say: Say) -> None:
    for notice in notices:
        say(f"notice: {notice}")


async def bot_check(folder: Path, say: Say, *, strict: bool) -> int:
    """Check the files, and import the actions; 0 when all of it can work (`strict`: and nothing at all was said)."""
    brain = check(folder, say, strict=strict)
    if brain is None:
        return 1
    findings = await _check_actions(brain, folder)
    for error in findings.errors:
        say(str(error))
    _say_notices(findings.notices, say)
    if findings.errors or (strict and findings.notices):
        return 1
    project, notices = brain.script.project, len(brain.notices) + len(findings.notices)
    counts = f"{_many(len(project.rules), 'rule')}, {_many(len(project.training.examples), 'example')}"
    what = _many(notices, "notice") if notices else "nothing to complain about"
    say(f"{_many(len(brain.script.domain.intents), 'intent')}, {counts}: {what}.")
    return 0


async def _check_actions(brain: Brain, folder: Path) -> Findings:
    """Return which custom actions nobody wrote, or why they cannot be imported.

    One that nothing calls is a notice: Rasa says nothing of it, and no conversation comes to it.
    """
    declared, findings = brain.script.domain.actions, Findings()
    performs = performer(BotOptions(folder=str(folder)))
    try:
        if not declared or not isinstance(performs, Actions):
            return findings
        written = await performs.load()
        if performs.problem:
            lacks = any(
                word in performs.problem for word in ("ImportError", "ModuleNotFoundError", "FileNotFoundError")
            )
            hint = "install the packages they need, and start in the bot's folder" if lacks else ""
            findings.error(next(iter(declared.values())), f"actions: {performs.problem}.", hint)
            return findings
    finally:
        await performs.close()
    wanted = called(brain.script)
    for name in declared:
        if name not in written:
            what = f'actions: nobody wrote "{name}" in the bot\'s actions'
            if name in wanted:
                findings.error(declared[name], f"{what}.", nearest(name, written))
            else:
                findings.notice(declared[name], f"{what}, and nothing calls it.", nearest(name, written))
    return findings


def differing(brain: Brain, folder: Path, say: Say) -> int:
    """Say where the bot's dialogues differ from what it does; return how often."""
    found = play_dialogues(brain, folder)
    for difference in found:
        say(str(difference))
    return len(found)


def bot_test(folder: Path, tests: Path | None, report: Path | None, say: Say) -> int:
    """Play the bot's test dialogues and say what came of them; 0 when all went as written."""
    try:
        brain = Brain.load(folder)
    except ContentErrors as errors:
        say(str(errors))
        return 1
    findings = Findings()
    dialogues = read_dialogues(tests or folder, findings)
    for error in findings.errors:
        say(str(error))
    if not dialogues:
        say(f"{tests or folder / 'tests'}: expected dialogues, got none. Hint: stories: in tests/test_stories.yml")
        return 1
    played = [play(brain, dialogue) for dialogue in dialogues]
    for line in as_lines(played):
        say(line)
    if report is not None:
        report.write_text(json.dumps(as_json(played), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        say(f"The report is in {report}.")
    return 0 if not findings.errors and all(dialogue.is_right for dialogue in played) else 1


def bot_train(folder: Path, say: Say, progress: Progress) -> int:
    """Learn from the bot's sentences and say how well sentences are understood that were held out."""
    progress(f"reading {folder} and learning from it")
    began = time.perf_counter()
    try:
        brain = Brain.load(folder)
    except ContentErrors as errors:
        say(str(errors))
        return 1
    seconds = time.perf_counter() - began
    progress("learned")
    trials = list(trials_of(brain.script.project, brain.understanding))
    intents = {trial.example.intent for trial in trials}
    languages = ", ".join(brain.languages)
    say(
        f"{len(trials)} examples of {_many(len(intents), 'intent')} ({languages}) in {seconds:.2f} s, reading included."
    )
    say(f"Model {brain.understanding.hash}.")
    if trials:
        _say_held_out(trials, say)
    return 0


def _say_held_out(trials: list[Trial], say: Say) -> None:
    figures = figures_of((trial.meant, trial.guess) for trial in trials)
    for line in as_table(figures):
        say(line)
    examples = Counter[tuple[str, str]]()
    shown: dict[tuple[str, str], Trial] = {}
    for trial in trials:
        if not trial.is_right:
            pair = (trial.meant, trial.guess)
            examples[pair] += 1
            shown.setdefault(pair, trial)
    for (wanted, guess), count in examples.most_common(MOST_CONFUSIONS):
        example = shown[wanted, guess].example
        say(f'{wanted} was taken for {guess} {_times(count)}, such as "{example.text}" ({example.written.at}).')
    say(
        f"Held-out sentences understood: {figures.accuracy:.1%} of {figures.total} (each by a model that had not seen it)."
    )


def bot_explain(folder: Path, sentence: str, language: str | None, before: list[str], say: Say) -> int:
    """Say what the bot makes of a sentence, and why; `before`: what the customer said earlier in the conversation."""
    try:
        brain = Brain.load(folder)
    except ContentErrors as errors:
        say(str(errors))
        return 1
    for line in explain(brain, sentence, language=language, before=before, now=utc_now()):
        say(line)
    return 0


def _many(count: int, what: str) -> str:
    return f"{count} {what}" + ("" if count == 1 else "s")


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
