"""What is learned of a contact: rates that fade, an hour that needs enough data, and no claim before."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiles.profile import Profile
from profiles.reactions import ANSWERED, CLICKED, DELIVERED, READ
from profiles.reactivity import ENOUGH_SENDS, Reactivity, Response, Trial, best_hour, learn, rate
from profiles.record import from_document, replace, to_document

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
PARIS = ZoneInfo("Europe/Paris")
DAY = timedelta(days=1)


def sent(channel: str, *reactions: str, ago: timedelta = DAY, after: timedelta = timedelta(hours=1)) -> Trial:
    at = NOW - ago
    return Trial(channel, at, {name: at + after for name in reactions})


def rates(*trials: Trial, now: datetime = NOW) -> dict[str, float | None]:
    known = learn(trials, PARIS, NOW)
    return {name: found and round(found, 2) for name in known.channels for found in [rate(known, name, now)]}


@pytest.mark.parametrize(
    ("trials", "expected"),
    [
        ([sent("email", CLICKED)] * 2, {"email": None}),
        ([sent("email", CLICKED)] * 4, {"email": 1.0}),
        ([sent("email", READ)] * 4, {"email": 0.25}),
        ([sent("email", READ, CLICKED, ANSWERED)] * 4, {"email": 1.0}),
        ([sent("email", DELIVERED)] * 4, {"email": 0.0}),
        ([sent("sms")] * 6 + [sent("sms", ANSWERED)] * 2 + [sent("telegram", CLICKED)] * 4, {"sms": 0.25, "telegram": 1.0}),
        ([sent("email", CLICKED, ago=60 * DAY)] * 6 + [sent("email")] * 3, {"email": 0.5}),
    ],
)  # fmt: skip
def test_a_rate_is_the_share_of_sends_that_found_a_reaction_and_old_ones_weigh_less(
    trials: list[Trial], expected: dict[str, float | None]
) -> None:
    assert rates(*trials) == expected


def test_what_was_learned_fades_until_nothing_is_claimed() -> None:
    known = learn([sent("email", CLICKED)] * 6, PARIS, NOW)
    assert rate(known, "email", NOW + 55 * DAY) == 1.0
    assert rate(known, "email", NOW + 61 * DAY) is None


def test_sends_that_nothing_came_back_to_lower_what_was_learned_before_them() -> None:
    known = learn([sent("email", CLICKED)] * 4, PARIS, NOW)
    assert rate(known, "email", NOW, unanswered=4) == pytest.approx(0.5, abs=0.01)
    assert rate(None, "email", NOW, unanswered=2) is None
    assert rate(None, "email", NOW, unanswered=3) == 0.0


def test_the_best_hour_is_the_contacts_own_and_needs_five_reactions() -> None:
    evening = [
        sent("email", READ, ago=timedelta(days=days, hours=19), after=timedelta()) for days in range(1, 7)
    ]  # 18:00
    assert best_hour(learn(evening[:4], PARIS, NOW), NOW) is None
    assert best_hour(learn(evening, PARIS, NOW), NOW) == 18
    assert best_hour(learn(evening, ZoneInfo("Asia/Tokyo"), NOW), NOW) == 2
    assert best_hour(learn(evening, PARIS, NOW), NOW + 200 * DAY) is None


def test_an_hour_with_busy_neighbours_is_better_than_a_lonely_one() -> None:
    hours = [0.0] * 24
    hours[3], hours[18], hours[19], hours[20] = 3.5, 3.0, 3.0, 3.0
    assert best_hour(Reactivity(NOW, {}, tuple(hours)), NOW) == 19


def test_midnight_has_neighbours_on_both_sides() -> None:
    hours = [0.0] * 24
    hours[23], hours[0], hours[1], hours[12] = 2.0, 2.0, 2.0, 2.5
    assert best_hour(Reactivity(NOW, {}, tuple(hours)), NOW) == 0


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["email", "sms"]),
            st.integers(-3, 400),
            st.sets(st.sampled_from([READ, CLICKED, ANSWERED, DELIVERED, "other"])),
        ),
        max_size=30,
    )
)
def test_whatever_happened_a_rate_is_a_share_and_an_hour_an_hour(happened: list[tuple[str, int, set[str]]]) -> None:
    known = learn([sent(channel, *names, ago=days * DAY) for channel, days, names in happened], PARIS, NOW)
    for channel in ("email", "sms", "push"):
        found = rate(known, channel, NOW)
        assert found is None or 0.0 <= found <= 1.0
    assert best_hour(known, NOW) in (None, *range(24))
    profile = Profile("anna", NOW, reactivity=known)
    assert from_document(Profile, to_document(profile)) == profile


def test_a_profile_keeps_what_was_learned() -> None:
    known = Reactivity(NOW, {"email": Response(ENOUGH_SENDS, 1.0)})
    profile = replace(Profile("anna", NOW), reactivity=known)
    assert from_document(Profile, to_document(profile)).reactivity == known
