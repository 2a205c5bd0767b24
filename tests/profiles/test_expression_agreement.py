"""The test in memory and the database's filter select the same people, whatever they are like and whatever is asked."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st

from profiles import audience as audiences
from profiles.expression import Expression, Facts, Vocabulary, parse
from profiles.profile import Profile
from profiles.record import from_document, to_document
from profiles.store import Store
from tests.profiles.read_past import past_of
from tests.profiles.strangers import NOW, OPEN, STRICT, ZONES, conditions, past, people

SEEDS, NUMBER, EXAMPLES = 4, 40, 200
CASES = 2_000  # a comparison of one person and one condition is a case


@pytest.fixture
async def crowd(store: Store) -> AsyncIterator["Crowd"]:
    """Four times forty strangers with their past, as they read back; at the end enough cases were compared."""
    for seed in range(SEEDS):
        profiles = people(seed, NUMBER)
        events, messages = past(seed, profiles)
        for collection, documents in (("profiles", map(to_document, profiles)), ("events", map(to_document, events)),
                                      ("messages", messages)):  # fmt: skip
            await store._database[collection].insert_many(list(documents))
    crowd = Crowd([from_document(Profile, document) for document in await store.find("profiles", {})])
    yield crowd
    assert crowd.cases >= CASES


@dataclass
class Crowd:
    """All who are asked about, and how many cases were compared."""

    profiles: list[Profile]
    cases: int = 0


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
    phases=(Phase.explicit, Phase.generate, Phase.shrink),
)
@given(text=conditions(), zone=st.sampled_from(ZONES), vocabulary=st.sampled_from([OPEN, STRICT]))
async def test_memory_and_database_select_the_same_people(
    store: Store, crowd: Crowd, text: str, zone: str, vocabulary: Vocabulary
) -> None:
    expression = parse(text, vocabulary)
    if not isinstance(expression, Expression):
        event("refused: the kinds do not fit")
        return
    held = await _held_in_memory(store, expression, crowd.profiles, ZoneInfo(zone))
    audience = expression.audience(NOW, ZoneInfo(zone))
    event(f"begins with {audience.collection}" if audience.pipeline else "a filter alone")
    found = [id for chunk in [chunk async for chunk in audiences.stream(store, audience, at_once=50)] for id in chunk]
    assert found == held
    assert await audiences.count(store, audience) == len(held)
    assert set(held) <= {document["_id"] for document in await store.find("profiles", audience.filter)}
    crowd.cases += len(crowd.profiles)


async def _held_in_memory(store: Store, expression: Expression, crowd: list[Profile], zone: ZoneInfo) -> list[str]:
    past = await past_of(store, expression.needs, crowd, NOW)
    living = (profile for profile in crowd if profile.merged_into is None)
    held = [
        profile.id
        for profile in living
        if expression.test(Facts(NOW, profile, zone, history=past[profile.id].history, sent=past[profile.id].sent))
    ]
    return sorted(held)
