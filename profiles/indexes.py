"""Which questions the database answers quickly: every index, beside the question it serves.

An update that touches one indexed field pays for every index of its collection (both sets of keys are worked out): a
message's update of its conversation cost the database 185 us with seven indexes, 95 us with four, of which one moved, and
40 us where none moves; a profile's 80 us and 40 us. So nothing that changes with every message stands in an index.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from profiles.store import ascending, full_text

INDEXES: dict[str, Sequence[Any]] = {
    "profiles": [
        ascending("identities.address"),  # who has this address, on whatever channel
        ascending("attributes.name.value", sparse=True),
        full_text("attributes.name.value", "attributes.first_name.value", "attributes.last_name.value"),
    ],
    "identities": [ascending("profile")],
    "conversations": [
        ascending("profile"),
        ascending("status", "-active_at", "_id"),  # all, the bot's, resolved, snoozed
        ascending("channel", "status", "-active_at", "_id"),  # of one channel, however few (1.4 s of 200,000 without)
        # mine, unassigned, the queue: short lists, sorted when they are asked for
        ascending("owner", "assignee", partialFilterExpression={"owner": {"$exists": True}}),
        ascending("pending", partialFilterExpression={"pending": {"$exists": True}}),  # owed an answer
        ascending("bot.due_at", partialFilterExpression={"bot.due_at": {"$exists": True}}),  # the bot set a reminder
    ],
    "messages": [
        ascending("conversation", "seq", unique=True),
        ascending("profile", "at", "seq", "_id"),  # the timeline, by key
        # a person's inbox, the newest first: only what is in one
        ascending("profile", "-at", "-_id", name="inbox", partialFilterExpression={"channel": "inapp"}),
        ascending("delivery.provider_id", partialFilterExpression={"delivery.provider_id": {"$exists": True}}),
        # the outbox: only deliveries that are not finished have a lease; who holds them stands in it, for each look for what the
        # dead hold would else read a whole campaign that waits
        ascending(
            "delivery.lease_until",
            "delivery.leased_by",
            partialFilterExpression={"delivery.lease_until": {"$exists": True}},
        ),
    ],
    "words": [ascending("words", "-at", "_id")],  # what was said, by its words, the latest first
    "events": [
        ascending("profile", "happened_at", "_id"),
        ascending("conversation", "happened_at"),
        ascending("profile", "name", "happened_at"),  # what a rule asks of one person's past
        ascending("name", "happened_at", "profile"),  # who did this lately: an audience that begins with events
        # what the bot did not understand or doubted, for those who teach it
        ascending("-happened_at", "_id", partialFilterExpression={"properties.wording": {"$exists": True}}),
    ],
    "files": [ascending("conversation"), ascending("expires_at", expireAfterSeconds=0, sparse=True)],
    "visitors": [ascending("subject", "-bound_at")],  # web-chat addresses that belong to a proven person
    "merges": [ascending("kept"), ascending("absorbed")],
    "conflicts": [ascending("settled_at", "at"), ascending("profiles")],
    "agents": [ascending("email", unique=True)],
    "sessions": [ascending("agent"), ascending("ends_at", expireAfterSeconds=0)],
    "invitations": [ascending("ends_at", expireAfterSeconds=0)],
    "throttles": [ascending("ends_at", expireAfterSeconds=0)],
    "leases": [],  # what one process does for all
    "turns": [],  # one per agent: when the queue last gave them something
    "mentions": [ascending("agent", "seen_at", "-at"), ascending("agent", "conversation"), ascending("profile")],
    "keys": [],
    "devices": [],  # one per push token, asked by its identity's key
    "audit": [
        ascending("-at", "_id"),
        ascending("about", "-at"),
        ascending("unsealed", "_id", partialFilterExpression={"unsealed": True}),  # what waits for its seal
    ],
    "seals": [ascending("kind", "number")],
    "canned": [ascending("shortcut", unique=True)],
    "idempotency": [ascending("at", expireAfterSeconds=172_800)],
    "ledgers": [],  # one per profile, asked by its id alone
    "consents": [
        ascending("profile", "-at"),  # what a person said, newest first
        ascending("unsealed", "_id", partialFilterExpression={"unsealed": True}),  # what waits for its seal
    ],
    "requests": [
        ascending("profile"),
        ascending("settled_at", "asked_at"),
    ],  # what a person asks of people, and what is open
    "erasing": [],  # whom it is being erased; gone when it is done
    "erasures": [
        ascending("kind", "at"),
        ascending("unsealed", "_id", partialFilterExpression={"unsealed": True}),  # what waits for its seal
    ],
    "pulse": [],
    # the parts of long SMS: which message each is of; receipts come within a few days or never
    "smpp_sent": [ascending("ids"), ascending("at", expireAfterSeconds=604_800)],
    "push_subscriptions": [],  # browsers, asked for by their ids
    "complaints": [
        ascending("scope", "day"),
        ascending("at", expireAfterSeconds=7_776_000),
    ],  # sent and complained, by day
    "brakes": [],  # who pauses because of complaints
    "imap": [],  # how far a mailbox is read
    "nonces": [ascending("ends_at", expireAfterSeconds=0)],  # words that providers mark what they say with, used once
    "settings": [],
    "passes": [
        ascending("profile", "-made_at"),
        ascending("due_at", partialFilterExpression={"due_at": {"$exists": True}}),  # whose wallets must be told
    ],
    "wallet_devices": [ascending("device"), ascending("serial")],
    "wallet_tags": [],
    "runs": [
        ascending("profile", "watch_until"),  # whom must be told what happens to this contact
        ascending("profile", "rule", "started_at"),  # how often this contact has entered
        ascending("due_at", "lease_until", partialFilterExpression={"due_at": {"$exists": True}}),
        ascending("rule", "started_at"),  # a rule's page: how far those got who came in
        # a rule's page: who is inside, and where (a run that is alive is told what happens for ever)
        ascending("rule", name="rule_alive", partialFilterExpression={"watch_until": datetime(9999, 1, 1, tzinfo=UTC)}),
    ],
    "nudges": [ascending("lease_until")],
    "decisions": [
        ascending("profile", "at", "_id"),  # the timeline, by key
        ascending("rule", "-at", "_id", "reason"),  # a rule's page; its reasons counted from the index alone
        ascending("run"),
    ],
    "occurrences": [ascending("at", partialFilterExpression={"open": {"$exists": True}}), ascending("rule", "-at")],
    "planned": [],
    "winners": [],
    "errands": [
        ascending("kind", "due_at", partialFilterExpression={"due_at": {"$exists": True}}),
        ascending("kind", "-at", "_id"),  # what became of them, the latest first
        ascending("ended_at", expireAfterSeconds=2_592_000),
        ascending("profile"),  # whom to erase
    ],
    "codes": [],
    "visits": [ascending("day")],  # counted visits of people whom nobody recognises
    # a rule's history; the last good text of each file; what was saved through some console
    "rule_versions": [ascending("saved_at", sparse=True), ascending("rule", "-at"), ascending("-at")],
    "doubts": [],
    "proposals": [ascending("state", "-at", "_id")],
    "bot_versions": [],
    "bot_files": [],
}
"""collection -> its indexes. `_id` is always one."""
