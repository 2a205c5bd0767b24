"""The port that people come to: waited for where an earlier server lets go of it, named where somebody else has it."""

import asyncio
import errno
import socket

from causerie.mongod_program import CannotStart
from causerie.options import ServerOptions
from causerie.workers import bound

FREE_WITHIN_SECONDS = 10.0


async def soon_bound(server: ServerOptions) -> socket.socket:
    """Return the listening port. The workers of a parent that was killed hold it for some seconds, until they see that."""
    until = asyncio.get_running_loop().time() + FREE_WITHIN_SECONDS
    while True:
        try:
            return bound(server.host, server.port)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or asyncio.get_running_loop().time() > until:
                raise taken(server, error) from error
        await asyncio.sleep(0.2)


def taken(server: ServerOptions, error: OSError) -> CannotStart:
    """Return what to say of a port that we do not get."""
    return CannotStart(
        f"server.port: {server.host}:{server.port}: {error.strerror}. "
        "Hint: stop what listens there, or set CAUSERIE_SERVER__PORT to another port."
    )
