"""The cast is who its page says they are."""

from collections.abc import Callable

import pytest

from profiles.profile import Profile
from tests.cast import anna, boris, clara, dmitri, elif_, farid


@pytest.mark.parametrize(
    ("person", "name", "suppressed"),
    [
        (anna, "Anna Martin", set()),
        (boris, "Boris Petit", {"sms"}),
        (clara, "Clara Rossi", set()),
        (dmitri, "Dmitri Ivanov", set()),
        (elif_, "", set()),
        (farid, "Farid Benali", {"telegram"}),
    ],
)
def test_each_person_has_their_name_and_their_trait(
    person: Callable[[], Profile], name: str, suppressed: set[str]
) -> None:
    profile = person()
    assert profile.name == name
    assert {identity.channel for identity in profile.identities if identity.suppression} == suppressed
    assert profile.is_known == (name != "")


def test_nobody_shares_an_address() -> None:
    keys = [one.key for person in (anna, boris, clara, dmitri, elif_, farid) for one in person().identities]
    assert len(keys) == len(set(keys))
