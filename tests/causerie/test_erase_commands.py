"""`causerie erase` as an operator uses it: one person, the log written out, and a restored backup erased again."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from admin.erasure_log import Entry, read, replay
from causerie.arguments import parser
from causerie.erase_commands import erase_one, replay_log, write_log
from profiles.seals import SEALED, Seals, verify
from profiles.snapshot import Changes
from tests.admin.erasure_stage import (
    PLANTED,
    SECRET,
    Stage,
    close_stage,
    found,
    open_stage,
    person,
    plant,
    restore,
    save,
)


@pytest.fixture
async def stage(mongo_url: str, database_name: str) -> AsyncIterator[Stage]:
    made = await open_stage(mongo_url, database_name)
    await plant(made)
    await made.store.insert("settings", {"_id": "secret", "value": SECRET})
    yield made
    await close_stage(made)


async def test_the_erased_stay_erased_after_an_older_backup_was_put_back(stage: Stage, tmp_path: Path) -> None:
    said, log = list[str](), tmp_path / "erasures.jsonl"
    await Seals(stage.store, clock=stage.clock).look()
    backup = await save(stage.store)
    assert await erase_one(stage.store, "+33698765432", said.append) == 0
    assert await found(stage.store, *PLANTED) == {}
    assert await write_log(stage.store, log, said.append) == 0
    assert not any(one in log.read_text().casefold() for one in (*PLANTED, "p1"))
    await restore(stage.store, backup)
    assert len(await found(stage.store, *PLANTED)) >= 24, "the control: with the backup they are back"
    assert await replay_log(stage.store, str(log), said.append) == 0
    assert said[-1] == "Erasures in the log: 1. People who were here again and are erased now: 1."
    assert await found(stage.store, *PLANTED, "'P1'", "'P0'") == {}
    await Seals(stage.store, clock=stage.clock).look()
    assert [(await verify(stage.store, kind)).broken for kind in SEALED] == [(), (), ()]
    assert await replay_log(stage.store, str(log), said.append) == 0
    assert said[-1] == "Erasures in the log: 1. People who were here again and are erased now: 0.", (
        "repeated, it does nothing"
    )


@pytest.mark.parametrize("answer", ["", "yes", "+3369876543", None])
async def test_who_does_not_type_the_same_again_erases_nobody(stage: Stage, answer: str | None) -> None:
    said = list[str]()

    def ask(question: str) -> str:
        if answer is None:
            raise EOFError
        return answer

    assert await erase_one(stage.store, "+33698765432", said.append, ask) == 1
    assert said[-1] == "Nobody was erased." and "+33698765432" in said[0]
    assert await stage.store.count("erasing", {}) == 0
    assert await found(stage.store, *PLANTED) != {}


async def test_who_types_the_same_again_erases(stage: Stage) -> None:
    asked, said = list[str](), list[str]()

    def ask(question: str) -> str:
        asked.append(question)
        return "+33698765432"

    assert await erase_one(stage.store, "+33698765432", said.append, ask) == 0
    assert asked == ['Type "+33698765432" again to erase: ']
    assert await found(stage.store, *PLANTED) == {}


async def test_the_log_may_come_from_a_database_that_still_has_it(stage: Stage, mongo_url: str) -> None:
    said = list[str]()
    await erase_one(stage.store, "P1", said.append)
    assert await replay_log(stage.store, mongo_url, said.append) == 0
    assert said[-1] == "Erasures in the log: 1. People who were here again and are erased now: 0."


async def test_what_a_process_of_then_held_in_the_backup_is_taken_over(stage: Stage, tmp_path: Path) -> None:
    said, log = list[str](), tmp_path / "erasures.jsonl"
    await stage.erase("P1")
    later = {"held_by": "dead", "due_at": stage.clock() + timedelta(minutes=9)}
    await stage.store.change("erasing", {"_id": "P1"}, {"$set": later})
    await write_log(stage.store, log, said.append)
    assert await replay_log(stage.store, str(log), said.append) == 0
    assert await found(stage.store, *PLANTED, "'P1'") == {}


async def test_who_is_a_part_of_somebody_else_there_is_left_for_people(stage: Stage) -> None:
    """In the backup two contacts were one, and only one of them was erased after they were parted."""
    now = stage.clock()
    await stage.commit(Changes(profiles=(person("K1", now), replace(person("A1", now), merged_into="K1"))))
    alone = _entry_of(stage, "A1")
    done = await replay([alone], stage.store, stage.writer, stage.erasing, stage.hashes)
    assert (done.erased, done.entangled) == (0, ("A1",))
    assert await stage.store.get("profiles", "K1"), "the other is not erased by mistake"


async def test_a_log_of_another_installation_and_a_file_that_is_none_are_refused(stage: Stage, tmp_path: Path) -> None:
    entry = _entry_of(stage, "P1")
    with pytest.raises(ValueError, match="the log is of another installation"):
        await replay([replace(entry, key="0" * 12)], stage.store, stage.writer, stage.erasing, stage.hashes)
    with pytest.raises(ValueError, match="line 2: expected an erasure"):
        read([entry.line(), '{"id": "x"}'])


async def test_nobody_is_erased_on_a_guess(stage: Stage) -> None:
    said = list[str]()
    twin = person("T1", stage.clock(), "email:zorglub@example.org")
    await stage.commit(Changes(profiles=(twin,)))
    assert await erase_one(stage.store, "zorglub@example.org", said.append) == 1
    assert "2 profiles have it" in said[-1]
    assert await erase_one(stage.store, "nobody@example.org", said.append) == 1
    assert "nobody has it" in said[-1]
    assert await found(stage.store, *PLANTED) != {}


def test_the_command_line_reaches_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert parser().parse_args(["erase", "P1"]).whom == "P1"
    assert parser().parse_args(["erase", "--replay", "x.jsonl"]).replay == "x.jsonl"
    with pytest.raises(SystemExit):
        parser().parse_args(["erase", "P1", "--log", "x.jsonl"])
    assert "not allowed with" in capsys.readouterr().err


def _entry_of(stage: Stage, id: str) -> Entry:
    return Entry("X", stage.clock(), "command", stage.hashes.fingerprint, (stage.hashes.profile(id),), ())
