"""The addresses of a contact's own that a template may name: `links.preferences`, `.wallet`, `.unsubscribe`, `.confirm`."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from profiles.personal_links import PersonalLinks
from rules.person import Person
from rules.policy import Reach
from rules.run import Run

NAMES = ("preferences", "wallet", "unsubscribe", "confirm")
Links: TypeAlias = Callable[[Person, Run, Reach], Mapping[str, str]]


def examples(person: Person, run: Run, reach: Reach) -> Mapping[str, str]:
    """Return what previews and rehearsals show in their place: nobody's real page."""
    return {name: f"https://example.org/{name}" for name in NAMES}


def links_of(personal: PersonalLinks, topic_of: Callable[[Run], str]) -> Links:
    """Return the links that end just what a message is about: its rule's topic, on the channel where it goes.

    A rule without a topic, or one that is in no book, gives a link that ends the whole channel.
    """

    def links(person: Person, run: Run, reach: Reach) -> Mapping[str, str]:
        return personal.for_templates(
            person.id, person.facts.now, channel=reach.space, topic=topic_of(run), start=run.start
        )

    return links
