"""What an answer proves: only words that speak of the mailbox make an address dead."""

import pytest

from channels.channel import Failed, Later, Sent, Unknown
from channels.email_codes import outcome, slows, told
from channels.email_talk import Reply
from channels.email_wire import Handed, Stage


def test_what_was_taken_has_our_token() -> None:
    assert outcome(Handed("end", Reply(250, "2.0.0 queued as X")), token="tok") == Sent("tok")


def test_silence_after_the_mail_proves_nothing_and_before_it_proves_that_it_did_not_go() -> None:
    assert isinstance(outcome(Handed("end"), token="t"), Unknown)
    assert isinstance(outcome(Handed("data"), token="t"), Later)


@pytest.mark.parametrize(
    ("stage", "code", "text", "reason"),
    [
        ("recipient", 550, "5.1.1 <anna@example.org>: User unknown", "dead"),
        ("recipient", 550, "5.2.1 The account is disabled", "dead"),
        ("end", 550, "5.1.1 no such user", "dead"),
        ("recipient", 550, "No such user here", "dead"),
        ("recipient", 550, "Requested action not taken: mailbox unavailable", "dead"),
        ("recipient", 550, "5.5.0 Requested action not taken: mailbox unavailable (S2017062302).", "dead"),
        ("recipient", 554, "delivery error: dd This user doesn't have a yahoo.com account", "dead"),
        (
            "recipient",
            550,
            "Verification failed for <b@x.org> Response: 550 User unknown Sender verify failed",
            "config",
        ),
        ("recipient", 550, "Sender address unknown", "content"),
        ("recipient", 550, "Administrative prohibition", "content"),
        ("recipient", 554, "5.7.1 Relay access denied", "config"),
        ("end", 550, "5.7.26 Unauthenticated email is not accepted", "config"),
        ("end", 554, "5.7.9 Message not accepted for policy reasons", "config"),
        ("end", 550, "5.7.515 Access denied, sending domain does not pass", "config"),
        ("end", 554, "5.7.1 Spam message rejected", "content"),
        ("end", 552, "5.3.4 too big", "content"),
        ("end", 500, "what", "content"),
        ("data", 503, "bad sequence", "config"),
        ("end", 554, "Transaction failed", "content"),
        ("sender", 553, "5.1.8 Sender address rejected", "config"),
        ("sender", 552, "5.3.4 too big", "content"),
        ("connect", 535, "5.7.8 Authentication failed", "config"),
    ],
)
def test_a_final_no(stage: Stage, code: int, text: str, reason: str) -> None:
    found = outcome(Handed(stage, Reply(code, text)), token="t")
    assert isinstance(found, Failed)
    assert found.reason == reason


@pytest.mark.parametrize(
    ("code", "text", "seconds", "slower"),
    [
        (421, "4.7.0 Too many connections", 300, True),
        (421, "closing", 300, True),
        (450, "4.2.1 receiving mail at a rate that prevents more", 300, False),
        (451, "4.7.1 Greylisted, please try again later", 900, False),
        (451, "4.7.1 policy", 900, True),
        (452, "4.2.2 mailbox full", 6 * 3600, False),
        (452, "4.2.2 storage quota exceeded", 6 * 3600, False),
        (452, "4.3.1 too many messages", 300, True),
        (552, "5.2.2 mailbox full", 6 * 3600, False),
        (450, "4.1.8 later", 900, False),
    ],
)
def test_a_passing_no(code: int, text: str, seconds: float, slower: bool) -> None:
    reply = Reply(code, text)
    found = outcome(Handed("recipient", reply), token="t")
    assert isinstance(found, Later)
    assert found.seconds == seconds
    assert slows(reply) is slower


def test_no_address_stands_in_what_is_told() -> None:
    said = told(Reply(550, "5.1.1 <anna@example.org>\nunknown" + " x" * 500))
    assert "anna" not in said
    assert "\n" not in said
    assert len(said) <= 180
