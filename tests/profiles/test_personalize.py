"""Fields in texts: what marketers need works in both languages, what a contact lacks is named."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from profiles.personalize import Rendered, Text, Unrendered, compile_text

FIELDS: dict[str, Any] = {
    "contact": {"first_name": "Anna", "points": 1, "born_on": "1990-05-12", "tags": ["vip", "paris"]},
    "event": {
        "total": 1299.5,
        "items": [{"name": "Veste"}, {"name": "Écharpe"}],
        "at": datetime(2026, 12, 24, 17, 30, tzinfo=UTC),
    },
}


def said(source: str, language: str = "fr", *, html: bool = False, fields: dict[str, Any] = FIELDS) -> str:
    text = compile_text(source, html=html)
    assert isinstance(text, Text), text
    rendered = text.render(fields, language=language, zone=ZoneInfo("Europe/Paris"))
    assert isinstance(rendered, Rendered), rendered
    return rendered.text.replace("\xa0", " ").replace("\u202f", " ")


@pytest.mark.parametrize(
    ("source", "french", "english"),
    [
        ("{{ event.total | money }}", "1 299,50 €", "€1,299.50"),
        ('{{ event.total | money("USD") }}', "1 299,50 $US", "US$1,299.50"),
        ("{{ event.total | number(0) }}", "1 300", "1,300"),
        ("{{ contact.born_on | date }}", "12 mai 1990", "12 May 1990"),
        ('{{ event.at | date("full") }}', "jeudi 24 décembre 2026", "Thursday, 24 December 2026"),
        ("{{ event.at | time }}", "18:30", "18:30"),
        ('{{ 0 | plural("point", "points") }}', "point", "points"),
        ('{{ contact.points }} {{ contact.points | plural("point", "points") }}', "1 point", "1 point"),
    ],
)
def test_amounts_dates_and_plurals_are_written_as_the_language_writes_them(
    source: str, french: str, english: str
) -> None:
    assert said(source) == french
    assert said(source, "en") == english


def test_conditions_loops_and_lists() -> None:
    assert said("{% if contact.points > 0 %}Bravo{% else %}Bientôt{% endif %}") == "Bravo"
    assert said(
        "{% for item in event.items %}{{ loop.index }}. {{ item.name }}{% if not loop.last %}, {% endif %}{% endfor %}"
    ) == ("1. Veste, 2. Écharpe")
    assert (
        said('{{ contact.tags | join(" et ") }} {{ event.items | length }} {{ (event.items | first).name }}')
        == "vip et paris 2 Veste"
    )
    assert said('{{ contact.first_name | upper | truncate(3) }}{{ event["total"] + 0.5 }}') == "AN…1300.0"


def test_a_missing_field_is_named_whole_and_a_default_stands_in_for_it() -> None:
    text = compile_text(
        "{{ contact.last_name }}{{ contact.address.city }}{{ contact.nick | default('toi') }}{{ nobody }}"
    )
    assert isinstance(text, Text)
    rendered = text.render(FIELDS, language="fr")
    assert rendered == Rendered("toi", ("contact.last_name", "contact.address.city", "nobody"))


def test_what_is_only_asked_for_is_not_missing() -> None:
    text = compile_text("{% if contact.vip %}VIP{% endif %}{% if contact.vip is defined %}x{% endif %}")
    assert isinstance(text, Text)
    assert text.render(FIELDS, language="fr") == Rendered("")


def test_html_escapes_what_fields_say_and_keeps_the_authors_markup() -> None:
    fields = {"contact": {"first_name": '<img src=x onerror="alert(1)">'}}
    assert said("<b>{{ contact.first_name }}</b>", html=True, fields=fields) == (
        "<b>&lt;img src=x onerror=&#34;alert(1)&#34;&gt;</b>"
    )
    assert said("{{ contact.first_name }}", fields=fields) == fields["contact"]["first_name"]


def test_a_text_that_grows_too_large_is_refused_and_nothing_hangs() -> None:
    many = {"a": ["x" * 2_000] * 100}
    text = compile_text("{% for one in a %}{% for two in a %}{{ two }}{% endfor %}{% endfor %}")
    assert isinstance(text, Text)
    assert isinstance(text.render(many, language="fr"), Unrendered)


def test_counting_is_with_numbers_only() -> None:
    for source in ("{{ contact.first_name * 1000000 }}", "{{ 'a' + 'b' }}", "{{ 1e300 * 1e300 }}", "{{ 1 / 0 }}"):
        text = compile_text(source)
        assert isinstance(text, Text)
        assert isinstance(text.render(FIELDS, language="fr"), Unrendered), source
