"""A campaign whose server is killed at random moments, while people say no: everybody has it once, or is listed."""

import asyncio
import random
from pathlib import Path

from profiles.store import Store
from tests.faults.figures import Figures
from tests.faults.house import House, balance
from tests.faults.journal import Journal, facts
from tests.faults.noes import Noes, noes
from tests.faults.patience import until
from tests.faults.provider import Mood, provider
from tests.faults.queue_of import queue_of
from tests.faults.servers import Nursery, server

KILLS, KILLS_IN_SHORT = 10, 4
PEOPLE = 240
NO_SAYERS = 30
LIVES_SECONDS = (0.0, 1.0)
MOODS: dict[Mood, float] = {
    "flood": 0.02,
    "server_error": 0.02,
    "bad_gateway": 0.01,
    "reset": 0.02,
    "lost_answer": 0.02,
}


async def test_a_campaign_killed_again_and_again_reaches_everybody_once_or_lists_them(
    nursery: Nursery, folder: Path, store: Store, chance: random.Random, seed: int, is_long: bool, figures: Figures
) -> None:
    kills = KILLS if is_long else KILLS_IN_SHORT
    house = House(store, PEOPLE)
    key = await house.open()
    async with provider(folder / "provider.journal", seed=seed, moods=MOODS) as telegram:
        telegram.seconds = (0.0, 0.03)
        here = server(nursery, folder, database_url=store.url, database=store.name, provider=telegram.url)
        await house.fire(folder / "book")
        saying: asyncio.Task[Noes] = asyncio.create_task(
            noes(house, key, lambda: here.url, folder / "noes.journal", people=NO_SAYERS, over=8, chance=chance)
        )
        for _ in range(kills):
            await here.start()
            await asyncio.sleep(chance.uniform(*LIVES_SECONDS))
            here.kill()
            assert await here.dies() == -9
        await here.start()
        said = await saying
        await until(house.is_over)
        await here.stop()
        found = await balance(house, [one.to for one in telegram.taken])
    violations = said.violations(house, telegram.taken)
    figures.add(
        intents=found.intents, twice=found.twice, unknown=found.unknown, **{"killed_server in a campaign": kills}
    )
    figures.add(**{"opt-outs": len(said.acknowledged)}, violations=violations)
    figures.took("acknowledging an opt-out", *said.waited)
    assert found.is_right, (found, telegram.met)
    assert (len(said.acknowledged), violations) == (NO_SAYERS, 0)
    assert len(telegram.taken) > PEOPLE / 2, "hardly anything was sent"


async def test_control_the_usual_queue_sends_twice_when_its_worker_is_killed(
    mongo_url: str, folder: Path, chance: random.Random, seed: int, figures: Figures
) -> None:
    async with (
        provider(folder / "provider.journal", seed=seed) as telegram,
        queue_of(mongo_url, telegram.url, PEOPLE) as queue,
    ):
        telegram.seconds = (0.03, 0.06)
        for _ in range(KILLS):
            worker, began = queue.work(), len(telegram.taken)
            await until(lambda began=began: len(telegram.taken) > began)  # type: ignore[misc]
            await asyncio.sleep(chance.uniform(*LIVES_SECONDS) / 4)
            worker.kill()
            worker.wait()
        queue.work()
        await queue.emptied()
    twice = sum(len(texts) > 1 for texts in telegram.by_person().values())
    figures.add_control(intents=PEOPLE, twice=twice)
    assert twice > 0, "this test can not see a message that is sent twice"


def test_a_journal_reads_back_what_was_noted_and_no_line_that_was_cut_short(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j")
    journal.note(a=1)
    journal.note(b="x\ny")
    journal.close()
    with (tmp_path / "j").open("ab") as file:
        file.write(b'{"c": 1')
    assert facts(tmp_path / "j") == [{"a": 1}, {"b": "x\ny"}]


async def test_the_balance_sees_what_was_decided_and_is_not_there(store: Store) -> None:
    house = House(store, 2)
    decided = [
        {"_id": f"d{one}", "rule": "sales", "profile": house.profile(one), "messages": [f"m{one}"]} for one in (0, 1)
    ]
    await store.insert_missing("decisions", decided)
    told = {"metadata": {"rule": "sales"}, "delivery": {"to": f"telegram:{house.address(0)}", "state": "sent"}}
    await store.insert_missing("messages", [{"_id": "m0", "conversation": "c0", "seq": 1, **told}])
    found = await balance(house, [house.address(0)])
    assert (found.dropped, found.is_right) == (1, False)
    told["delivery"] = {"to": f"telegram:{house.address(1)}", "state": "failed"}
    await store.insert_missing("messages", [{"_id": "m1", "conversation": "c1", "seq": 1, **told}])
    assert (await balance(house, [house.address(0)])).is_right
