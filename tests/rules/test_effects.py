"""What a run does to the records: the note that an agent reads is written for this contact, as a message is."""

from profiles.conversation import Conversation
from profiles.snapshot import Snapshot
from rules.effects import apply
from rules.moves import ToPeople
from rules.run import Run
from tests.cast import NOON, anna


def test_the_note_of_a_hand_over_is_written_for_the_contact_it_is_about() -> None:
    run = Run("r1", "cart", "v1", "anna", NOON, start={"name": "cart.updated", "total": 170})
    thread = Conversation("webchat:a", "anna", "webchat", "a", NOON)
    step = ToPeople(
        "2", "vip", None, "{{ contact.first_name }} left {{ event.total }}{{ contact.nickname }}", open=False
    )
    changes = apply(step, run, Snapshot(NOON, profiles={"anna": anna()}, conversations={thread.id: thread}))
    (note,) = changes.messages
    assert note.content.text == "Anna left 170"
    handed = changes.conversations[-1]
    assert handed.handover and handed.handover.summary == "Anna left 170"


def test_a_note_of_which_nothing_is_left_is_none() -> None:
    run = Run("r1", "cart", "v1", "anna", NOON)
    thread = Conversation("webchat:a", "anna", "webchat", "a", NOON)
    step = ToPeople("2", "vip", None, "{{ contact.nickname }}", open=False)
    changes = apply(step, run, Snapshot(NOON, profiles={"anna": anna()}, conversations={thread.id: thread}))
    assert changes.messages == () and changes.conversations[-1].owner != "bot"
