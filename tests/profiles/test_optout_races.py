"""A no that was acknowledged: nothing is under way to this person, nor begins. The control, which checks and then sends, fails."""

from bench.optouts import raced


async def test_nothing_is_under_way_when_a_no_is_acknowledged(mongo_url: str, database_name: str) -> None:
    journal = await raced(mongo_url, database_name, "permit", people=60)
    assert len(journal.hand_overs) > 100 and len(journal.acknowledged) == 60
    assert journal.violations() == 0
    assert journal.waited_ms(0.5) < 2_000


async def test_who_checks_and_then_sends_is_still_sending(mongo_url: str, database_name: str) -> None:
    """The control: the same journal shows hand-overs that ended after the no was acknowledged."""
    journal = await raced(mongo_url, database_name, "check", people=60)
    assert journal.violations() > 0
