"""How much CPU has a process used, how much memory and how many files does it hold? Read from Linux's /proc (proc(5))."""

import os
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")  # 100 a second: a round of a second is known to about 1 %


def seconds_of(pid: int) -> float:
    """Return the CPU seconds, user and system, of all threads of this process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def resident_mb(pid: int) -> float:
    """Return the memory that this process holds in RAM now (VmRSS), in MB of 1,000,000 bytes."""
    return _memory(pid, "VmRSS:")


def most_resident_mb(pid: int) -> float:
    """Return the most memory that this process ever held in RAM (VmHWM), in MB of 1,000,000 bytes."""
    return _memory(pid, "VmHWM:")


def files_of(pid: int) -> int:
    """Return how many file descriptors this process has open, sockets included."""
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())


def machine() -> dict[str, object]:
    """Return what a reader of the figures must know of this machine."""
    load = Path("/proc/loadavg").read_text().split()[:3]
    model = next((line.split(":")[1].strip() for line in _cpuinfo() if line.startswith("model name")), "")
    return {"cpus": os.cpu_count(), "model": model, "load_average": [float(part) for part in load]}


def _memory(pid: int, name: str) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) * 1024 / 1e6
    return 0.0


def _cpuinfo() -> list[str]:
    return Path("/proc/cpuinfo").read_text().splitlines()
