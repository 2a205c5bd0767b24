"""A transaction that the server drops between two statements, as after its restart."""

from typing import Any

import pytest

from profiles import store_together, store_transactions


def drop_the_next(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Let the server drop the next transaction of any store behind its first statement; return where it is noted."""
    dropped: list[Any] = []

    def ask(client: Any, database: str, commands: Any, session: Any) -> Any:
        if dropped:
            return store_together.ask_together(client, database, commands, session)
        dropped.append(session.session_id)
        first = store_together.ask_together(client, database, commands[:1], session)
        client.admin.command("killSessions", [session.session_id])
        return first + store_together.ask_together(client, database, commands[1:], session)

    monkeypatch.setattr(store_transactions, "ask_together", ask)
    return dropped
