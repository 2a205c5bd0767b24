"""profile.yml: what the bot knows of the profile, and what the profile learns from it."""

from bot.memory import Mapped, Memory

MEMORY = Memory(
    {
        "email": Mapped("email", ("email",)),
        "points": Mapped("points", ("points",), read_only=True),
        "state": Mapped("state", ("orders", "{number}"), read_only=True),
        "mood": Mapped("mood", ("mood",), source="inferred"),
    }
)


def test_slots_are_filled_from_the_profile():
    values = {"email": "a@b.fr", "points": 3, "orders": {"12": "shipped"}}
    assert dict(MEMORY.known(values, {"number": "12"})) == {"email": "a@b.fr", "points": 3, "state": "shipped"}


def test_what_the_bot_knows_already_is_not_told_again():
    assert dict(MEMORY.known({"email": "a@b.fr"}, {"email": "a@b.fr"})) == {}


def test_what_the_profile_no_longer_says_is_forgotten_when_only_it_can_say():
    assert dict(MEMORY.known({}, {"points": 3, "state": "shipped", "email": "said@b.fr"})) == {
        "points": None,
        "state": None,
    }


def test_a_look_up_through_something_that_is_no_table_finds_nothing():
    for orders in (None, "x", 3, ["12"], {"12": None}):
        assert dict(MEMORY.known({"orders": orders}, {"number": "12"})) == {}


def test_only_what_was_said_and_is_new_is_learned():
    slots = {"email": "new@b.fr", "mood": "good", "points": 99}
    said = {"email", "mood", "points", "number"}
    assert list(MEMORY.learned(said, slots, {"email": "old@b.fr"})) == [
        ("email", "new@b.fr", "declared"),
        ("mood", "good", "inferred"),
    ]
    assert list(MEMORY.learned(set(), slots, {})) == []
    assert list(MEMORY.learned({"email"}, {"email": "old@b.fr"}, {"email": "old@b.fr"})) == []


def test_what_cannot_be_stored_is_made_storable():
    assert dict(MEMORY.known({"points": 2**70}, {})) == {"points": str(2**70)}
