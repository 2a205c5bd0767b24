"""What the records say in words of their own, in words for people: channels, states, events, refusals. Marked, not translated."""


def _(text: str) -> str:
    """Mark a text for translation; it is translated when it is said."""
    return text


CHANNELS = {
    "wallet": _("Wallet"), "webpush": _("Web push"), "push": _("Push"),
    "apns": _("Push to iPhone"), "fcm": _("Push to the app"), "inapp": _("In the app"),
    "webchat": _("Web chat"), "telegram": "Telegram", "sms": "SMS", "twilio": "SMS", "smpp": "SMS", "email": _("E-mail"),
    "user": _("Customer number"), "whatsapp": "WhatsApp", "voice": _("Phone"),
    "preferences": _("Preference centre"),
}  # fmt: skip

BRANDS = ("telegram", "whatsapp")
"""Channels whose name is written with a capital wherever it stands."""

DEVICES = {
    "webchat": _("Browser {id}"), "webpush": _("Browser {id}"), "inapp": _("Browser {id}"), "fcm": _("Phone {id}"),
    "apns": _("Phone {id}"),
}  # fmt: skip

ATTRIBUTES = {
    "first_name": _("first name"), "last_name": _("last name"), "name": _("name"), "city": _("city"), "username": _("user name"),
    "company": _("company"), "zone": _("time zone"), "birthday": _("birthday"), "loyalty_points": _("loyalty points"),
    "born_on": _("date of birth"), "country": _("country"), "tier": _("loyalty tier"), "points": _("loyalty points"),
}  # fmt: skip

VALUES = {
    ("rfm", "champion"): _("rfm|Champion"), ("rfm", "regular"): _("rfm|Regular"), ("rfm", "recent"): _("rfm|Recent"),
    ("rfm", "at_risk"): _("rfm|At risk"), ("rfm", "lost"): _("rfm|Lost"),
}  # fmt: skip
"""(attribute, value) -> words, of what the shipped rules write (rules/book/rfm.yml)."""

TEAMS = {"returns": _("Returns")}
"""Those of the shipped bot (bot/content/shop/handover.yml)."""

ROLES = {
    "agent": _("Agent"), "supervisor": _("Supervisor"), "marketer": _("Marketer"), "admin": _("Administrator")
}  # fmt: skip

RULE_STATES = {"live": _("rule|Live"), "test": _("rule|On trial"), "draft": _("rule|Draft"), "paused": _("rule|Paused")}

RULE_CLASSES = {"marketing": _("Marketing"), "service": _("Service"), "transactional": _("Transactional")}

LANGUAGES = {
    "fr": _("French"), "en": _("English"), "de": _("German"), "es": _("Spanish"), "it": _("Italian"), "nl": _("Dutch"),
    "pt": _("Portuguese"),
}  # fmt: skip

DELIVERIES = {
    "queued": _("Sending"), "sending": _("Sending"), "sent": _("Sent"), "delivered": _("Delivered"), "read": _("Read"),
    "failed": _("Not delivered"), "suppressed": _("Not sent"), "unknown": _("Perhaps not delivered"),
}  # fmt: skip

PASSED = {
    "decided": _("Decided"), "queued": _("Waits to be sent"), "sending": _("Handed to the provider"),
    "message.delivered": _("Reached the device"), "message.read": _("Opened"), "message.clicked": _("Clicked"),
    "message.answered": _("Answered"), "message.failed": _("Refused"), "message.bounced": _("Bounced"),
    "dismissed": _("Put away"),
    "message.dismissed": _("Put away"),
    "message.complained": _("Reported as unwanted"), "message.unsubscribed": _("They asked us to stop writing"),
}  # fmt: skip

FAILURES = {
    "dead": _("this address does not exist"),
    "opted_out": _("they asked not to be written to"),
    "window": _("this channel lets you answer only after they write"),
    "config": _("the channel's account is not set up right"),
    "content": _("the provider refused this message"),
    "blocked": _("they blocked us"),
    "bounced": _("their address refuses messages"),
    "complained": _("they reported us"),
    "unreachable": _("they can not be reached there"),
    "erased": _("their data was erased"),
    "mailbox": _("their mailbox could not take it, though another day it may"),
    "refused": _("their mail server refused this message"),
    "begun": _("the server stopped while it was sending this"),
    "gave_up": _("the server stopped again and again while it was sending this"),
}

EVENTS = {
    "conversation.handed_over": _("The bot handed over to the team"),
    "conversation.taken": _("{who} took over"),
    "conversation.assigned": _("{who} assigned this to {to}"),
    "conversation.queued": _("The queue gave this to {to}"),
    "conversation.unassigned": _("{who} put this back in the queue"),
    "conversation.given_back": _("{who} gave this back to the bot"),
    "conversation.resolved": _("{who} resolved this"),
    "conversation.reopened": _("{who} reopened this"),
    "conversation.snoozed": _("{who} snoozed this"),
    "message.clicked": _("Opened a link of a rule's message"),
    "message.dismissed": _("Put a rule's message away"),
    "message.answered": _("Answered a rule's message"),
    "message.bounced": _("A mail to them came back"),
    "message.complained": _("They called a message unwanted"),
    "conversation.woken": _("The snooze ended"),
    "profile.merged": _("{who} merged another contact into this one"),
    "pass.issued": _("A wallet card was made for them"),
    "pass.added": _("They put a card into their wallet"),
    "pass.removed": _("They took a card out of their wallet"),
    "profile.merge_undone": _("{who} undid a merge"),
    "consent.withdrawn": _("They asked us to stop writing"),
    "consent.given": _("They allowed us to write again"),
    "consent.asked": _("Their yes waits for its confirmation"),
    "profile.edited": _("They corrected what we know"),
    "data.erasure_asked": _("They asked to erase their data"),
    "data.removal_asked": _("They asked to remove an address"),
    "identity.blocked": _("They blocked us"),
    "identity.unblocked": _("They unblocked us"),
    "identity.subscribed": _("They agreed to messages in their browser"),
    "profile.identified": _("They proved who they are"),
    "bot.unanswered": _("The bot found no answer to this"),
    "bot.doubted": _("The bot was not sure of this answer"),
    "bot.payload_refused": _("They typed a command that the bot had not offered"),
}

DECIDED = "rule.decided"
"""The name under which a rule's decision stands on a timeline; it is no event of the store."""

DECIDED_BY = {
    "rule": _("A rule says so"), "story": _("A story goes like this"), "nearest": _("The nearest story goes like this"),
    "loop": _("The form is running"), "listen": _("The form waits for an answer"), "fallback": _("No rule fits"),
    "default": _("Rasa's own meaning of this command"), "asked": _("The action before asked for it"),
    "flow": _("The running flow goes like this"), "": _("The session or the handover plan says so"),
}  # fmt: skip

LESSONS = {
    "first": _("As it was before"), "outside": _("Changed in the files themselves"), "example": _("Added an example"),
    "moved": _("Moved an example"), "answer": _("Made a new answer"), "passage": _("Added to the documents"),
    "restored": _("Went back to a version"),
}  # fmt: skip

ACTS = {
    "conversation.replied": _("Replied"), "conversation.noted": _("Wrote a note"), "conversation.taken": _("Took over"),
    "conversation.assigned": _("act|Assigned"), "conversation.queued": _("Assigned by the queue"),
    "conversation.unassigned": _("Put back in the queue"), "conversation.given_back": _("Gave back to the bot"),
    "conversation.resolved": _("act|Resolved"), "conversation.reopened": _("act|Reopened"),
    "conversation.snoozed": _("act|Snoozed"),
    "profile.edited": _("Edited a contact"), "profile.merged": _("Merged contacts"),
    "profile.merge_undone": _("Undid a merge"), "conflict.settled": _("Settled a conflict"),
    "consent.recorded": _("Recorded a consent"), "consent.refused": _("Recorded a refusal"),
    "request.settled": _("Settled a contact's request"),
    "profile.erasing": _("Had a contact erased"), "profile.erased": _("A contact was erased"),
    "profile.exported": _("Gave out all that is known of a contact"),
    "people.imported": _("Took over a file of contacts"),
    "data.exported": _("Wrote data into a file to take away"),
    "canned.saved": _("Saved a canned reply"), "canned.removed": _("Removed a canned reply"),
    "agent.invited": _("Invited an agent"), "agent.uninvited": _("Withdrew an invitation"), "agent.joined": _("Joined"),
    "agent.changed": _("Changed an agent"), "agent.signed_in": _("Signed in"), "agent.signed_out": _("Signed out"),
    "agent.password_changed": _("Changed their password"), "agent.revoked": _("Ended sessions"),
    "agent.second_factor_on": _("Set up a second factor"), "agent.second_factor_off": _("Removed the second factor"),
    "agent.recovered": _("Used a recovery code"), "agent.settings": _("Changed their settings"),
    "key.created": _("Created an API key"), "key.revoked": _("Revoked an API key"),
    "conversation.drafted": _("Asked for a draft"), **{f"bot.{name}": act for name, act in LESSONS.items()},
    "rule.state": _("Changed a rule's state"), "rule.saved": _("Changed a file of the rule book"),
    "webhook.again": _("Let a webhook be tried again"),
    "rule.made": _("Made a rule"), "rule.tried": _("Sent a rule's messages to its testers"),
    "bot.proposed": _("Proposed a lesson for the bot"), "bot.proposal_refused": _("Refused a proposed lesson"),
    "bot.question_dismissed": _("Dismissed a question"), "bot.reply_refused": _("Kept a reply from becoming an answer"),
}  # fmt: skip

REFUSALS = {
    "unknown_conversation": _("This conversation does not exist any more."),
    "unknown_profile": _("This contact does not exist any more."),
    "already_yours": _("You already have this conversation."),
    "already_theirs": _("They already have this conversation."),
    "already_bot": _("The bot already answers this conversation."),
    "already_waiting": _("This conversation already waits in the queue."),
    "already_resolved": _("This conversation is already resolved."),
    "already_open": _("This conversation is already open."),
    "in_the_past": _("Choose a time in the future."),
    "suppressed": _("Not sent: they asked not to be written to here, or blocked us."),
    "empty": _("Write something first."),
    "too_long": _("This is too long."),
    "no_channel": _("This channel is not connected, so nothing can be sent on it."),
    "no_attachments": _("This channel can not carry files."),
    "bad_name": _("A name is made of small letters, digits and _, and begins with a letter."),
    "reserved_name": _("This name is reserved."),
    "bad_value": _("This value can not be kept."),
    "too_many": _("There are too many attributes already."),
    "too_large": _("This is too large."),
    "same_profile": _("These are the same contact already."),
    "merged_away": _("One of them was merged meanwhile."),
    "already_undone": _("This merge was undone already."),
    "erasing": _("This contact is being erased."),
    "not_sure": _("Say that you are sure: it can not be undone."),
    "later_merge": _("A later merge builds on this one: undo that one first."),
    "file_kind": _("Only pictures (PNG, JPEG, GIF, WebP), PDF and plain text files can be sent."),
    "broken": _("The bot would not work like this, so nothing was changed."),
    "dialogues": _("One of the bot's own test dialogues would end differently, so nothing was changed."),
    "changed_meanwhile": _("Somebody changed the bot meanwhile, so nothing was changed. Look again and repeat."),
    "read_only": _("The bot's folder can not be written here."),
    "already_there": _("The bot has this sentence already."),
    "unknown_intent": _("There is no such intent. Choose one of the list."),
    "unknown_example": _("This sentence is not there any more."),
    "unknown_language": _("Choose a language."),
    "last_example": _("It is the last example of its intent. Add another one first."),
    "no_words": _("There is no word in it that the bot could learn."),
    "nothing_changed": _("The files are like this already."),
    "unknown_version": _("There is no such version."),
    "unreadable": _("One of the bot's files can not be read."),
    "no_draft": _("No draft this time. Write the answer yourself."),
    "unavailable": _("The server is busy. Nothing is lost: try again in a moment."),
    "unknown_topic": _("Choose a topic and a channel."),
    "no_evidence": _("Write down when, where and how they said so."),
    "not_sent_here": _("This topic is not sent on this channel."),
}

CONSENTS = {
    "given": _("They want it"), "confirmed": _("They want it"), "withdrawn": _("They do not want it"),
    "asked": _("waits for their confirmation"), "restored": _("START after STOP"), "paused": _("A pause"),
    "resumed": _("End of the pause"), "limited": _("Their own limits"),
}  # fmt: skip

BASES = {
    "given": _("their yes to the topic"), "not_withdrawn": _("that they have not said no"),
    "none": _("no consent: it is transactional"),
}  # fmt: skip
"""What had to hold for a message to leave (profiles/topics.py)."""

DOERS = {"system": "Causerie", "first start": _("first start"), "command": _("the command line")}

SOURCES = {
    "preference_centre": _("their own page"), "one_click": _("one click in their mail"),
    "complaint": _("their mail provider's report that they call it unwanted"),
    "unsubscribe_page": _("the unsubscribe link"),
    "confirmation": _("the confirmation link"), "keyword": _("STOP or START"), "webpush": _("in their browser"),
    "bot": _("Bot"), "form": _("a form"),
    "paper": _("on paper"), "phone": _("by phone"), "shop": _("in the shop"), "import": _("an import"),
}  # fmt: skip

RULES_BROKEN = {
    "short": _("Choose at least 10 characters."),
    "long": _("Choose at most 128 characters."),
    "common": _("This password is on every list of common ones. Choose another."),
    "personal": _("Leave your name and e-mail address out of it."),
}
