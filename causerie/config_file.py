"""The shipped config.toml, written from the Options dataclasses: every key, its default, one comment; no secrets.

`make config` runs this file; a test says when config.toml no longer matches.
"""

import sys
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from typing import Any

from profiles.secret import Secret

WIDTH = 120  # a longer line has its comment above it
HEAD = """\
# Causerie's configuration: every key, with its default. Written by `make config`; change a value here freely.
# The environment wins over this file: CAUSERIE_SERVER__PORT=9000 sets port in [server], any key likewise.
# Secrets belong in the environment, or in a file that it names: CAUSERIE_CHANNELS__TELEGRAM__TOKEN_FILE=/run/secrets/x
# docs/configuration.md explains each key.
"""


def render(sections: Mapping[str, type[Any]]) -> str:
    """Return the text of config.toml for these sections."""
    return "\n".join([HEAD, *(_section(name, kind) for name, kind in sections.items())])


def written(value: Any) -> str:
    """Return a value in TOML. Raises TypeError for what has no form there."""
    match value:
        case Secret():
            return written(value.reveal())
        case bool():
            return str(value).lower()
        case int() | float():
            return str(value)
        case str():
            escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
            return f'"{escaped}"'
        case tuple() | list():
            return f"[{', '.join(written(item) for item in value)}]"
        case Mapping():
            pairs = ", ".join(f"{written(key)} = {written(item)}" for key, item in value.items())
            return f"{{{pairs}}}" if not pairs else f"{{ {pairs} }}"
    raise TypeError(f"no TOML form for {type(value).__name__}")


def _section(name: str, kind: type[Any]) -> str:
    lines = [line for one in fields(kind) for line in _lines(one)]
    return "\n".join([f"[{name}]", *lines]) + "\n"


def _lines(one: Field[Any]) -> list[str]:
    about = one.metadata.get("about", "")
    default = one.default_factory() if one.default_factory is not MISSING else one.default
    line = f"# {one.name} =" if default is MISSING or default is None else f"{one.name} = {written(default)}"
    if not about or len(f"{line}  # {about}") > WIDTH:
        return [*([f"# {about}"] if about else []), line]
    return [f"{line}  # {about}"]


if __name__ == "__main__":
    from causerie.sections import every_section

    sys.stdout.write(render(every_section()))
