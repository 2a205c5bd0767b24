"""Small works for tests of the writer: a message that counts on its profile, a poison, a count."""

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pymongo.monitoring

from profiles.conversation import Conversation
from profiles.profile import Identity, Profile
from profiles.snapshot import Changes, Refusal, Snapshot, Work
from profiles.timeline import Content, Message


def hears(number: int, *, person: str = "42", text: Any = "bonjour") -> Work:
    """Return the work of one inbound message, numbered by its provider, on this person's profile."""
    key, id = f"telegram:{person}", f"telegram:{person}/{number}"

    def think(snapshot: Snapshot) -> Changes:
        profile = snapshot.holder(key)
        claims = {}
        if profile is None:
            profile = Profile(f"P{person}", snapshot.now, (Identity("telegram", person, snapshot.now),))
            claims = {key: profile.id}
        thread = snapshot.conversations.get(key) or Conversation(key, profile.id, "telegram", person, snapshot.now)
        thread = replace(thread, seq=thread.seq + 1)
        message = Message(
            id, key, profile.id, "telegram", "inbound", "customer", Content(text), thread.seq, snapshot.now
        )
        count = profile.value("count") or 0
        profile = profile.learn("count", count + 1, source="tracked", at=snapshot.now)
        return Changes(profiles=(profile,), conversations=(thread,), claims=claims, messages=(message,))

    return Work(think, identities=(key,), conversations=(key,), key=id)


def counts(profile: str) -> Work:
    """Return the work that adds one to a profile's count, as somebody without a natural key would."""

    def think(snapshot: Snapshot) -> Changes | Refusal:
        known = snapshot.profile(profile)
        if known is None:
            return Changes(
                profiles=(Profile(profile, snapshot.now).learn("count", 1, source="tracked", at=snapshot.now),)
            )
        return Changes(profiles=(known.learn("count", known.value("count") + 1, source="tracked", at=snapshot.now),))

    return Work(think, profiles=(profile,))


def fails(error: Exception) -> Work:
    """Return a work whose thinking breaks."""

    def think(snapshot: Snapshot) -> Changes:
        raise error

    return Work(think)


def gives(thought: Any, **reads: Any) -> Work:
    """Return a work that comes to this, whatever it sees."""
    think: Callable[[Snapshot], Any] = lambda snapshot: thought  # noqa: E731
    return Work(think, **reads)


class Commands(pymongo.monitoring.CommandListener):
    """Counts the commands that reach the database, by name."""

    def __init__(self) -> None:
        self.seen: Counter[str] = Counter()
        self._lock = threading.Lock()

    def started(self, event: pymongo.monitoring.CommandStartedEvent) -> None:
        with self._lock:
            if not event.command_name.startswith(("sasl", "hello", "isMaster", "endSessions")):  # the pool's own
                self.seen[event.command_name] += 1

    def succeeded(self, event: pymongo.monitoring.CommandSucceededEvent) -> None:
        return

    def failed(self, event: pymongo.monitoring.CommandFailedEvent) -> None:
        return
