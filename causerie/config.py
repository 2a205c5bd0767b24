"""config.toml and the environment become the Options of each part: typed, all mistakes named at once.

Later wins: the default in the Options dataclass, then the file, then the environment. `CAUSERIE_SERVER__PORT=9000` sets
`port` in `[server]`; a secret may also stand in a file named by `CAUSERIE_..._FILE`. Nothing here knows what a key means.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from causerie.config_values import Wrong, from_environment, from_file
from profiles.secret import Secret

PREFIX = "CAUSERIE_"
PATH_VARIABLE = "CAUSERIE_CONFIG"
_FILE_SUFFIX = "_FILE"
Options = TypeVar("Options")


class ConfigErrors(Exception):
    """Everything that is wrong with the configuration; `errors` has one sentence each, `str` one per line."""

    def __init__(self, errors: list[str]) -> None:
        super().__init__("\n".join(errors))
        self.errors = tuple(errors)


@dataclass(frozen=True, slots=True)
class Config:
    """The Options of every section, by its dotted name: `config["channels.telegram"]`."""

    sections: Mapping[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self.sections[name]

    def of(self, kind: type[Options]) -> Options:
        """Return the options of this type, when one section has it."""
        found: Options = next(options for options in self.sections.values() if type(options) is kind)
        return found

    @property
    def secrets(self) -> list[Secret]:
        """Return every secret that was set, for the log's filter."""
        values = (getattr(options, one.name) for options in self.sections.values() for one in fields(options))
        return [value for value in values if isinstance(value, Secret) and value]

    def under(self, prefix: str) -> dict[str, Any]:
        """Return last name -> options of the sections below this one: `under("channels")["telegram"]`."""
        start = f"{prefix}."
        return {name.removeprefix(start): value for name, value in self.sections.items() if name.startswith(start)}


def load(path: Path | None, environment: Mapping[str, str], sections: Mapping[str, type[Any]]) -> Config:
    """Return the configuration. Raises ConfigErrors with all that is wrong; values of secrets are never in it."""
    reading = _Reading(sections)
    if path is not None:
        reading.take_file(path)
    reading.take_environment(environment)
    options = {name: reading.build(name) for name in sections}
    if reading.errors:
        raise ConfigErrors(reading.errors)
    return Config(options)


def default_path(environment: Mapping[str, str], folder: Path) -> Path | None:
    """Return the file to read: what CAUSERIE_CONFIG names, else config.toml in this folder, else none."""
    if named := environment.get(PATH_VARIABLE):
        return Path(named)
    return folder / "config.toml" if (folder / "config.toml").exists() else None


@dataclass(slots=True)
class _Reading:
    """What was read so far: per section the values, where each came from, and what was wrong."""

    sections: Mapping[str, type[Any]]
    errors: list[str] = field(default_factory=list)
    values: dict[str, dict[str, Any]] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)

    def take_file(self, path: Path) -> None:
        try:
            text = path.read_text(encoding="utf-8")
            tables = tomllib.loads(text)
        except OSError as error:
            self.errors.append(f"{path}: can not be read: {error.strerror}. Hint: {PATH_VARIABLE} names the file.")
        except ValueError as error:
            self.errors.append(f"{path}: not TOML: {error}")
        else:
            lines = _lines(text)
            for section, key, value in self._entries(tables, path, lines):
                self._take(section, key, value, _place(path, lines, section, key))

    def _entries(
        self, tables: Mapping[str, Any], path: Path, lines: Mapping[str, int], prefix: str = ""
    ) -> Iterator[tuple[str, str, Any]]:
        for name, value in tables.items():
            dotted = f"{prefix}{name}"
            if dotted in self.sections and isinstance(value, dict):
                yield from ((dotted, key, item) for key, item in value.items())
            elif isinstance(value, dict) and any(known.startswith(f"{dotted}.") for known in self.sections):
                yield from self._entries(value, path, lines, f"{dotted}.")
            else:
                where = f"{path}:{lines[dotted]}" if dotted in lines else str(path)
                self.errors.append(f"{where} [{dotted}]: unknown section. {_nearest(dotted, self.sections)}")

    def _take(self, section: str, key: str, value: Any, where: str) -> None:
        known = _fields(self.sections[section])
        if key not in known:
            self.errors.append(f"{where} {key}: unknown key in [{section}]. {_nearest(key, known)}")
            return
        try:
            self._keep(section, key, from_file(value, known[key]), where)
        except Wrong as wrong:
            self.errors.append(f"{where} {key}: {wrong}")

    def take_environment(self, environment: Mapping[str, str]) -> None:
        variables = {_variable(name, key): (name, key) for name, kind in self.sections.items() for key in _fields(kind)}
        for variable, text in sorted(environment.items()):
            if not variable.startswith(PREFIX) or variable == PATH_VARIABLE:
                continue
            try:
                if variable in variables:
                    section, key = variables[variable]
                    self._keep(section, key, from_environment(text, self._type(section, key)), variable)
                elif (place := variables.get(variable.removesuffix(_FILE_SUFFIX))) and self._type(*place) is Secret:
                    self._keep(*place, _secret_in(Path(text)), variable)
                else:
                    self.errors.append(f"{variable}: unknown variable. {_nearest(variable, variables)}")
            except Wrong as wrong:
                self.errors.append(f"{variable}: {wrong}")

    def _type(self, section: str, key: str) -> Any:
        return _fields(self.sections[section])[key]

    def _keep(self, section: str, key: str, value: Any, where: str) -> None:
        self.values.setdefault(section, {})[key] = value
        self.origins[section] = where

    def build(self, section: str) -> Any:
        """Return the options of one section; its own check (`__post_init__` raises ValueError) is one more mistake."""
        kind = self.sections[section]
        values = self.values.get(section, {})
        missing = [one.name for one in fields(kind) if _has_no_default(one) and one.name not in values]
        if missing:
            self.errors.append(f"[{section}]: expected a value for {', '.join(missing)}, got none.")
            return None
        try:
            return kind(**values)
        except ValueError as error:
            self.errors.append(f"{self.origins.get(section, 'default')} [{section}]: {error}")
            return None


def _fields(kind: type[Any]) -> dict[str, Any]:
    """Return key -> type of an Options dataclass."""
    hints = get_type_hints(kind)
    return {one.name: hints[one.name] for one in fields(kind)}


def _has_no_default(one: Field[Any]) -> bool:
    return one.default is MISSING and one.default_factory is MISSING


def _variable(section: str, key: str) -> str:
    return f"{PREFIX}{section.replace('.', '__')}__{key}".upper()


def _nearest(word: str, known: Mapping[str, Any]) -> str:
    """Return a hint; variables are compared without the prefix that makes them all alike."""
    plain = {name.removeprefix(PREFIX): name for name in known}
    if close := get_close_matches(word.removeprefix(PREFIX), plain, n=1, cutoff=0.6):
        return f"Hint: {plain[close[0]]}"
    return (
        f"Hint: one of {', '.join(sorted(known))}" if len(known) <= 12 else "Hint: docs/configuration.md names them all"
    )


def _secret_in(path: Path) -> Secret:
    try:
        if path.stat().st_mode & 0o002:
            raise Wrong(f"{path} may be written by everybody. Hint: chmod o-w")
        return Secret(path.read_text(encoding="utf-8").strip())
    except OSError as error:
        raise Wrong(f"expected the path of a file with the secret, got {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise Wrong(f"expected text in {path}, got bytes that are not UTF-8") from error


def _lines(text: str) -> dict[str, int]:
    """Return dotted name -> line, found by looking: tomllib tells no positions. A name inside a long string may mislead."""
    found: dict[str, int] = {}
    section = ""
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if line.startswith("["):
            section = line.split("]")[0].strip("[ ")
            found.setdefault(section, number)
        elif "=" in line and not line.startswith("#"):
            key = line.split("=")[0].strip().strip("\"'")
            found.setdefault(f"{section}.{key}" if section else key, number)
    return found


def _place(path: Path, lines: Mapping[str, int], section: str, key: str) -> str:
    number = lines.get(f"{section}.{key}")
    return f"{path}:{number}" if number else f"{path} [{section}]"
