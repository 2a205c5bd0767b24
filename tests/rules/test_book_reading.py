"""The book is read as one: house files first, then the rules; what is broken goes on with its last good text, and is told."""

from datetime import timedelta
from pathlib import Path

from profiles.caps import Cap, grace
from profiles.hours import Hours
from rules.book import Book, Surroundings
from rules.book_folder import read_folder
from rules.book_reading import read_book
from rules.options import RulesOptions, folder_of

RULE = "rule: {id}\ntopic: offers\nstate: live\nwhen: {{event: order.paid}}\nsteps:\n  - send: {{channel: sms, template: t}}\n"
TOPICS = "offers:\n  title: {fr: Offres, en: Offers}\n  wording: {fr: Oui, en: Yes}\n"
AROUND = Surroundings(channels=frozenset({"sms", "email"}))


def rule(id: str, more: str = "") -> str:
    return RULE.format(id=id) + more


def book(good: dict[str, str] | None = None, **texts: str) -> Book:
    files = {f"{name.replace('_', '-')}.yml": text for name, text in {"topics": TOPICS, **texts}.items()}
    return read_book(files, AROUND, good)


def told(book: Book) -> list[str]:
    return [str(mistake) for mistake in book.mistakes]


def test_the_book_that_is_shipped_has_no_mistake() -> None:
    shipped = read_book(read_folder(folder_of(RulesOptions())))
    assert told(shipped) == []
    assert shipped.policy.topics and shipped.policy.caps and shipped.policy.quiet and shipped.names.vocabulary.segments


def test_the_mistakes_of_all_files_are_told_together_and_the_right_rules_live() -> None:
    read = book(good_rule=rule("one"), bad=rule("two", "prioritty: 3\n"), worse=rule("three", "labels: {}\n"))
    assert list(read.rules) == ["one"]
    assert [mistake.at.file for mistake in read.mistakes] == ["bad.yml", "worse.yml"]
    assert read.stale == {"bad.yml", "worse.yml"}


def test_a_broken_file_goes_on_with_its_last_good_text() -> None:
    read = book({"a.yml": rule("one", "priority: 80\n")}, a=rule("one", "priority: high\n"), b=rule("two"))
    assert read.rules["one"].priority == 80
    assert told(read) == ['a.yml:7:11: priority: expected a whole number from 0 to 100, got "high".']
    assert read.texts["a.yml"].endswith("priority: 80\n")


def test_a_rule_whose_topic_broke_goes_on() -> None:
    read = book(
        {"a.yml": rule("one")}, a=rule("one"), topics="ofers:\n  title: {fr: O, en: O}\n  wording: {fr: O, en: O}\n"
    )
    assert list(read.rules) == ["one"]
    assert told(read) == ['a.yml:2:8: topic: expected a topic of topics.yml, got "offers". Hint: did you mean "ofers"?']


def test_a_broken_house_file_goes_on_with_its_last_good_text() -> None:
    read = book({"topics.yml": TOPICS}, a=rule("one"), topics=TOPICS + "    nonsense\n")
    assert list(read.policy.topics) == ["offers"] and list(read.rules) == ["one"]
    assert [mistake.at.file for mistake in read.mistakes] == ["topics.yml"]


def test_two_files_with_one_rule_are_a_mistake_of_the_second() -> None:
    assert told(book(a=rule("one"), b=rule("one"))) == [
        'b.yml:1:1: rule: expected each rule once, got "one", which a.yml has. Hint: give this one another name'
    ]


def test_rules_may_start_those_that_are_broken_now_but_not_those_that_are_none() -> None:
    read = book(a=rule("one", "  - start: two\n"), b=rule("two", "x: 1\n"), c=rule("three", "  - start: four\n"))
    assert told(read)[1:] == [
        'c.yml:7:12: start: expected a rule of the book, got "four". Hint: known: one, three, two'
    ]


def test_segments_name_one_another_and_a_circle_is_told() -> None:
    fine = book(segments='vip: contact.ltv > 500\nbest: [segment("vip"), contact.points > 9]\n')
    assert told(fine) == []
    assert fine.names.vocabulary.segments["best"] == '(segment("vip")) and (contact.points > 9)'
    circle = book(segments='a: segment("b")\nb: segment("a")\n')
    assert circle.mistakes and all(mistake.at.file == "segments.yml" for mistake in circle.mistakes)


def test_a_segment_asks_about_no_event_and_no_conversation() -> None:
    read = book(segments="a: event.total > 5\nb: conversation.open\n")
    assert [mistake.at.line for mistake in read.mistakes] == [1, 2]


def test_pressure_is_read_into_caps() -> None:
    text = """\
at most: [3 per 7d, 2 per week below priority 80]
grace: 4h
channels: {sms: {at most: 1 per day}}
labels: {promo: {at most: 2 per 30d, grace: 1d}}
quiet hours: [21:00-08:00, sun 08:00-12:00]
control: 5%
"""
    policy = book(pressure=text).policy
    assert policy.caps == (
        Cap(3, timedelta(days=7)),
        Cap(2, "week", below=80),
        grace(timedelta(hours=4)),
        Cap(1, "day", "channel", "sms"),
        Cap(2, timedelta(days=30), "label", "promo"),
        grace(timedelta(days=1), "label", "promo"),
    )
    assert [type(spell) for spell in policy.quiet] == [Hours, Hours] and policy.quiet[1].days == {6}
    assert policy.control == 0.05


def test_a_cap_over_more_than_the_ledger_remembers_is_refused() -> None:
    assert "at most 90d" in told(book(pressure="at most: 3 per 365d\n"))[0]


def test_an_attribute_that_the_vocabulary_lacks_is_a_mistake_and_events_of_the_server_are_known() -> None:
    words = "attributes:\n  country: {kind: text}\nevents:\n  order.paid: {properties: {total: number}}\n"
    read = book(
        vocabulary=words,
        a=rule("one", 'for: contact.contry == "FR"\n'),
        b=rule("two").replace("order.paid", "order.payd"),
        c=rule("three").replace("order.paid", "conversation.resolved"),
        d=rule("four", "goal: {event: order.paid, within: 3d, value: event.totl}\n"),
    )
    assert [(mistake.at.file, mistake.hint) for mistake in read.mistakes] == [
        ("a.yml", 'did you mean "country"?'),
        ("b.yml", 'did you mean "order.paid"?'),
        ("d.yml", 'did you mean "total"?'),
    ]
    assert list(read.rules) == ["three"]


def test_a_topic_says_both_languages() -> None:
    read = book(topics="offers:\n  title: {fr: Offres}\n  wording: {fr: Oui, en: Yes}\n")
    assert told(read) == ['topics.yml:2:10: title: expected the key "en" (a text).']


def test_a_folder_that_is_none_is_told(tmp_path: Path) -> None:
    try:
        read_folder(tmp_path / "none")
    except ValueError as error:
        assert "expected a folder" in str(error)
    else:
        raise AssertionError("a folder that is none was read")


def test_what_did_not_change_is_the_same_rule_and_what_did_is_read_anew() -> None:
    texts = {"topics.yml": TOPICS, "a.yml": rule("one"), "b.yml": rule("two"), "c.yml": rule("three", "x: 1\n")}
    before = read_book(texts, AROUND)
    again = read_book({**texts, "b.yml": rule("two", "priority: 3\n"), "d.yml": rule("four")}, AROUND, before=before)
    assert again.rules["one"] is before.rules["one"]
    assert (again.rules["two"].priority, list(again.rules)) == (3, ["one", "two", "four"])
    assert told(again) == told(before)


def test_a_file_that_did_not_change_is_read_anew_when_what_it_names_did() -> None:
    texts = {"topics.yml": TOPICS, "a.yml": rule("one", "  - start: two\n"), "b.yml": rule("two")}
    before = read_book(texts, AROUND)
    gone = read_book({"topics.yml": TOPICS, "a.yml": texts["a.yml"]}, AROUND, before=before)
    assert [mistake.at.line for mistake in gone.mistakes] == [7]
    renamed = read_book({**texts, "topics.yml": TOPICS.replace("offers", "news")}, AROUND, before=before)
    assert len(renamed.mistakes) == 2


TEMPLATE = "fr:\n  text: Bonjour {{ contact.first_name }}\n"
SENDS = """\
rule: hello
state: draft
when: {event: order.paid}
steps:
  - send: {channel: sms, template: hello}
"""


def test_templates_stand_in_a_folder_of_their_own_and_rules_name_those_that_exist() -> None:
    book = read_book({"hello.yml": SENDS, "templates/hello.yml": TEMPLATE})
    assert list(book.templates) == ["hello"] and book.mistakes == ()
    missing = read_book(
        {"hello.yml": SENDS.replace("template: hello", "template: helo"), "templates/hello.yml": TEMPLATE}
    )
    (mistake,) = missing.mistakes
    assert "helo" in str(mistake) and "hello" in str(mistake)


def test_a_broken_template_is_told_and_its_last_good_text_goes_on() -> None:
    broken = {"hello.yml": SENDS, "templates/hello.yml": TEMPLATE.replace("first_name", "__class__")}
    book = read_book(broken, good={"templates/hello.yml": TEMPLATE})
    assert [mistake.at.file for mistake in book.mistakes] == ["templates/hello.yml"]
    assert book.templates["hello"].source == TEMPLATE
    assert list(book.rules) == ["hello"]
