"""The example channel of docs/channels/write-your-own.md, taken out of the manual and made importable."""

import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

EXAMPLE = "postbox"
MANUALS = (Path("docs/channels/write-your-own.md"), Path("docs/fr/channels/write-your-own.md"))
_ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(r"```python\n(\"\"\".*?)```", re.DOTALL)


def code_of(manual: Path) -> str:
    """Return the one complete module shown in the manual: the code block that begins with a docstring."""
    (code,) = _BLOCK.findall((_ROOT / manual).read_text(encoding="utf-8"))
    return str(code)


def installed_example(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Import the example as channels.postbox, for the length of a test."""
    module = ModuleType(f"channels.{EXAMPLE}")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(compile(code_of(MANUALS[0]), str(MANUALS[0]), "exec"), module.__dict__)  # noqa: S102
    return module
