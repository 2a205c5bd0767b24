"""Several workers on one port: one that dies is started again, all are replaced one by one, and none outlives its parent."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from causerie import workers as module
from causerie.data_folder import free_port as any_free_port
from causerie.workers import Post, Worker, Workers, bound, command_of, oversee
from tests.serving import children, healthy, serving
from tests.waiting import is_running, until

MIDGET = """
import os, select, socket, sys
listener, line, place, greets = map(int, sys.argv[-1].split(","))
line, listener = socket.socket(fileno=line), socket.socket(fileno=listener)
if os.environ.get("MIDGET_BREAKS") == str(place):
    sys.exit(3)
line.send(b"ready\\n")
while True:
    ready, _, _ = select.select([line, listener], [], [])
    if line in ready:
        sys.exit(0)
    try:
        caller, _ = listener.accept()
    except BlockingIOError:
        continue
    caller.send(f"{place} {os.getpid()}".encode())
    caller.close()
"""


@pytest.fixture
async def port() -> AsyncIterator[socket.socket]:
    with bound("127.0.0.1", 0) as listener:
        listener.setblocking(False)
        yield listener


@asynccontextmanager
async def midgets(count: int, port: socket.socket) -> AsyncIterator[Workers]:
    """Run so many small programs that behave as workers do."""
    team = Workers(count, [sys.executable, "-c", MIDGET], port)
    try:
        assert await team.start()
        yield team
    finally:
        await team.stop()


async def test_one_that_is_killed_is_started_again_and_the_others_go_on(port: socket.socket) -> None:
    async with midgets(2, port) as team:
        first, second = team.pids
        os.kill(first, signal.SIGKILL)
        assert await _answer(port) == second or is_running(second)
        await until(lambda: len(team.pids) == 2 and first not in team.pids)
        assert second in team.pids


async def test_one_that_dies_again_and_again_is_started_later_each_time(
    port: socket.socket, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    async with midgets(1, port) as team:
        for _ in range(2):
            (pid,) = team.pids
            os.kill(pid, signal.SIGKILL)
            await until(lambda pid=pid: team.pids and team.pids != (pid,))  # type: ignore[misc]
    waits = [float(line.split("again_in=")[1]) for line in caplog.text.splitlines() if "again_in=" in line]
    assert waits == [0.4, 0.8]


async def test_all_are_replaced_and_none_dies_before_its_successor_is_ready(port: socket.socket) -> None:
    async with midgets(3, port) as team:
        before = set(team.pids)
        assert await team.renew()
        after = set(team.pids)
        assert len(after) == 3 and not before & after
        assert not any(is_running(pid) for pid in before)


async def test_successors_that_do_not_start_leave_the_old_ones_at_work(
    port: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with midgets(2, port) as team:
        before = team.pids
        monkeypatch.setenv("MIDGET_BREAKS", "1")
        assert not await team.renew()
        assert team.pids[1] == before[1], "the second stays"
        assert await _answer(port) in team.pids


async def test_one_that_dies_while_all_are_replaced_has_one_successor(
    port: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with midgets(2, port) as team:
        former = team._at[1]
        is_ready = Worker.is_ready

        async def dies_meanwhile(successor: Worker) -> bool:
            if former.process.returncode is None:
                former.process.kill()
                await former.process.wait()
            return await is_ready(successor)

        monkeypatch.setattr(Worker, "is_ready", dies_meanwhile)
        monkeypatch.setattr(module, "FIRST_WAIT_SECONDS", 0.0)
        assert await team.renew()
        replaced = team.pids
        await asyncio.wait_for(team._changing.acquire(), 5)  # whoever wanted to start one more has had their turn
        assert team.pids == replaced and sum(is_running(worker.process.pid) for worker in team._alive) == 2
        team._changing.release()


async def test_one_that_dies_again_and_again_does_not_keep_the_others_from_being_replaced(port: socket.socket) -> None:
    async with midgets(2, port) as team:
        os.kill(team.pids[0], signal.SIGKILL)
        await until(lambda: len(team.pids) == 1)
        assert not team._changing.locked()
        assert await team.renew()
        assert len(team.pids) == 2


async def test_a_process_that_can_not_be_had_is_asked_for_again(
    port: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with midgets(1, port) as team:
        spawn = team._spawn
        refused: list[int] = []

        async def out_of_memory(place: int, *, greets: bool = False) -> Worker:
            if len(refused) < 2:
                refused.append(place)
                raise OSError(12, "Cannot allocate memory")
            return await spawn(place, greets=greets)

        monkeypatch.setattr(module, "FIRST_WAIT_SECONDS", 0.01)
        monkeypatch.setattr(team, "_spawn", out_of_memory)
        assert not await team.renew()
        assert len(team.pids) == 1, "the old one goes on"
        os.kill(team.pids[0], signal.SIGKILL)
        await until(lambda: len(refused) == 2 and team.pids)


async def test_whoever_was_to_replace_another_ends_with_all(
    port: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = MIDGET.replace('line.send(b"ready', 'os.environ.get("MIDGET_WAITS") or line.send(b"ready', 1)
    team = Workers(1, [sys.executable, "-c", slow], port)
    stopping, renewing = asyncio.Event(), asyncio.Event()
    overseeing = asyncio.create_task(oversee(team, stopping, renewing))
    await until(lambda: team._keepers)
    monkeypatch.setenv("MIDGET_WAITS", "1")
    renewing.set()
    await until(lambda: len(team._alive) == 2)
    pids = [worker.process.pid for worker in team._alive]
    stopping.set()
    assert await asyncio.wait_for(overseeing, 10)
    assert not any(is_running(pid) for pid in pids)


async def test_a_first_worker_that_can_not_start_is_said(port: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIDGET_BREAKS", "0")
    team = Workers(2, [sys.executable, "-c", MIDGET], port)
    assert not await team.start()
    await team.stop()
    assert team.pids == ()


async def test_one_that_does_not_stop_is_ended(port: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STOPPED_WITHIN_SECONDS", 0.2)
    stubborn = MIDGET.replace("import os", "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nimport os", 1)
    team = Workers(1, [sys.executable, "-c", stubborn], port)
    assert await team.start()
    (pid,) = team.pids
    await team.stop()
    assert not is_running(pid)


def test_a_worker_is_started_by_our_own_command_line() -> None:
    given = ["--config", "shop.toml", "serve", "--workers", "4", "--demo"]
    assert command_of(given) == [sys.executable, "-m", "causerie", "--config", "shop.toml", "serve", "--demo"]
    assert command_of(["serve", "--workers=2"])[-1] == "serve"


def test_a_post_is_read_back_as_it_was_written() -> None:
    post = Post(5, 7, 2, greets=True)
    assert Post.parse(str(post)) == post
    with pytest.raises(ValueError):
        Post.parse("5,7")


async def test_a_killed_worker_comes_back_and_none_outlives_a_killed_parent(tmp_path: Path, free_port: int) -> None:
    inside = any_free_port()
    async with _two_workers(tmp_path, free_port, inside) as parent:
        await until(lambda: healthy(inside))
        await until(lambda: healthy(inside + 1), within_seconds=60)
        before = children(parent.pid)
        assert len(before) == 2
        os.kill(min(before), signal.SIGKILL)
        assert await healthy(free_port), "the other one answers"
        await until(lambda: len(children(parent.pid) - before) == 1, within_seconds=60)
        await until(lambda: healthy(inside), within_seconds=60)
        await until(lambda: healthy(inside + 1), within_seconds=60)
        workers = children(parent.pid)
        parent.kill()
        await parent.wait()
        await until(lambda: not any(is_running(pid) for pid in workers), within_seconds=60)
    async with _two_workers(tmp_path, free_port):  # the port and the data folder are free, nobody has to clean up
        assert await healthy(free_port)
    assert not await healthy(free_port)


def _two_workers(folder: Path, port: int, inside: int = 0) -> AbstractAsyncContextManager[asyncio.subprocess.Process]:
    return serving(folder, port, "--workers", "2", settings={"CAUSERIE_SERVER__METRICS_PORT": str(inside)})


async def _answer(port: socket.socket) -> int:
    """Call, and return the process that answered."""
    reader, writer = await asyncio.open_connection(*port.getsockname())
    said = await reader.read(100)
    writer.close()
    return int(said.split()[1])
