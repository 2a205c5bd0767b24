"""The commands: a key is made beside a running server, a broken bot is told whole."""

from pathlib import Path

from causerie.commands import check, key_create
from causerie.configured import Configured, read_config
from causerie.mongod import StoreOptions, reach, start


def configured(folder: Path, **environment: str) -> Configured:
    return read_config(None, {"CAUSERIE_STORE__FOLDER": str(folder), **environment})


async def test_a_key_is_made_while_the_server_runs_and_leaves_it_running(tmp_path: Path) -> None:
    server = await start(StoreOptions(folder=str(tmp_path)))
    said: list[str] = []
    assert await key_create(configured(tmp_path), "shop", ["profiles:read"], said.append) == 0
    assert said[0].startswith("ck_")
    assert (await reach(StoreOptions(folder=str(tmp_path)))).url == server.url
    await server.stop()


async def test_a_key_is_made_without_a_server_and_nothing_keeps_running(tmp_path: Path) -> None:
    said: list[str] = []
    assert await key_create(configured(tmp_path), "shop", ["profiles:read"], said.append) == 0
    again = await start(StoreOptions(folder=str(tmp_path)))  # the folder is free
    await again.stop()
    assert len(said) == 1


def test_check_says_every_mistake_of_a_bot(tmp_path: Path) -> None:
    (tmp_path / "domain.yml").write_text("intents: [greet]\nresponses:\n  utter_hi:\n  - text: Hi\n")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "rules.yml").write_text(
        "rules:\n- rule: a\n  steps:\n  - intent: greeet\n  - action: utter_hello\n"
    )
    said: list[str] = []
    assert check(configured(tmp_path / "data-folder", CAUSERIE_BOT__FOLDER=str(tmp_path)), said.append) == 1
    assert "utter_hello" in said[0] and "rules.yml:5" in said[0]
    assert said[1].startswith("notice: ") and "greeet" in said[1] and "rules.yml:4" in said[1], "Rasa trains it"


def test_check_fails_on_what_must_not_stand_so_in_the_world(tmp_path: Path) -> None:
    said: list[str] = []
    assert check(configured(tmp_path, CAUSERIE_SERVER__HOST="0.0.0.0"), said.append) == 1
    assert said[0].startswith("server.public_url: expected https://")


def test_check_of_what_is_shipped_finds_nothing(tmp_path: Path) -> None:
    said: list[str] = []
    assert check(configured(tmp_path), said.append) == 0


def test_check_does_not_say_that_all_is_well_below_a_warning(tmp_path: Path) -> None:
    said: list[str] = []
    assert check(configured(tmp_path, CAUSERIE_SERVER__PUBLIC_URL="https://talk.shop.example"), said.append) == 0
    assert "second_factor_roles" in "".join(said) and said[-1].endswith(": nothing else to complain about.")
