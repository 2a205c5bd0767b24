"""A refusal that is final bans the address, in the word that people know for it."""

from datetime import UTC, datetime

import pytest

from channels.banning import ban, is_final
from profiles.profile import Identity, Profile
from profiles.snapshot import Changes, Refusal, Snapshot

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("channel", "reason", "word"),
    [("sms", "dead 30006", "unreachable"), ("email", "dead", "bounced"), ("email", "opted_out", "blocked")],
)
def test_each_final_reason_has_its_word(channel: str, reason: str, word: str) -> None:
    anna = Profile("P1", NOW, identities=(Identity(channel, "anna", NOW),))
    key = f"{channel}:anna"
    changes = ban(key, reason).think(Snapshot(NOW, profiles={"P1": anna}, identities={key: "P1"}))
    assert isinstance(changes, Changes)
    suppression = changes.profiles[0].identities[0].suppression
    assert suppression and suppression.reason == word


def test_an_address_that_nobody_has_is_left_alone() -> None:
    assert isinstance(ban("email:anna", "dead").think(Snapshot(NOW)), Refusal)


def test_a_passing_trouble_is_not_final() -> None:
    assert not is_final("content")
    assert not is_final(None)
