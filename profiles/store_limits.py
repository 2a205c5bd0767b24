"""How long a database may say nothing: a firewall forgot a connection, a host lost its power, and no packet ever tells.

No limit is set on what an operation takes: an index may be built for an hour, and a campaign's first page sorted for minutes.
What is limited is silence. A thread of the driver asks each server every few seconds whether it is there; one that does not
answer loses all its connections, and whoever waits on one hears of it. A single connection that fell silent while the others
live is the kernel's to notice (RFC 1122 4.2.3.6, RFC 5482). Only commits, which may be asked about again, wait for less.
"""

import socket
from contextlib import suppress
from typing import Any

from profiles.lean import absent

with absent("cryptography"):
    import pymongo.pool_shared

LEAVE_SECONDS = 1.0  # to say goodbye, or that a transaction is given up: the database finds out by itself, only later
SILENT_SECONDS = 7  # from the last packet of a database until all that waits for it is broken off
_LOOK_SECONDS = 2
_CONNECTION: dict[str, int] = {
    "TCP_KEEPIDLE": 3,
    "TCP_KEEPALIVE": 3,  # the same on macOS
    "TCP_KEEPINTVL": 2,
    "TCP_KEEPCNT": 2,
    # in milliseconds: what was sent and not confirmed by then ends the connection; by itself Linux tries for 15 minutes
    "TCP_USER_TIMEOUT": SILENT_SECONDS * 1_000,
}

LIMITS: dict[str, Any] = {
    "serverSelectionTimeoutMS": 5_000,
    # an answer is due every _LOOK_SECONDS, and late when a connection would have been made in the meantime (30 s by default)
    "heartbeatFrequencyMS": _LOOK_SECONDS * 1_000,
    "connectTimeoutMS": (SILENT_SECONDS - _LOOK_SECONDS) * 1_000,
}
"""What a client of the driver is given."""


def notice_silent_connections() -> None:
    """Let the kernel notice it of each connection that the driver makes from now on. Safe to repeat.

    The driver has no option for it, and sets the times of its keepalive (120 s) where it makes a connection: they are set once
    more behind that. tests/profiles/test_store_silence.py looks at a connection, and would see a driver that changed.
    """
    pymongo.pool_shared._set_keepalive_times = _notice_silence


def _notice_silence(sock: socket.socket) -> None:
    for name, value in _CONNECTION.items():
        option: Any = getattr(socket, name, None)  # TCP_USER_TIMEOUT is Linux's alone
        if option is not None:
            with suppress(OSError):  # as the driver does: a connection that is slow to be given up is still one
                sock.setsockopt(socket.IPPROTO_TCP, option, value)
