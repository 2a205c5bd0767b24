"""Every state the bot's files had since people teach it through the console: who changed what when, and all of the texts.

Collection `bot_versions`, a document a version, its id the number: of two who publish at once one is refused. The texts stand
in `bot_files` under their own hash, so a version costs what it changed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.content import digest
from profiles.record import from_document, to_document
from profiles.store import Plan, Store, Update

COLLECTION = "bot_versions"
TEXTS = "bot_files"
BY_FILES = "files"
"""Who changed it when somebody changed the files themselves, not through the console."""


@dataclass(frozen=True, slots=True)
class Kept:
    """One file of a version."""

    path: str
    digest: str


@dataclass(frozen=True, slots=True)
class Version:
    """One state of the bot's files. `act`: first, outside, example, moved, answer, passage or restored."""

    id: str
    number: int
    at: datetime
    by: str
    act: str
    files: tuple[Kept, ...]
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def digests(self) -> dict[str, str]:
        """Path -> name of the text."""
        return {kept.path: kept.digest for kept in self.files}


def version_of(
    number: int, files: Mapping[str, str], *, act: str, by: str, at: datetime, details: Mapping[str, Any] | None = None
) -> Version:
    """Return the version that these texts are."""
    kept = tuple(Kept(path, digest(text)) for path, text in sorted(files.items()))
    return Version(id_of(number), number, at, by, act, kept, details or {})


def id_of(number: int) -> str:
    """Return the key of a version; in the order of the numbers."""
    return f"{number:09d}"


async def latest(store: Store) -> Version | None:
    """Return the version that serves, if anybody ever taught the bot."""
    document = await store.first(COLLECTION, {}, sort=[("_id", -1)])
    return from_document(Version, document) if document else None


async def by_number(store: Store, number: int) -> Version | None:
    """Return one version."""
    document = await store.get(COLLECTION, id_of(number))
    return from_document(Version, document) if document else None


async def before(store: Store, number: int | None, limit: int) -> tuple[Version, ...]:
    """Return the versions below this number, the latest first; of all when it is None."""
    where = {} if number is None else {"_id": {"$lt": id_of(number)}}
    documents = await store.find(COLLECTION, where, sort=[("_id", -1)], limit=limit)
    return tuple(from_document(Version, document) for document in documents)


async def texts_of(store: Store, version: Version) -> dict[str, str]:
    """Return path -> text of a version."""
    documents = await store.get_many(TEXTS, {kept.digest for kept in version.files})
    texts = {document["_id"]: str(document["text"]) for document in documents}
    return {path: texts[name] for path, name in version.digests.items()}


async def keep(store: Store, version: Version, texts: Mapping[str, str], *records: Mapping[str, Any]) -> None:
    """Keep the version, its texts and the audit rows in one commit. Raises Stale when somebody took the number."""
    plan = Plan()
    document = to_document(version)
    document.pop("_id")
    for text in {digest(text): text for text in texts.values()}.items():
        plan.update(TEXTS, Update(text[0], None, {"text": text[1]}, upsert=True))
    plan.insert(COLLECTION, {"_id": version.id, **document})
    for record in records:
        plan.insert("audit", dict(record))
    await store.commit(plan)
