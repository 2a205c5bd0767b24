"""The embedded database under bad luck: killed on either side, two servers at once, its port taken, half set up."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from causerie import mongod_process, mongod_program
from causerie.data_folder import DataFolder
from causerie.mongod import CannotStart, Mongod, StoreOptions, start
from profiles import store_start
from profiles.secret import Secret
from profiles.store import Store, Unavailable
from tests.waiting import is_running, until

SERVER = """
import asyncio, sys
from causerie import mongod_process
from causerie.mongod import StoreOptions, start
from profiles.store import Store

async def serve(folder, tied):
    if tied != "tied":
        mongod_process._tied_to_us = list
    mongod = await start(StoreOptions(folder=folder))
    await Store(mongod.url, "shop").insert("messages", {"_id": "acknowledged"})
    print(mongod.pid, flush=True)
    await asyncio.Event().wait()

asyncio.run(serve(*sys.argv[1:]))
"""


@pytest.fixture
def options(tmp_path: Path) -> StoreOptions:
    return StoreOptions(folder=str(tmp_path / "data"))


@asynccontextmanager
async def running(options: StoreOptions) -> AsyncIterator[Mongod]:
    mongod = await start(options)
    try:
        yield mongod
    finally:
        await mongod.stop()


@asynccontextmanager
async def shop(mongod: Mongod) -> AsyncIterator[Store]:
    store = Store(mongod.url, "shop")
    try:
        yield store
    finally:
        await store.close()


@asynccontextmanager
async def supervised(mongod: Mongod) -> AsyncIterator[None]:
    watch = asyncio.create_task(mongod.supervise())
    yield
    await mongod.stop()
    await asyncio.wait_for(watch, 5)


async def test_what_was_written_is_there_after_a_stop_and_a_start(options: StoreOptions) -> None:
    steps: list[str] = []
    mongod = await start(options, steps.append)
    async with shop(mongod) as store:
        await store.insert("messages", {"_id": "1"})
    await mongod.stop()
    assert mongod.pid is None
    async with running(options) as again, shop(again) as store:
        assert await store.get("messages", "1") == {"_id": "1"}
    assert steps[0].startswith("Starting MongoDB")
    assert steps[1] == "Setting up the database, once"


async def test_files_with_secrets_are_for_their_owner_alone_and_repr_hides_the_password(options: StoreOptions) -> None:
    async with running(options) as mongod:
        folder = Path(options.folder)
        assert {name: (folder / name).stat().st_mode & 0o777 for name in ("keyfile", "password", "lock")} == {
            "keyfile": 0o600,
            "password": 0o600,
            "lock": 0o600,
        }
        assert folder.stat().st_mode & 0o777 == 0o700
        assert (folder / "password").read_text() in mongod.url
        assert (folder / "password").read_text() not in repr(mongod)


async def test_nobody_gets_in_without_the_password(options: StoreOptions) -> None:
    async with running(options) as mongod:
        bare = f"mongodb://127.0.0.1:{mongod.url.split('127.0.0.1:')[1]}".replace("authSource=admin&", "")
        async with shop(Mongod(bare)) as stranger:
            with pytest.raises(Unavailable, match=r"auth|code 13\b"):
                await stranger.get("messages", "1")


async def test_the_database_runs_no_javascript(options: StoreOptions) -> None:
    async with running(options) as mongod, shop(mongod) as store:
        await store.insert("messages", {"_id": "1"})
        with pytest.raises(Unavailable, match="globalScriptEngine|6108304"):
            await store.find("messages", {"$where": "true"})


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc/net/tcp")
async def test_the_database_listens_on_loopback_alone(options: StoreOptions) -> None:
    async with running(options):
        port = json.loads((Path(options.folder) / "causerie.json").read_text())["port"]
        listening = [
            local
            for table in ("tcp", "tcp6")
            for _, local, _, state, *_ in map(str.split, Path(f"/proc/net/{table}").read_text().splitlines()[1:])
            if state == "0A" and local.endswith(f":{port:04X}")
        ]
        assert listening == [f"0100007F:{port:04X}"]


async def test_a_killed_mongod_comes_back_at_the_same_address_with_what_was_committed(options: StoreOptions) -> None:
    async with running(options) as mongod, supervised(mongod), shop(mongod) as store:
        await store.insert("messages", {"_id": "before"})
        for round in range(2):
            pid = mongod.pid
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            await until(lambda dead=pid: mongod.pid not in (None, dead))

            async def writes(id: str = f"after {round}") -> bool:
                try:
                    await store.insert("messages", {"_id": id})
                except Unavailable:
                    return False
                return True

            await until(writes)
        assert sorted(row["_id"] for row in await store.find("messages", {})) == ["after 0", "after 1", "before"]


async def test_supervision_does_not_revive_what_was_stopped(options: StoreOptions) -> None:
    mongod = await start(options)
    watch = asyncio.create_task(mongod.supervise())
    await mongod.stop()
    await mongod.stop()
    await asyncio.wait_for(watch, 5)
    assert mongod.pid is None


async def serve_apart(options: StoreOptions, tied: str) -> tuple[asyncio.subprocess.Process, int]:
    server = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        SERVER,
        options.folder,
        tied,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": "."},
    )
    assert server.stdout
    return server, int(await asyncio.wait_for(server.stdout.readline(), 60))


@pytest.mark.skipif(sys.platform != "linux", reason="Linux ends a child with its parent")
async def test_mongod_ends_with_a_server_that_is_killed(options: StoreOptions) -> None:
    server, pid = await serve_apart(options, "tied")
    server.kill()
    await server.wait()
    await until(lambda: not is_running(pid))
    async with running(options) as mongod, shop(mongod) as store:
        assert await store.get("messages", "acknowledged")


async def test_a_start_right_after_a_kill_succeeds_while_mongod_is_still_stopping(options: StoreOptions) -> None:
    server, _ = await serve_apart(options, "tied")
    server.kill()
    await server.wait()
    async with running(options) as mongod, shop(mongod) as store:
        assert await store.get("messages", "acknowledged")


async def test_an_orphan_mongod_is_stopped_and_its_data_kept(options: StoreOptions) -> None:
    server, orphan = await serve_apart(options, "on its own")
    server.kill()
    await server.wait()
    assert is_running(orphan)
    steps: list[str] = []
    mongod = await start(options, steps.append)
    try:
        assert not is_running(orphan)
        assert steps[0] == "Stopping the database that a killed server left behind"
        async with shop(mongod) as store:
            assert await store.get("messages", "acknowledged")
    finally:
        await mongod.stop()


async def test_a_pid_that_now_belongs_to_another_program_is_let_alone(options: StoreOptions) -> None:
    async with running(options):
        pass
    names_it = ["--dbpath", f"{options.folder}/db", "more"]
    bystander = subprocess.Popen([sys.executable, "-c", "input()", *names_it], stdin=subprocess.PIPE)
    try:
        (Path(options.folder) / "db" / "mongod.lock").write_text(f"{bystander.pid}\n")
        async with running(options):
            assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.communicate()


async def test_a_second_server_on_the_folder_is_refused_and_told_the_first_ones_pid(options: StoreOptions) -> None:
    async with running(options) as first:
        with pytest.raises(CannotStart, match=f"its process is {os.getpid()}"):
            await start(options)
        assert first.pid is not None
    async with running(options):
        pass


async def test_a_taken_port_is_left_to_its_owner_and_the_data_follows_to_another(options: StoreOptions) -> None:
    async with running(options) as mongod, shop(mongod) as store:
        await store.insert("messages", {"_id": "1"})
    port = json.loads((Path(options.folder) / "causerie.json").read_text())["port"]
    squatter = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", port)
    async with squatter, running(options) as moved, shop(moved) as store:
        assert f":{port}/" not in moved.url
        assert await store.get("messages", "1")
        await store.insert("messages", {"_id": "2"})


@pytest.mark.parametrize("step", ["initiate", "create_first_user", None])
async def test_a_first_start_cut_off_before_its_end_is_resumed(
    options: StoreOptions, monkeypatch: pytest.MonkeyPatch, step: str | None
) -> None:
    async def cut_off(*_: object, **__: object) -> None:
        raise Unavailable("cut off")

    with monkeypatch.context() as patched:
        if step:
            patched.setattr(store_start, step, cut_off)
        else:
            note = DataFolder.note
            patched.setattr(DataFolder, "note", lambda folder, **facts: "is_set_up" in facts or note(folder, **facts))
        with suppress(CannotStart):
            await (await start(options)).stop()
    async with running(options) as mongod, shop(mongod) as store:
        await store.insert("messages", {"_id": "1"})
    assert json.loads((Path(options.folder) / "causerie.json").read_text())["is_set_up"]


async def test_a_mongod_that_ends_while_starting_is_quoted(options: StoreOptions) -> None:
    async with running(options):
        pass
    (Path(options.folder) / "db" / "WiredTiger.turtle").write_text("moths")
    with pytest.raises(CannotStart, match=r"mongod\.log: mongod ended while starting; it said: .*WiredTiger"):
        await start(options)
    with pytest.raises(CannotStart, match="ended while starting"):  # and not: in use
        await start(options)


async def test_secrets_that_a_backup_opened_to_others_are_closed_again(options: StoreOptions) -> None:
    async with running(options):
        pass
    (Path(options.folder) / "keyfile").chmod(0o644)
    async with running(options):
        assert (Path(options.folder) / "keyfile").stat().st_mode & 0o777 == 0o600


async def test_an_address_elsewhere_is_used_as_it_is(mongo_url: str) -> None:
    mongod = await start(StoreOptions(url=Secret(mongo_url), folder="/nonexistent"))
    assert (mongod.url, mongod.pid) == (mongo_url, None)
    await mongod.supervise()
    await mongod.stop()


async def test_a_database_elsewhere_that_is_no_replica_set_is_refused(tmp_path: Path, free_port: int) -> None:
    program = mongod_program.find_program()
    alone = subprocess.Popen(
        [program.path, "--dbpath", tmp_path, "--port", str(free_port), "--bind_ip", "127.0.0.1", "--nounixsocket"],
        stdout=subprocess.DEVNULL,
    )
    try:
        await until(lambda: mongod_process.listens(free_port))
        with pytest.raises(CannotStart, match="expected a replica set"):
            await start(StoreOptions(url=Secret(f"mongodb://127.0.0.1:{free_port}")))
    finally:
        alone.kill()
        alone.wait()


@pytest.mark.parametrize(
    ("address", "hosts"),
    [
        ("mongodb://anna:hunter2@127.0.0.1:1,127.0.0.1:2/?serverSelectionTimeoutMS=200", "127.0.0.1:1,127.0.0.1:2"),
        ("postgres://db.example", "db.example"),
        ("mongodb://", "no host"),
    ],
)
async def test_a_database_elsewhere_that_does_not_answer_is_refused_without_telling_its_password(
    address: str, hosts: str
) -> None:
    with pytest.raises(CannotStart, match=rf"store\.url: no database answers at {hosts}: ") as refused:
        await start(StoreOptions(url=Secret(address)))
    assert "hunter2" not in str(refused.value)


async def test_without_any_mongod_the_error_says_how_to_get_one(
    options: StoreOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mongod_program, "_candidates", lambda: iter(()))
    with pytest.raises(CannotStart, match=r"no mongod program .* Hint: install MongoDB"):
        await start(options)
    assert not Path(options.folder).exists()


def script(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("echo db version v4.4.2", "version 4.4.2 is older than 6.0"),
        ("echo libcurl.so.4 not found >&2; exit 127", "does not run: libcurl.so.4 not found"),
    ],
)
def test_a_mongod_that_is_too_old_or_does_not_run_is_passed_over_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, said: str
) -> None:
    bad = script(tmp_path / "bad", text)
    good = script(tmp_path / "good", "echo db version v7.0.14")
    candidates: Callable[[], object] = lambda: iter([bad, good])  # noqa: E731
    monkeypatch.setattr(mongod_program, "_candidates", candidates)
    assert mongod_program.find_program() == mongod_program.Program(good, "7.0.14")
    monkeypatch.setattr(mongod_program, "_candidates", lambda: iter([bad]))
    with pytest.raises(CannotStart, match=said):
        mongod_program.find_program()


async def test_a_long_path_is_fine(tmp_path: Path) -> None:
    async with running(StoreOptions(folder=str(tmp_path / ("long" * 50) / ("name" * 50)))) as mongod:
        assert mongod.pid


async def test_what_a_killed_server_left_open_holds_nobody_up_for_long(mongod: Mongod) -> None:
    store = Store(mongod.url, "shop")
    asked = await asyncio.to_thread(store._client.admin.command, "getParameter", 1, transactionLifetimeLimitSeconds=1)
    assert asked["transactionLifetimeLimitSeconds"] == 10, "by default a minute"
    await store.close()


async def test_what_breaks_while_the_database_begins_ends_it_and_frees_its_folder(options: StoreOptions) -> None:
    begun: list[int] = []

    def read_on() -> None:
        patience = time.monotonic() + 10
        while not begun and time.monotonic() < patience:  # for a moment a program that began has no arguments to see
            begun.extend(programs_on(options.folder))
        raise ValueError("domain.yml:1:1: nothing in it")

    with pytest.raises(ValueError, match="nothing in it"):
        await start(options, meanwhile=read_on)
    assert len(begun) == 1 and programs_on(options.folder) == []
    async with running(options) as mongod:
        assert mongod.pid


def programs_on(folder: str) -> list[int]:
    """Return the process ids of what was started on this folder; a name ends where the next argument begins."""
    found = []
    for place in Path("/proc").iterdir():
        with suppress(OSError):
            if place.name.isdigit() and f"{folder}/mongod.log".encode() in (place / "cmdline").read_bytes():
                found.append(int(place.name))
    return found
