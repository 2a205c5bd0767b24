"""Records as the API shows them, in the shapes of admin/api_schemas.py."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from profiles.conversation import Conversation
from profiles.profile import Identity, Profile
from profiles.timeline import Message
from profiles.tracking import impersonal


def profile(known: Profile) -> dict[str, Any]:
    """Return a profile as the API shows it."""
    return {
        "id": known.id, "name": known.name, "created_at": at(known.created_at), "language": known.language,
        "last_channel": known.last_channel, "last_inbound_at": at(known.last_inbound_at),
        "identities": [_identity(identity) for identity in known.identities],
        "attributes": {
            name: {"value": _value(held.value), "source": held.source, "at": at(held.at), "by": held.by}
            for name, held in known.attributes.items()
        },
        "absorbed": list(known.absorbed),
    }  # fmt: skip


def conversation(thread: Conversation) -> dict[str, Any]:
    """Return a conversation as the API shows it."""
    plain = (
        "id",
        "profile",
        "channel",
        "address",
        "status",
        "owner",
        "assignee",
        "language",
        "seq",
        "last_author",
    )
    moments = ("opened_at", "last_at", "waiting_since")
    return {
        **{name: getattr(thread, name) for name in plain},
        "last_text": impersonal(thread.last_text),
        **{name: at(getattr(thread, name)) for name in moments},
        "labels": list(thread.labels),
    }


def message(said: Message) -> dict[str, Any]:
    """Return a message as the API shows it, the contact's own addresses cut: who reads may not act for them. No notes come here."""
    content, delivery = said.content, said.delivery
    return {
        "id": said.id, "conversation": said.conversation, "profile": said.profile, "seq": said.seq,
        "direction": said.direction, "author": said.author, "text": impersonal(content.text),
        "buttons": [
            {"title": button.title, "payload": button.payload, "url": button.url and impersonal(button.url)}
            for button in content.buttons
        ],
        "attachments": [
            {"kind": file.kind, "name": file.name, "mime": file.mime, "size": file.size} for file in content.attachments
        ],
        "at": at(said.at), "edited_at": at(said.edited_at),
        "delivery": delivery and {
            "state": delivery.state, "reason": delivery.reason,
            "times": {state: at(moment) for state, moment in delivery.times.items()},
        },
    }  # fmt: skip


def decided(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row of the decisions as the API shows it."""
    return {
        "rule": row["rule"], "version": row["version"], "step": row.get("step", ""), "reason": row["reason"],
        "at": at(row["at"]), "channel": row.get("channel"), "variant": row.get("variant"),
        "messages": row.get("messages", []), "run": row.get("run"),
    }  # fmt: skip


def webhook(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return an errand of the rules to another system as the API shows it."""
    return {
        "id": row["_id"], "url": row["target"], "rule": row["rule"], "profile": row["profile"],
        "state": row.get("state", "waiting"), "attempts": row["attempts"], "reason": row.get("reason"),
        "at": at(row["at"]), "due_at": at(row.get("due_at")), "ended_at": at(row.get("ended_at")),
    }  # fmt: skip


def _identity(identity: Identity) -> dict[str, Any]:
    ban = identity.suppression
    return {
        "space": identity.channel, "address": identity.address, "claimed": identity.is_claimed,
        "added_at": at(identity.added_at), "verified_at": at(identity.verified_at),
        "suppression": ban and {"reason": ban.reason, "at": at(ban.at)},
    }  # fmt: skip


def _value(value: Any) -> Any:
    return {"instant": at(value)} if isinstance(value, datetime) else value


def at(moment: datetime | None) -> str | None:
    """Return an instant as the API writes it."""
    return re.sub(r"\+00:00$", "Z", moment.isoformat(timespec="milliseconds")) if moment else None
