"""What docs/operations.md tells operators to use exists: the dashboard's figures, the image's files, keys that fit the indexes."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from causerie.arguments import parser
from causerie.health import Health
from causerie.serving import STOP_WITHIN_SECONDS
from causerie.workers import STOPPED_WITHIN_SECONDS
from channels.outbound import BackDoor
from channels.shedding import Shedding
from profiles.calendar import utc_now
from profiles.indexes import INDEXES
from profiles.live import Feed
from profiles.neighbours import Neighbours
from profiles.snapshot import Amend, Changes
from profiles.store import Store
from profiles.timeline import Content, Event, Message
from profiles.writer import Writer

ROOT = Path(__file__).parents[1]
MANUALS = (ROOT / "docs/operations.md", ROOT / "docs/fr/operations.md")
NAME = re.compile(r"\bcauserie_[a-z_]+\b")


@pytest.fixture
async def figures(mongo_url: str, database_name: str) -> set[str]:
    """The names of all that /metrics gives once something of everything has happened."""
    store = Store(mongo_url, database_name)
    writer = Writer(store, process="test")
    health = Health(store, writer, BackDoor({}, writer, clock=utc_now))
    health.metrics.neighbours(Neighbours(store, writer, Feed(), clock=utc_now))
    health.metrics.shedding(Shedding())
    health.metrics.sockets("webchat", lambda: 1)
    message = Message("m", "webchat:v", "p", "webchat", "inbound", "customer", Content("hello"), 1, utc_now())
    event = Event("e", "p", "conversation.woken", utc_now())
    health.metrics.hear(
        [Changes(messages=(message,), events=(event,), amends=(Amend("m", {"delivery.state": "sent"}),))]
    )
    text = (await health.metrics.exposition()).decode()
    await store.close()
    return {line.partition("{")[0].partition(" ")[0] for line in text.splitlines() if not line.startswith("#")}


async def test_the_dashboard_shows_only_figures_that_exist_and_misses_none(figures: set[str]) -> None:
    dashboard = json.loads((ROOT / "docs/grafana.json").read_text(encoding="utf-8"))
    asked = {name for panel in dashboard["panels"] for one in panel["targets"] for name in NAME.findall(one["expr"])}
    assert asked - figures == set()
    ours = {re.sub(r"_(bucket|count|sum)$", "", name) for name in figures if not name.endswith("_created")}
    assert ours - {re.sub(r"_bucket$", "", name) for name in asked} == set()


def test_the_panels_stand_beside_each_other() -> None:
    dashboard = json.loads((ROOT / "docs/grafana.json").read_text(encoding="utf-8"))
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in dashboard["panels"]]
    assert len(set(places)) == len(places) == len({panel["id"] for panel in dashboard["panels"]})
    assert all(panel["title"] and panel["targets"] for panel in dashboard["panels"])


@pytest.mark.parametrize("manual", MANUALS, ids=lambda path: path.parent.name)
async def test_the_manual_names_only_figures_that_exist(manual: Path, figures: set[str]) -> None:
    told = set(NAME.findall(manual.read_text(encoding="utf-8")))
    assert told and told - figures == set()


@pytest.mark.parametrize("manual", MANUALS, ids=lambda path: path.parent.name)
def test_the_shard_keys_fit_every_unique_index(manual: Path) -> None:
    """A unique index of a sharded collection must begin with its key, and ids are unique only where equal ids meet."""
    keys = _shard_keys(manual)
    assert {"profiles", "identities", "conversations", "messages", "events"} <= keys.keys()
    for collection, key in keys.items():
        assert collection in INDEXES, collection
        for index in (one.document for one in INDEXES[collection]):
            if index.get("unique"):
                assert list(index["key"])[: len(key)] == list(key) and "hashed" not in key.values(), collection
        # by its id, or, as messages do, by what one id always comes with: a message is of one conversation for ever
        assert list(key) == ["_id"] or (collection, list(key)) == ("messages", ["conversation"])


def _shard_keys(manual: Path) -> dict[str, dict[str, Any]]:
    text = manual.read_text(encoding="utf-8")
    found = re.findall(r'sh\.shardCollection\("causerie\.(\w+)", \{(\w+): ("hashed"|1)\}\)', text)
    assert len(found) == text.count("sh.shardCollection(")
    return {collection: {field: kind.strip('"')} for collection, field, kind in found}


def test_all_that_the_image_copies_is_there() -> None:
    lines = (ROOT / "Containerfile").read_text(encoding="utf-8").splitlines()
    copied = [name for line in lines if line.startswith("COPY ") for name in line.split()[1:-1]]
    assert copied and [name for name in copied if not (ROOT / name).exists()] == []
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"bench", "tests"}
    assert packages <= set(copied), "every package that runs is in the image"


def test_the_image_and_the_unit_start_the_server_by_a_command_that_exists() -> None:
    image = (ROOT / "Containerfile").read_text(encoding="utf-8")
    (command,) = re.findall(r"^CMD (\[.*\])$", image, re.MULTILINE)
    unit = (ROOT / "docs/causerie.service").read_text(encoding="utf-8")
    (start,) = re.findall(r"^ExecStart=(.+)$", unit, re.MULTILINE)
    for arguments in (json.loads(command)[3:], shlex.split(start)[1:]):
        parsed = parser().parse_args(arguments)
        assert (parsed.command, parsed.workers) == ("serve", 2)
    assert shlex.split(start)[0].endswith("/.venv/bin/causerie")
    assert "\n$(BIN)/causerie:" in (ROOT / "Makefile").read_text(encoding="utf-8"), "make puts it there"


def test_the_unit_waits_longer_than_a_stop_takes() -> None:
    unit = (ROOT / "docs/causerie.service").read_text(encoding="utf-8")
    (waits,) = re.findall(r"^TimeoutStopSec=(\d+)$", unit, re.MULTILINE)
    assert STOP_WITHIN_SECONDS < STOPPED_WITHIN_SECONDS < int(waits)
