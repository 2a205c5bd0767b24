"""What the benchmark counts: commands of the database, CPU and memory of processes."""

import os
import time

from motor.motor_asyncio import AsyncIOMotorClient

from bench import commands, cpu


async def test_a_command_counts_once_however_many_documents_it_has(mongo_url: str, database_name: str) -> None:
    client: AsyncIOMotorClient[dict[str, int]] = AsyncIOMotorClient(mongo_url)
    before = await commands.counted(client)
    await client[database_name]["things"].insert_many([{"_id": number} for number in range(100)])
    ran = commands.between(before, await commands.counted(client))
    assert 1 <= ran["insert"] < 100
    client.close()


def test_cpu_is_counted_of_a_process_that_works() -> None:
    before, until = cpu.seconds_of(os.getpid()), time.process_time() + 0.3
    while time.process_time() < until:
        pass
    assert 0.2 <= cpu.seconds_of(os.getpid()) - before < 3


def test_this_process_holds_some_memory_and_the_machine_has_cpus() -> None:
    assert 5 < cpu.resident_mb(os.getpid()) < 100_000
    cpus = cpu.machine()["cpus"]
    assert isinstance(cpus, int) and cpus >= 1
