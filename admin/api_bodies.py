"""The bodies that the API reads: what a caller may send with a request."""

from admin.api_kinds import ADDRESS, ATTRIBUTES, ID, LANGUAGE, SOURCE, SPACE, Properties
from admin.schema import Choice, Field, Instant, ListOf, OrNull, Shape, Text, Truth

IDENTITY_IN = Shape("NewIdentity", {
    "space": Field(SPACE, "email, sms (every phone), telegram, webchat, user (your own id) ...", True),
    "address": Field(ADDRESS, "The address; phones and e-mails are normalised.", True),
    "verified": Field(Truth(), "The person proved it is theirs (needs identities:verify). What is not proved is noted, "
                               "not claimed: another profile that proves it has it."),
})  # fmt: skip

PROFILE_IN = Shape("NewProfile", {
    "identities": Field(ListOf(IDENTITY_IN, 20), "How to reach or recognise the person."),
    "attributes": Field(ATTRIBUTES, "What is known of them."),
    "language": Field(LANGUAGE, "The language they read (BCP 47)."),
    "source": Field(SOURCE, "How you know the attributes; declared unless you say otherwise."),
})  # fmt: skip

PROFILE_PATCH = Shape("ProfilePatch", {
    "attributes": Field(ATTRIBUTES, "Those named are learned, null forgets, the others stay."),
    "language": Field(OrNull(LANGUAGE), "The language they read (BCP 47)."),
    "source": Field(SOURCE, "How you know the attributes; what was declared is not overwritten by the rest."),
})  # fmt: skip

BUTTON = Shape("Button", {
    "title": Field(Text(80, 1), "What the button says.", True),
    "payload": Field(OrNull(Text(500)), "What pressing it tells the bot; the title when there is none."),
    "url": Field(OrNull(Text(2000, 8, r"https?://\S+", "https://shop.example/order/42")), "Where it leads instead."),
})  # fmt: skip

MESSAGE_IN = Shape("NewMessage", {
    "text": Field(Text(16_000, 1), "What is said; a channel splits what is too long for it.", True),
    "buttons": Field(ListOf(BUTTON, 10), "Choices; where a channel has no buttons they become a numbered list."),
})  # fmt: skip

IDENTITY_NAME = Shape("IdentityName", {
    "space": Field(SPACE, "The identity's space.", True), "address": Field(ADDRESS, "Its address.", True),
})  # fmt: skip

EVENT_IN = Shape("NewEvent", {
    "id": Field(Text(200, 1, r"[!-~]+", "order-42-paid"), "Your own id of the event: sent twice it is kept once.", True),
    "name": Field(Text(80, 1, r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)*", "order.paid"), "What happened, noun.verb.", True),
    "profile": Field(ID, "Whom it happened to, by profile."),
    "identity": Field(IDENTITY_NAME, "Whom it happened to, by an identity that a profile holds."),
    "happened_at": Field(Instant(), "When; now unless you say otherwise."),
    "source": Field(Text(40, 1, r"[a-z][a-z0-9_-]*", "till"), "Which system of yours says so: ids are its own."),
    "properties": Field(Properties(), "What else there is to know, at most 256 kB."),
}, one_of=("profile", "identity"))  # fmt: skip

SEND_IN = Shape("NewSend", {
    "rule": Field(Text(100, 1), "A rule with `when: {call: api}`."),
    "template": Field(Text(100, 1), "A template of the book, sent without a rule; `channels` and `class` say how."),
    "to": Field(Shape("Person", {
        "profile": Field(ID, "By profile."), "identity": Field(IDENTITY_NAME, "By an identity that a profile holds."),
    }, one_of=("profile", "identity")), "Whom; the rule or `channels` decide where they are reached.", True),
    "data": Field(Properties(), "What the rule reads as start.*, at most 64 kB; not `name` and `at`, which it has."),
    "key": Field(Text(200, 1), "The matter, such as an order's number: while a run for it goes on, none begins."),
    "channels": Field(ListOf(Text(60, 1), 10), "With a template: where, the best first; preferred: where they react."),
    "all": Field(Truth(), "With a template: on each of the channels, not on the first possible."),
    "class": Field(Choice(("transactional", "service", "marketing")), "With a template: which limits hold."),
    "topic": Field(Text(60), "With a template: what consent attaches to; a transactional one needs none."),
}, one_of=("rule", "template"))  # fmt: skip

EVENTS_IN = Shape("NewEvents", {"events": Field(ListOf(EVENT_IN, 500, 1), "1 to 500 events.", True)})

CODE_IN = Shape("NewCode", {
    "campaign": Field(Text(100, 1, example="poster-lyon"), "What it is for, as reports name it.", True),
    "target": Field(Text(1000, 10, example="https://shop.example/chairs"), "Where it leads, https://...", True),
})  # fmt: skip
