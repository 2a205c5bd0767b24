"""Who a process is, so that another on the same machine can see at once that it died; elsewhere only its silence tells.

A process is known by its number and the instant it began (numbers are used again), within this boot of the machine and this
namespace of numbers: in another container the same number is somebody else. https://man7.org/linux/man-pages/man5/proc.5.html
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PROC = Path("/proc")
_BEGAN = 19  # place of starttime among the fields that follow the command's name, which may hold blanks


def ourselves() -> dict[str, Any]:
    """Return what a pulse says of this process; nothing where that can not be known."""
    where, began = _where(), _began(os.getpid())
    return {"where": where, "pid": os.getpid(), "began": began} if where and began else {}


def is_gone(pulse: Mapping[str, Any]) -> bool:
    """Return whether the process with this pulse is certain to have ended. A frozen one has not."""
    pid, where = pulse.get("pid"), pulse.get("where")
    if not isinstance(pid, int) or not where or where != _where():
        return False
    return _began(pid) != pulse.get("began")


def _where() -> str:
    """Return the name of what process numbers mean here; empty where those of others may be hidden from us."""
    try:
        boot = (PROC / "sys/kernel/random/boot_id").read_text().strip()
        numbers = (PROC / "self/ns/pid").readlink()
        return f"{boot} {numbers}" if _began(1) else ""  # hidepid hides the first process too
    except OSError:
        return ""


def _began(pid: int) -> str:
    """Return the instant a living process began (in the kernel's ticks); empty when there is none, or it is a zombie."""
    try:
        fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in "ZX" else fields[_BEGAN]
