"""The configuration: what wins over what, and every mistake named at once with its place and the nearest name."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest

from causerie.config import Config, ConfigErrors, default_path, load
from causerie.config_file import render
from profiles.secret import Secret


@dataclass(frozen=True, slots=True)
class Server:
    host: str = field(default="127.0.0.1", metadata={"about": "address to listen on"})
    port: int = 8080
    origins: tuple[str, ...] = ("https://shop.example",)
    log_level: Literal["INFO", "DEBUG"] = "INFO"
    ratio: float = 0.5
    spares: tuple[int, ...] = ()
    limit: int | None = None
    words: Mapping[str, str] = field(default_factory=lambda: {"bye": "STOP"})

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65535:
            raise ValueError(f"port: expected 0 to 65535, got {self.port}")


@dataclass(frozen=True, slots=True)
class Telegram:
    enabled: bool = False
    token: Secret = Secret()
    poll_timeout_seconds: int = 25


SECTIONS: dict[str, type] = {"server": Server, "channels.telegram": Telegram}


VARIABLES = sorted(
    [f"CAUSERIE_SERVER__{name.upper()}" for name in Server.__dataclass_fields__]
    + [f"CAUSERIE_CHANNELS__TELEGRAM__{name.upper()}" for name in Telegram.__dataclass_fields__]
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


def read(file: Path | None = None, text: str = "", **environment: str) -> Config:
    if file:
        file.write_text(text)
    return load(file, environment, SECTIONS)


def mistakes(file: Path | None = None, text: str = "", **environment: str) -> tuple[str, ...]:
    with pytest.raises(ConfigErrors) as caught:
        read(file, text, **environment)
    assert str(caught.value) == "\n".join(caught.value.errors)
    return caught.value.errors


def test_without_file_and_environment_the_defaults_hold() -> None:
    assert read()["server"] == Server()
    assert read().of(Telegram) == Telegram()
    assert read().under("channels") == {"telegram": Telegram()}


def test_the_file_wins_over_the_default_and_the_environment_over_the_file(file: Path) -> None:
    text = '[server]\nport = 1\nhost = "::1"\n[channels.telegram]\nenabled = true'
    config = read(file, text, CAUSERIE_SERVER__PORT="2", PATH="/bin", CAUSERIE_CONFIG=str(file))
    assert config["server"] == Server(host="::1", port=2)
    assert config["channels.telegram"] == Telegram(enabled=True)


@pytest.mark.parametrize(
    ("key", "toml", "text", "value"),
    [
        ("host", '"0.0.0.0"', "0.0.0.0", "0.0.0.0"),
        ("port", "9000", " 9000 ", 9000),
        ("origins", '["a", "b"]', "a, b,", ("a", "b")),
        ("origins", "[]", "", ()),
        ("log_level", '"DEBUG"', "DEBUG", "DEBUG"),
        ("ratio", "1", "1", 1.0),
        ("spares", "[1, 2]", "1,2", (1, 2)),
        ("limit", "7", "7", 7),
        ("words", '{ ciao = "STOP" }', "ciao=STOP", {"ciao": "STOP"}),
    ],
)
def test_every_type_reads_the_same_from_file_and_environment(
    file: Path, key: str, toml: str, text: str, value: object
) -> None:
    assert getattr(read(file, f"[server]\n{key} = {toml}")["server"], key) == value
    assert getattr(read(**{f"CAUSERIE_SERVER__{key.upper()}": text})["server"], key) == value


@pytest.mark.parametrize(("word", "value"), [("true", True), ("YES", True), ("1", True), ("off", False), ("0", False)])
def test_truth_in_the_environment_has_several_words(word: str, value: bool) -> None:
    assert read(CAUSERIE_CHANNELS__TELEGRAM__ENABLED=word)["channels.telegram"].enabled is value


def test_all_mistakes_are_named_at_once_with_place_and_nearest_name(file: Path) -> None:
    text = """\
[server]
prot = 9000
port = "many"
[chanels]
[channels.telegram]
enabled = "yes"
[channels.telegramm]
token = "x"
"""
    assert mistakes(file, text, CAUSERIE_SERVER__HOTS="x", CAUSERIE_SERVER__RATIO="much", CAUSERIE_COLOUR="red") == (
        f"{file}:2 prot: unknown key in [server]. Hint: port",
        f'{file}:3 port: expected a whole number, got "many".',
        f"{file}:4 [chanels]: unknown section. Hint: one of channels.telegram, server",
        f'{file}:6 enabled: expected true or false, got "yes".',
        f"{file}:7 [channels.telegramm]: unknown section. Hint: channels.telegram",
        "CAUSERIE_COLOUR: unknown variable. Hint: one of " + ", ".join(VARIABLES),
        "CAUSERIE_SERVER__HOTS: unknown variable. Hint: CAUSERIE_SERVER__HOST",
        'CAUSERIE_SERVER__RATIO: expected a number, got "much".',
    )


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("port = true", "expected a whole number, got true"),
        ("port = 1.5", "expected a whole number, got 1.5"),
        ("host = 1", "expected a text, got 1"),
        ('origins = "a"', 'expected a list of texts, got "a"'),
        ("origins = [1]", "expected a text, got 1"),
        ('log_level = "LOUD"', 'expected one of INFO, DEBUG, got "LOUD"'),
        ("words = 3", "expected a table"),
        ("port = 70000", "[server]: port: expected 0 to 65535, got 70000"),
        ("port = ", "not TOML"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused_with_what_was_expected(file: Path, line: str, said: str) -> None:
    (error,) = mistakes(file, f"[server]\n{line}\n")
    assert error.startswith(str(file))
    assert said in error


def test_a_file_that_is_not_there_is_a_mistake(file: Path) -> None:
    with pytest.raises(ConfigErrors, match="can not be read: No such file"):
        load(file, {}, SECTIONS)


def test_a_secret_may_stand_in_a_file_that_the_environment_names(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("123:ABC\n")
    config = read(CAUSERIE_CHANNELS__TELEGRAM__TOKEN_FILE=str(tmp_path / "token"))
    assert config["channels.telegram"].token == Secret("123:ABC")
    assert "123:ABC" not in repr(config)
    assert config.secrets == [Secret("123:ABC")]


def test_only_secrets_are_read_from_files(tmp_path: Path) -> None:
    assert "unknown variable" in mistakes(CAUSERIE_SERVER__HOST_FILE=str(tmp_path))[0]


def test_a_secret_file_that_is_missing_or_open_to_everybody_is_refused(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("123:ABC")
    (tmp_path / "token").chmod(0o666)
    for path, said in ((tmp_path / "none", "No such file"), (tmp_path / "token", "written by everybody")):
        (error,) = mistakes(CAUSERIE_CHANNELS__TELEGRAM__TOKEN_FILE=str(path))
        assert said in error
        assert "123:ABC" not in error


def test_a_secret_of_the_wrong_type_is_not_repeated(file: Path) -> None:
    (error,) = mistakes(file, "[channels.telegram]\ntoken = 123456789\n")
    assert error == f"{file}:2 token: expected a secret text, got something else."


def test_the_file_to_read_is_the_named_one_else_the_one_in_the_folder_else_none(tmp_path: Path) -> None:
    assert default_path({}, tmp_path) is None
    (tmp_path / "config.toml").write_text("")
    assert default_path({}, tmp_path) == tmp_path / "config.toml"
    assert default_path({"CAUSERIE_CONFIG": "/etc/causerie.toml"}, tmp_path) == Path("/etc/causerie.toml")


def test_the_written_file_has_every_key_and_reads_back_as_the_defaults(file: Path) -> None:
    text = render(SECTIONS)
    assert 'host = "127.0.0.1"  # address to listen on' in text
    assert read(file, text).sections == read().sections
    assert all(key in text for key in ("poll_timeout_seconds", "enabled", "token", "limit"))
