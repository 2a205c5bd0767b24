"""The statements of a transaction in one trip: all are sent before the first answer is read.

PyMongo asks and waits, command by command. Statements that do not depend on each other's answers need not wait: the server takes
them in order, and after one that failed it refuses the rest, for the transaction is over. The commit is not among them: it is
asked for when all have said what they changed. What it saves: docs/decisions/0033-statements-in-one-trip.md.

This is put together from what the driver's own `command` is made of, and none of that is public. The version is pinned;
tests/profiles/test_store_together.py, and all that commits, would see a driver that changed.
"""

from collections.abc import Sequence
from typing import Any

from profiles.crash import crash_point
from profiles.lean import absent
from profiles.store_plan import Document

with absent("cryptography"):
    from bson.codec_options import DEFAULT_CODEC_OPTIONS
    from pymongo import MongoClient, message
    from pymongo.client_session import ClientSession
    from pymongo.errors import BulkWriteError, DocumentTooLarge
    from pymongo.helpers_shared import _check_command_response
    from pymongo.read_preferences import ReadPreference


def ask_together(
    client: "MongoClient[Document]", database: str, commands: Sequence[Document], session: "ClientSession"
) -> list[Document]:
    """Return what the server replied to each command of a transaction that was started, in their order.

    Raises what the driver raises, of the first that failed; DocumentTooLarge before anything was sent. The driver's listeners
    hear when a command begins.
    """
    with client._conn_for_writes(session, next(iter(commands[0]))) as connection:
        numbers, pieces, largest = [], [], 0
        for command in commands:
            number, piece, size, longest = _written_out(client, connection, database, command, session)
            if size > connection.max_bson_size + message._COMMAND_OVERHEAD:
                raise DocumentTooLarge(f"a command of {size} bytes, the server takes {connection.max_bson_size}")
            numbers.append(number)
            pieces.append(piece)
            largest = max(largest, longest)
        connection.send_message(b"".join(pieces), largest)
        crash_point("commit.sent")
        # all are read before any is looked at: what stays unread would be taken for the next command's answer
        replies = [_read(connection, number) for number in numbers]
        for reply in replies:
            client._process_response(reply, session)
        for reply in replies:  # the first that failed says why; those after it only that the transaction is over
            _check_command_response(reply, connection.max_wire_version)
            checked(reply)
        return replies


def checked(reply: Document) -> Document:
    """Return the reply of a write. Raises BulkWriteError with what the database refused of it."""
    if reply.get("writeErrors"):
        raise BulkWriteError(reply)
    return reply


def _written_out(
    client: "MongoClient[Document]", connection: Any, database: str, command: Document, session: "ClientSession"
) -> tuple[int, bytes, int, int]:
    """Return the command as the driver sends it within a transaction: its number, its bytes, its size, its longest document."""
    connection.add_server_api(command)
    session._apply_to(command, False, ReadPreference.PRIMARY, connection)
    connection.send_cluster_time(command, session, client)
    if session._starting_transaction:
        session._transaction.set_in_progress()
    connection.apply_timeout(command)
    written: tuple[int, bytes, int, int] = message._op_msg(
        0, command, database, ReadPreference.PRIMARY, DEFAULT_CODEC_OPTIONS, ctx=connection.compression_context
    )
    if connection.listeners and connection.listeners.enabled_for_commands:
        connection.listeners.publish_command_start(
            command, database, written[0], connection.address, connection.server_connection_id
        )
    return written


def _read(connection: Any, number: int) -> Document:
    reply: Document = connection.receive_message(number).unpack_response(codec_options=DEFAULT_CODEC_OPTIONS)[0]
    return reply
