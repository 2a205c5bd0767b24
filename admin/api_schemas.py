"""The shapes that the API answers; admin/api_answers.py makes the answers. What it reads: admin/api_bodies.py."""

from admin.api_bodies import BUTTON, CODE_IN
from admin.api_kinds import ID, SOMETIME, SOURCE, AttributeValue, Properties
from admin.schema import Choice, Field, Instant, Kind, ListOf, MapOf, OrNull, Shape, Text, Truth, Whole

SUPPRESSION = Shape("Suppression", {
    "reason": Field(Text(40), "Why this address is not written to.", True), "at": Field(Instant(), "Since when.", True),
})  # fmt: skip

IDENTITY = Shape("Identity", {
    "space": Field(Text(40), "The space of the address.", True),
    "address": Field(Text(400), "The normalised address.", True),
    "claimed": Field(Truth(), "Whether this address leads to this profile.", True),
    "added_at": Field(Instant(), "Since when we know it.", True),
    "verified_at": Field(SOMETIME, "Since when it is proved.", True),
    "suppression": Field(OrNull(SUPPRESSION), "Why it is not written to.", True),
})  # fmt: skip

ATTRIBUTE = Shape("Attribute", {
    "value": Field(AttributeValue(), "What we know.", True),
    "source": Field(SOURCE, "How we know it.", True),
    "at": Field(Instant(), "Since when.", True),
    "by": Field(Text(200), "Who told us: a channel, an agent, an API key.", True),
})  # fmt: skip

PROFILE = Shape("Profile", {
    "id": Field(ID, "Its id; one merged into another answers with the other.", True),
    "name": Field(Text(4_100), "What people call them; may be empty.", True),
    "created_at": Field(Instant(), "When we first heard of them.", True),
    "language": Field(OrNull(Text(35)), "The language they read.", True),
    "last_channel": Field(OrNull(Text(40)), "The channel they last wrote on.", True),
    "last_inbound_at": Field(SOMETIME, "When they last wrote.", True),
    "identities": Field(ListOf(IDENTITY, 300), "How to reach or recognise them.", True),
    "attributes": Field(MapOf(ATTRIBUTE, Text(64), 500), "What is known of them.", True),
    "absorbed": Field(ListOf(ID, 10_000), "Profiles that were merged into this one.", True),
})  # fmt: skip

ERASURE = Shape("Erasure", {
    "erasure": Field(ID, "Its id, as the log of erasures and the audit have it.", True),
})  # fmt: skip

_SECTIONS = (
    "profile",
    "identities",
    "attributes",
    "reactivity",
    "consents",
    "proofs",
    "messages",
    "wallet_cards",
    "events",
)
EXPORT = Shape("Export", {
    name: Field(ListOf(Properties(), 1_000_000), "What is kept of this kind; absent where there is none.")
    for name in _SECTIONS
})  # fmt: skip

CONVERSATION = Shape("Conversation", {
    "id": Field(ID, "channel:address.", True),
    "profile": Field(ID, "Whose it is.", True),
    "channel": Field(Text(40), "The channel.", True),
    "address": Field(Text(400), "Their address there.", True),
    "status": Field(Choice(("open", "snoozed", "resolved")), "Whether it asks for attention.", True),
    "owner": Field(Choice(("bot", "queue", "agent")), "Who answers.", True),
    "assignee": Field(OrNull(Text(60)), "Which agent.", True),
    "language": Field(OrNull(Text(35)), "The language spoken.", True),
    "labels": Field(ListOf(Text(100), 1_000), "Its labels.", True),
    "seq": Field(Whole(), "The number of its last message.", True),
    "opened_at": Field(Instant(), "When it began.", True),
    "last_at": Field(SOMETIME, "When its last message came.", True),
    "last_text": Field(Text(200), "A line of its last message.", True),
    "last_author": Field(Text(100), "Who said that: customer, bot, system, agent:<id>.", True),
    "waiting_since": Field(SOMETIME, "Since when the customer waits for a person.", True),
})  # fmt: skip

DELIVERY = Shape("Delivery", {
    "state": Field(Choice(("queued", "sending", "sent", "delivered", "read", "failed", "suppressed", "unknown")),
                   "Where it stands.", True),
    "reason": Field(OrNull(Text(400)), "Why it ended so.", True),
    "times": Field(MapOf(Instant(), Text(40), 20), "When each state was reached.", True),
})  # fmt: skip

ATTACHMENT = Shape("Attachment", {
    "kind": Field(Choice(("image", "audio", "video", "file")), "What it is.", True),
    "name": Field(Text(400), "Its name.", True), "mime": Field(Text(200), "Its media type.", True),
    "size": Field(Whole(), "Its size in bytes, 0 when unknown.", True),
})  # fmt: skip

MESSAGE = Shape("Message", {
    "id": Field(ID, "Its id.", True),
    "conversation": Field(ID, "Its conversation.", True),
    "profile": Field(ID, "Whose conversation it was when it was said.", True),
    "seq": Field(Whole(1), "Its number in the conversation, from 1.", True),
    "direction": Field(Choice(("inbound", "outbound")), "inbound: said by the customer.", True),
    "author": Field(Text(100), "customer, bot, system, agent:<id>.", True),
    "text": Field(Text(20_000), "What it says.", True),
    "buttons": Field(ListOf(BUTTON, 100), "The choices it offers.", True),
    "attachments": Field(ListOf(ATTACHMENT, 100), "What it carries.", True),
    "at": Field(Instant(), "When it was stored.", True),
    "edited_at": Field(SOMETIME, "When it was last changed.", True),
    "delivery": Field(OrNull(DELIVERY), "Of an outbound one: what became of it.", True),
})  # fmt: skip

EVENT_RESULT = Shape("EventResult", {
    "id": Field(Text(200), "Your id.", True),
    "status": Field(Choice(("stored", "duplicate", "refused")), "What became of it.", True),
    "reason": Field(Text(60), "Why it was refused."),
})  # fmt: skip

EVENT_RESULTS = Shape(
    "EventResults", {"results": Field(ListOf(EVENT_RESULT, 500), "In the order of the events.", True)}
)

DECISION = Shape("Decision", {
    "decision": Field(Choice(("accepted", "held", "waiting", "refused")), "accepted: on its way; held: not now; waiting: the "
                      "rule has begun and sends later; refused: not at all.", True),
    "reason": Field(OrNull(Text(400)), "Why it is held or refused, as a code.", True),
    "until": Field(SOMETIME, "When it is looked at again.", True),
    "profile": Field(ID, "Whom it is about.", True),
    "run": Field(OrNull(ID), "The run that began; null when none did.", True),
    "messages": Field(ListOf(Shape("SentMessage", {
        "id": Field(ID, "Its id, for GET /messages/{id}.", True), "channel": Field(Text(60), "Where it is sent.", True),
    }), 100), "What is on its way.", True),
})  # fmt: skip

DECIDED = Shape("DecisionRow", {
    "rule": Field(ID, "Which rule decided; `api:` and a template's name where a template was sent without one.", True),
    "version": Field(Text(400), "Which version of it.", True),
    "step": Field(Text(200), "Which step; empty where the rule did not begin.", True),
    "reason": Field(Text(400), "What was decided, as a code: sent, quiet, opted_out ...", True),
    "at": Field(Instant(), "When.", True),
    "channel": Field(OrNull(Text(60)), "On which channel it was sent.", True),
    "variant": Field(OrNull(Text(60)), "Which variant was sent.", True),
    "messages": Field(ListOf(ID, 100), "The messages that were sent.", True),
    "run": Field(OrNull(ID), "Of which run.", True),
})  # fmt: skip

SEGMENT_NAME = Shape("SegmentName", {
    "name": Field(Text(200), "Its name.", True), "condition": Field(Text(20_000), "Who is in it.", True),
})  # fmt: skip

SEGMENTS = Shape("Segments", {"items": Field(ListOf(SEGMENT_NAME, 10_000), "All of them, by name.", True)})

SEGMENT = Shape("Segment", {
    **SEGMENT_NAME.fields,
    "count": Field(Whole(), "How many are in it now, counted up to a million.", True),
    "is_all": Field(Truth(), "Whether that is everybody.", True),
})  # fmt: skip

MEMBERS = Shape("Members", {
    "items": Field(ListOf(ID, 500), "Profile ids of this page.", True),
    "after": Field(OrNull(ID), "Where the next page goes on; null on the last.", True),
})  # fmt: skip

WEBHOOK = Shape("Webhook", {
    "id": Field(ID, "Its id, the same at every attempt.", True),
    "url": Field(Text(2000), "Where it goes.", True),
    "rule": Field(ID, "Which rule sends it.", True),
    "profile": Field(ID, "Whom it is about.", True),
    "state": Field(Choice(("waiting", "done", "dead")), "dead: given up; it may be sent once more by hand.", True),
    "attempts": Field(Whole(), "How often it was tried.", True),
    "reason": Field(OrNull(Text(200)), "What the last attempt came to.", True),
    "at": Field(Instant(), "When the rule decided it.", True),
    "due_at": Field(SOMETIME, "When it is tried next.", True),
    "ended_at": Field(SOMETIME, "When it was taken, or given up.", True),
})  # fmt: skip

CODE = Shape("Code", {
    **CODE_IN.fields,
    "code": Field(Text(20), "The code.", True),
    "address": Field(Text(1000), "The short address.", True),
    "picture": Field(Text(1000), "Its QR code as SVG.", True),
})  # fmt: skip

LINKED = Shape("Linked", {
    "profile": Field(PROFILE, "The profile that the identity ended on.", True),
    "outcome": Field(Choice(("claimed", "noted", "merged", "conflict", "unchanged")), "What the link came to: noted is said, "
                     "not proved; conflict is listed for a person.", True),
})  # fmt: skip


def page_of(name: str, item: Kind) -> Shape:
    """Return the shape of one page of a list."""
    return Shape(name, {
        "items": Field(ListOf(item, 100), "This page.", True),
        "after": Field(OrNull(Text(500)), "Where the next page goes on; null on the last.", True),
    })  # fmt: skip


PROFILES = page_of("Profiles", PROFILE)
CONVERSATIONS = page_of("Conversations", CONVERSATION)
MESSAGES = page_of("Messages", MESSAGE)
DECISIONS = page_of("Decisions", DECIDED)
WEBHOOKS = page_of("Webhooks", WEBHOOK)
