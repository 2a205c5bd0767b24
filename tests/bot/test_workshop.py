"""People change the bot while it serves: tried first, live whole or not at all, kept as versions, one editor at a time."""

import asyncio
import difflib
import shutil
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from bot import versions
from bot.content import copy_folder, read_content, write_content
from bot.edits import AddExample, MoveExample, NewAnswer
from bot.live import LiveBrain, load_live
from bot.versions import Version
from bot.workshop import Published, Refused, Workshop
from profiles.calendar import utc_now
from profiles.indexes import INDEXES
from profiles.store import Store

FILES = {
    "domain.yml": """\
# names
intents: [greet, order]
responses:
  utter_hello: [{text: "Hello."}]
  utter_order: [{text: "Which one?"}]
""",
    "data/nlu.yml": """\
nlu:
- intent: greet
  examples: |
    - hello
    - good morning to you
    - hi there
# what we live of
- intent: order
  examples: |
    - I want to order
    - place an order please
    - order something
""",
    "data/rules.yml": """\
rules:
- rule: hello
  steps: [{intent: greet}, {action: utter_hello}]
- rule: order
  steps: [{intent: order}, {action: utter_order}]
""",
    "tests/en.yml": """\
stories:
- story: must go so
  steps:
  - user: good morning to you
    intent: greet
  - action: utter_hello
""",
}
EXAMPLE = AddExample("order", "sell me a pair of shoes", "en")


def audited(version: Version) -> Mapping[str, Any]:
    return {"_id": f"audit:{version.number}", "act": f"bot.{version.act}", "by": version.by}


@pytest.fixture
async def store(mongo_url: str, database_name: str) -> AsyncIterator[Store]:
    store = Store(mongo_url, database_name)
    await store.prepare(INDEXES)
    yield store
    await store.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_content(tmp_path / "club", FILES)
    return tmp_path / "club"


@pytest.fixture
def workshop(store: Store, folder: Path, tmp_path: Path) -> Workshop:
    return _opened(store, folder, tmp_path)


def _opened(store: Store, folder: Path, tmp_path: Path, **more: Any) -> Workshop:
    return Workshop(store, _live(folder, tmp_path), clock=utc_now, **more)


def _live(folder: Path, tmp_path: Path) -> LiveBrain:
    return load_live(folder, tmp_path / "models", clock=utc_now)


def _examples(workshop: Workshop, intent: str) -> list[str]:
    return [one.text for one in workshop.brain.script.project.training.examples if one.intent == intent]


async def test_an_edit_serves_at_once_and_stands_in_the_file(workshop: Workshop, folder: Path, store: Store) -> None:
    came = await workshop.publish(EXAMPLE, by="maya", audit=audited)
    assert isinstance(came, Published)
    assert EXAMPLE.text in _examples(workshop, "order")
    diff = difflib.ndiff(FILES["data/nlu.yml"].splitlines(), (folder / "data/nlu.yml").read_text().splitlines())
    assert [line for line in diff if line[0] in "+-"] == [f"+     - {EXAMPLE.text}"]
    assert not list(folder.rglob(".*")), "no draft is left behind"
    row = await store.get("audit", "audit:2")
    assert row and row["act"] == "bot.example" and row["by"] == "maya"


async def test_the_first_version_is_what_was_there_before(workshop: Workshop, store: Store) -> None:
    await workshop.publish(EXAMPLE, by="maya", audit=audited)
    newest, first = await versions.before(store, None, 10)
    assert (newest.act, newest.by, newest.details["text"]) == ("example", "maya", EXAMPLE.text)
    assert (first.act, first.by) == ("first", "files")
    assert await versions.texts_of(store, first) == FILES


async def test_a_bot_that_would_be_broken_is_refused_with_its_errors(
    workshop: Workshop, folder: Path, store: Store
) -> None:
    domain = folder / "domain.yml"
    domain.write_text(domain.read_text().replace("utter_order:", "utter_other:"))  # somebody edits the files by hand
    came = await workshop.publish(EXAMPLE, by="maya", audit=audited)
    assert isinstance(came, Refused) and came.reason == "broken"
    assert any("utter_order" in problem and "rules.yml:5" in problem for problem in came.problems)
    assert EXAMPLE.text not in (folder / "data/nlu.yml").read_text()
    assert await versions.latest(store) is None


async def test_an_edit_that_a_dialogue_contradicts_is_refused_and_changes_nothing(
    workshop: Workshop, folder: Path
) -> None:
    came = await workshop.publish(MoveExample("good morning to you", "en", "greet", "order"), by="maya", audit=audited)
    assert isinstance(came, Refused) and came.reason == "dialogues"
    assert "must go so" in came.problems[0]
    assert read_content(folder) == FILES
    assert "good morning to you" in _examples(workshop, "greet")


async def test_a_dialogue_that_failed_before_is_not_the_edits_fault(store: Store, folder: Path, tmp_path: Path) -> None:
    tests = folder / "tests/en.yml"
    tests.write_text(tests.read_text().replace("utter_hello", "utter_order"))
    came = await _opened(store, folder, tmp_path).publish(EXAMPLE, by="maya", audit=audited)
    assert isinstance(came, Published)


async def test_any_version_can_be_had_back_and_that_is_a_version_too(
    workshop: Workshop, folder: Path, store: Store
) -> None:
    await workshop.publish(EXAMPLE, by="maya", audit=audited)
    await workshop.publish(
        NewAnswer("Gifts", [("en", "do you wrap presents")], {"en": "We do."}), by="maya", audit=audited
    )
    assert "gifts" in workshop.brain.script.domain.intents
    came = await workshop.restore(1, seen=3, by="noor", audit=audited)
    assert isinstance(came, Published) and came.version.number == 4
    assert read_content(folder) == FILES
    assert "gifts" not in workshop.brain.script.domain.intents
    again = await workshop.restore(3, seen=4, by="noor", audit=audited)
    assert isinstance(again, Published) and "gifts" in workshop.brain.script.domain.intents


async def test_who_did_not_see_the_latest_version_does_not_undo_it(workshop: Workshop) -> None:
    await workshop.publish(EXAMPLE, by="maya", audit=audited)
    await workshop.publish(AddExample("greet", "ahoy captain", "en"), by="noor", audit=audited)
    assert await workshop.restore(1, seen=2, by="maya", audit=audited) == Refused("changed_meanwhile")
    assert await workshop.restore(3, seen=3, by="maya", audit=audited) == Refused("nothing_changed")
    assert await workshop.restore(9, seen=3, by="maya", audit=audited) == Refused("unknown_version")


async def test_two_editors_at_once_both_teach_and_the_same_thing_is_taught_once(workshop: Workshop) -> None:
    edits = [EXAMPLE, AddExample("greet", "ahoy captain", "en"), EXAMPLE]
    came = await asyncio.gather(*(workshop.publish(edit, by="maya", audit=audited) for edit in edits))
    assert [type(one) for one in came] == [Published, Published, Refused]
    assert came[2] == Refused("already_there")
    assert {"ahoy captain", EXAMPLE.text} <= {*_examples(workshop, "order"), *_examples(workshop, "greet")}


async def test_a_file_saved_by_hand_while_an_edit_is_tried_is_not_overwritten(workshop: Workshop, folder: Path) -> None:
    nlu = folder / "data/nlu.yml"
    tried = workshop._live.trial

    async def saved_meanwhile(place: Path) -> Any:
        nlu.write_text(FILES["data/nlu.yml"] + "# mine\n")
        return await tried(place)

    workshop._live.trial = saved_meanwhile  # type: ignore[method-assign]
    assert await workshop.publish(EXAMPLE, by="maya", audit=audited) == Refused("changed_meanwhile")
    assert nlu.read_text().endswith("# mine\n")


async def test_what_people_changed_by_hand_becomes_a_version_of_its_own(
    workshop: Workshop, folder: Path, store: Store
) -> None:
    await workshop.publish(EXAMPLE, by="maya", audit=audited)
    (folder / "domain.yml").write_text(FILES["domain.yml"].replace("Hello.", "Good day."))
    await workshop.publish(AddExample("greet", "ahoy captain", "en"), by="maya", audit=audited)
    acts = [version.act for version in await versions.before(store, None, 10)]
    assert acts == ["example", "outside", "example", "first"]


async def test_a_shipped_bot_is_copied_on_the_first_edit_and_itself_never_changed(
    store: Store, folder: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "data" / "bot" / "club"
    workshop = _opened(store, folder, tmp_path, copy=copy, is_shipped=True)
    assert workshop.can_edit and workshop.folder == folder
    assert isinstance(await workshop.publish(EXAMPLE, by="maya", audit=audited), Published)
    assert workshop.folder == copy and EXAMPLE.text in (copy / "data/nlu.yml").read_text()
    assert read_content(folder) == FILES
    assert isinstance(
        await workshop.publish(AddExample("greet", "ahoy captain", "en"), by="maya", audit=audited), Published
    )


async def test_a_folder_nobody_may_write_without_a_copy_can_not_be_edited(
    store: Store, folder: Path, tmp_path: Path
) -> None:
    workshop = _opened(store, folder, tmp_path, is_shipped=True)
    assert not workshop.can_edit
    assert await workshop.publish(EXAMPLE, by="maya", audit=audited) == Refused("read_only")


async def test_another_machine_takes_over_what_was_published(store: Store, folder: Path, tmp_path: Path) -> None:
    here = tmp_path / "here"
    copy_folder(folder, here)
    there = _opened(store, folder, tmp_path)
    mine = _opened(store, here, tmp_path)
    await there.publish(EXAMPLE, by="maya", audit=audited)
    await mine.follow()
    assert EXAMPLE.text in _examples(mine, "order") and read_content(here) == read_content(folder)


async def test_a_server_stopped_between_two_files_writes_the_rest_at_its_next_start(
    workshop: Workshop, store: Store, folder: Path, tmp_path: Path
) -> None:
    await workshop.publish(
        NewAnswer("Gifts", [("en", "do you wrap presents")], {"en": "We do."}), by="maya", audit=audited
    )
    whole = read_content(folder)
    write_content(folder, {"data/rules.yml": FILES["data/rules.yml"], "data/nlu.yml": FILES["data/nlu.yml"]})
    restarted = _opened(store, folder, tmp_path)
    await restarted.follow()
    assert read_content(folder) == whole
    assert restarted.brain.script.rulebook.all and "gifts" in {
        one.intent for one in restarted.brain.script.project.training.examples
    }


async def test_files_changed_by_hand_on_a_machine_are_left_when_another_publishes(
    store: Store, folder: Path, tmp_path: Path
) -> None:
    here = tmp_path / "here"
    copy_folder(folder, here)
    there, mine = _opened(store, folder, tmp_path), _opened(store, here, tmp_path)
    by_hand = FILES["domain.yml"].replace("Hello.", "Good day.")
    (here / "domain.yml").write_text(by_hand)
    await there.publish(EXAMPLE, by="maya", audit=audited)
    await mine.follow()
    assert (here / "domain.yml").read_text() == by_hand
    assert (here / "data/nlu.yml").read_text() == FILES["data/nlu.yml"]


async def test_two_machines_that_publish_at_once_do_not_take_one_number(
    store: Store, folder: Path, tmp_path: Path
) -> None:
    here = tmp_path / "here"
    copy_folder(folder, here)
    there, mine = _opened(store, folder, tmp_path), _opened(store, here, tmp_path)
    came = await asyncio.gather(
        there.publish(EXAMPLE, by="maya", audit=audited),
        mine.publish(AddExample("greet", "ahoy captain", "en"), by="noor", audit=audited),
    )
    numbers = [one.version.number for one in came if isinstance(one, Published)]
    assert len(numbers) == len(set(numbers)) >= 1
    assert all(one == Refused("changed_meanwhile") for one in came if isinstance(one, Refused))
    await there.follow()
    await mine.follow()
    head = await versions.latest(store)
    assert head and read_content(folder) == read_content(here) == await versions.texts_of(store, head)


def test_a_copy_is_whole_or_not_there(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(shutil, "copytree", broken)
    with pytest.raises(OSError, match="disk full"):
        copy_folder(folder, tmp_path / "data" / "copy")
    assert list((tmp_path / "data").iterdir()) == []
