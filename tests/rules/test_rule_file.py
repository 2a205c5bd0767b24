"""A rule file becomes a rule, or every mistake in it is told where it stands, with what was expected and the nearest name."""

from datetime import date, time
from pathlib import Path

import pytest

from profiles.duration import Duration
from profiles.expression import Vocabulary
from profiles.expression_tree import Kind
from profiles.findings import Findings
from profiles.strict_yaml import read_strictly
from rules.file_reading import MOST_STEPS, Names
from rules.rule import Rule
from rules.rule_file import read_rule, rule_id
from rules.rule_step import If, Parallel, Reaction, Send, SetValue, Stop, Switch, Tag, Wait, WaitUntil, walk
from rules.rule_terms import Window
from rules.rule_trigger import EventMatch, OnEvent
from rules.sentences import sentences

EXAMPLE = Path(__file__).parent / "cart-reminder.yml"
ATTRIBUTES = {
    name: Kind.ANY
    for name in ["country", "csat_last", "ltv", "last_cart_nudge", "tier", "points", "born_on", "ends_on"]
} | {"city": Kind.TEXT}
NAMES = Names(
    Vocabulary(attributes=ATTRIBUTES, segments={"staff": 'contact.tier == "staff"', "vip": "contact.ltv > 500"}),
    channels=frozenset({"push", "webpush", "email", "sms"}),
    topics=frozenset({"offers", "news"}),
    rules=frozenset({"welcome", "cart-reminder"}),
)
SMALL = """\
rule: small
topic: offers
when: {event: order.paid}
steps:
  - send: {channel: sms, template: thanks}
"""


def read(text: str) -> tuple[Rule | None, list[str]]:
    findings = Findings()
    rule = read_rule(text, "r.yml", NAMES, findings)
    return rule, [str(error) for error in findings.errors]


def right(text: str) -> Rule:
    rule, errors = read(text)
    assert errors == []
    assert rule is not None
    return rule


def changed(before: str, after: str) -> str:
    assert before in SMALL
    return SMALL.replace(before, after)


def stepped(steps: str) -> str:
    return SMALL[: SMALL.index("steps:")] + "steps:\n" + steps


def test_the_full_example_of_the_manual_is_read_whole() -> None:
    rule = right(EXAMPLE.read_text(encoding="utf-8"))
    assert isinstance(rule.trigger, OnEvent)
    assert (rule.id, rule.state, rule.kind, rule.priority, rule.labels) == (
        "cart-reminder",
        "live",
        "marketing",
        60,
        ("cart", "promo"),
    )
    assert (rule.valid_from, rule.valid_until) == (date(2026, 11, 1), date(2027, 1, 31))
    assert (rule.entry.at_most, rule.entry.per, rule.entry.grace, rule.entry.holdout) == (
        5,
        Duration(90, "d"),
        Duration(7, "d"),
        0.05,
    )
    assert rule.timing.window == Window(frozenset(range(6)), time(9), time(20))
    assert rule.audience is not None and {"staff"} == rule.audience.needs.segments
    assert [type(exit) for exit in rule.exits] == [EventMatch]
    assert rule.goal is not None and rule.goal.within == Duration(3, "d")
    assert [step.id for step in walk(rule.steps)] == [
        "0", "first", "2", "2.reached.0", "2.otherwise.0", "3", "3.then.0", "3.otherwise.0", "4", "5",
    ]  # fmt: skip
    assert rule.places["first"].line == 31 and rule.places["steps"].line == 29


def test_every_kind_of_step_is_read() -> None:
    rule = right(
        stepped("""\
  - wait: {for: 2d, until: 10:00, on: mon-fri}
  - send: {channel: {all: [push, email]}, template: t, fallback: {unless: opened, within: 4h, channel: sms}, urgency: high}
    id: one
  - wait until: {all: ['replied("one")', {event: order.paid, where: event.total > start.total}], at most: 2d}
  - switch:
      - {if: contact.tier == "gold", then: {tag: {add: gold, remove: [silver]}}}
      - {if: contact.ltv > 5, then: stop}
    else: [{stop: nobody}]
  - parallel:
      - {wait: 1h}
      - [{emit: {event: nudge.shown, properties: {total: start.total * 2}}}, {start: welcome}]
  - add: {contact.points: 10}
  - webhook: {url: "https://example.org/hook", body: {cart: "{{ event.cart_id }}"}}
""")
    )
    wait, send, until, switch, parallel, add, _ = rule.steps
    assert wait == Wait("0", Duration(2, "d"), time(10), frozenset(range(5)))
    assert isinstance(send, Send) and send.mode == "all" and send.channels == ("push", "email")
    assert send.fallback is not None and send.fallback.channels == ("sms",)
    assert isinstance(until, WaitUntil) and until.every and until.signals[0] == Reaction("replied", "one")
    assert isinstance(switch, Switch) and switch.cases[0][1] == (Tag("3.0.then.0", ("gold",), ("silver",)),)
    assert switch.cases[1][1] == (Stop("3.1.then.0"),) and switch.otherwise == (Stop("3.otherwise.0", "nobody"),)
    assert isinstance(parallel, Parallel) and [step.id for way in parallel.branches for step in way] == [
        "4.0.0",
        "4.1.0",
        "4.1.1",
    ]
    assert isinstance(add, SetValue) and list(add.add) == ["points"]


def test_an_audience_of_groups_is_one_condition() -> None:
    rule = right(
        changed(
            "steps:",
            """\
for:
  - contact.country == "FR"
  - any:
      - contact.ltv > 5
      - all: [segment("vip"), contact.points > 1]
  - none: [contact.tier == "a", contact.tier == "b"]
steps:""",
        )
    )
    assert rule.audience is not None
    assert rule.audience.source == (
        '(contact.country == "FR") and ((contact.ltv > 5) or ((segment("vip")) and (contact.points > 1)))'
        ' and (not ((contact.tier == "a") or (contact.tier == "b")))'
    )


def test_every_mistake_of_a_file_is_told_at_once() -> None:
    _, errors = read("rule: Big Rule\ntopik: offers\nclass: promo\npriority: 101\nwhen: {event: a.b}\nsteps: []\n")
    assert [error.split(": ")[0] for error in errors] == [
        "r.yml:2:1",
        "r.yml:1:7",
        "r.yml:3:8",
        "r.yml:4:11",
        "r.yml:6:8",
    ]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (
            changed("topic:", "topci:"),
            "r.yml:2:1: unknown key; expected one of rule, title, about, owner, state, class, topic, labels, priority, "
            'valid, testers, when, for, entry, hold if, exit on, goal, timing, pressure, tracking, on edit, steps; got "topci". '
            'Hint: did you mean "topic"?',
        ),
        (
            changed("topic: offers", "topic: ofers"),
            'r.yml:2:8: topic: expected a topic of topics.yml, got "ofers". Hint: did you mean "offers"?',
        ),
        (changed("topic: offers", "topic:"), "r.yml:2:1: topic: expected a topic of topics.yml, got nothing."),
        (
            changed("rule: small", "about: x"),
            'r.yml:1:1: rule file: expected the key "rule" (small letters, digits and -, at most 60).',
        ),
        (
            changed("rule: small", "rule: Small Rule"),
            'r.yml:1:7: rule: expected small letters, digits and -, at most 60, got "Small Rule". '
            "Hint: rule: cart-reminder",
        ),
        (
            changed("topic:", "state: lve\ntopic:"),
            'r.yml:2:8: state: expected draft, test, live or paused, got "lve". Hint: did you mean "live"?',
        ),
        (
            changed("topic:", "priority: high\ntopic:"),
            'r.yml:2:11: priority: expected a whole number from 0 to 100, got "high".',
        ),
        (
            changed("topic:", "entry: {grace: often}\ntopic:"),
            'r.yml:2:16: grace: expected a length such as 7d, got "often". Hint: grace: 7d',
        ),
        (
            changed("topic:", "entry: {holdout: 5}\ntopic:"),
            'r.yml:2:18: holdout: expected a share such as 5%, got "5". Hint: holdout: 5%',
        ),
        (
            changed("topic:", "timing: {zone: Europe/Pari}\ntopic:"),
            'r.yml:2:16: zone: expected contact or a time zone such as Europe/Paris, got "Europe/Pari". '
            'Hint: did you mean "Europe/Paris"?',
        ),
        (
            changed("topic:", "timing: {window: 9-20}\ntopic:"),
            'r.yml:2:18: window: expected hours such as mon-sat 09:00-20:00, got "9-20". '
            "Hint: window: mon-sat 09:00-20:00",
        ),
        (
            changed("topic:", "valid: {from: 2026-02-30}\ntopic:"),
            'r.yml:2:15: from: expected a date such as 2026-11-30, got "2026-02-30". Hint: from: 2026-11-30',
        ),
        (
            changed("topic:", "valid: {from: 2026-03-02, until: 2026-03-01}\ntopic:"),
            'r.yml:2:34: until: expected 2026-03-02 or later, got "2026-03-01".',
        ),
        (
            changed("topic:", "pressure: {on cap: wait}\ntopic:"),
            "r.yml:2:12: wait at most: expected a length beside on cap: wait, got none. Hint: wait at most: 24h",
        ),
        (
            changed("topic:", "pressure: {urgent: yes}\ntopic:"),
            "r.yml:2:12: urgent: expected in service rules only, got one of class marketing.",
        ),
        (
            changed("topic:", "state: test\ntopic:"),
            "r.yml:2:1: testers: expected at least one in a test rule, got none.",
        ),
        (
            changed("topic: offers", "state: live"),
            "r.yml:2:1: topic: expected one for consent to attach to, got none in a live rule. Hint: topic: offers",
        ),
        (
            changed("{event: order.paid}", "{evnt: order.paid}"),
            "r.yml:3:7: when: expected one of event, schedule, once, date, segment, change, "
            'threshold, conversation, call, got keys (evnt). Hint: did you mean "event"?',
        ),
        (
            changed("{event: order.paid}", "{event: a.b, change: contact.tier}"),
            "r.yml:3:7: when: expected one of event, change, got all of them.",
        ),
        (
            changed("{event: order.paid}", '{schedule: "9 o\'clock"}'),
            'r.yml:3:18: schedule: expected a schedule such as "mon-fri 09:00", "day 1 09:00" '
            'or cron "0 9 * * 1-5", got "9 o\'clock". Hint: schedule: mon-fri 09:00',
        ),
        (
            changed("{event: order.paid}", "{segment: entered vib}"),
            'r.yml:3:17: segment: expected a known segment, got "entered vib". Hint: known: staff, vip',
        ),
        (
            changed("{event: order.paid}", "{date: contact.bron_on at 10:00}"),
            "r.yml:3:14: date: expected a known attribute, "
            'got "contact.bron_on". Hint: did you mean "contact.born_on"?',
        ),
        (
            changed("{event: order.paid}", "{event: a.b, again: parallel}"),
            "r.yml:3:20: again: expected a key that tells runs apart, got none. Hint: key: event.cart_id, or no again",
        ),
        (
            changed("channel: sms", "channel: smss"),
            'r.yml:5:21: channel: expected a channel, or preferred, got "smss". Hint: did you mean "sms"?',
        ),
        (
            changed("channel: sms", "channel: [sms, mail]"),
            'r.yml:5:27: channel: expected a channel, got "mail". Hint: did you mean "email"?',
        ),
        (changed(", template: thanks", ""), 'r.yml:5:11: send: expected the key "template" (a template).'),
        (
            changed("template: thanks", "template: t, winner: {by: goal, after: 200}"),
            "r.yml:5:39: winner: expected two variants or more to choose from.",
        ),
        (
            stepped("  - sned: {}\n"),
            "r.yml:5:5: steps: expected one of send, wait, wait until, if, switch, parallel, set, add, tag, hand over, wallet, "
            'webhook, start, emit, stop, got keys (sned). Hint: did you mean "send"?',
        ),
        (stepped("  - wait: 500d\n"), 'r.yml:5:11: wait: expected at most 400d, got "500d".'),
        (
            stepped("  - wait: {until: 25:00}\n"),
            'r.yml:5:19: until: expected an hour such as 09:00, got "25:00". Hint: until: 09:00',
        ),
        (
            stepped(
                "  - wait until: {any: ['opened(\"frist\")'], at most: 1h}\n  - send: {channel: sms, template: t}\n    id: first\n"
            ),
            'r.yml:5:24: any: expected the id of a send step, got "opened("frist")". Hint: known: first',
        ),
        (
            stepped("  - set: {tier: 1}\n"),
            'r.yml:5:11: set: expected an attribute such as contact.tier, got "tier". Hint: contact.tier',
        ),
        (
            stepped("  - set: {contact.version: 1}\n"),
            'r.yml:5:11: set: expected an attribute such as contact.tier, got "contact.version".',
        ),
        (
            stepped("  - start: small\n"),
            'r.yml:5:12: start: expected a rule of the book, got "small". Hint: known: cart-reminder, welcome',
        ),
        (
            changed("{event: order.paid}", "{change: contact.tir}"),
            'r.yml:3:16: change: expected a known attribute, got "contact.tir". Hint: did you mean "contact.tier"?',
        ),
        (
            changed("{event: order.paid}", "{threshold: contact.pionts falls below 1000}"),
            'r.yml:3:19: threshold: expected a known attribute, got "contact.pionts". Hint: did you mean "contact.points"?',
        ),
        (
            changed("{event: order.paid}", "{threshold: contact.city crosses 1000}"),
            'r.yml:3:19: threshold: expected an attribute that is a number, got "contact.city".',
        ),
        (
            stepped("  - set: {contact.city: 3}\n"),
            'r.yml:5:25: set: expected a text for contact.city, got "3".',
        ),
        (
            stepped("  - set: {contact.points: now, contact.city: contact.points > 3}\n"),
            'r.yml:5:46: set: expected a text for contact.city, got "contact.points > 3".',
        ),
        (
            stepped("  - add: {contact.points: '\"many\"'}\n"),
            'r.yml:5:27: add: expected a number for contact.points, got ""many"".',
        ),
        (
            stepped("  - hand over: {note: '{% for %}'}\n"),
            "r.yml:5:23: note: expected a well-formed template, got Expected an expression, got 'end of statement block'.",
        ),
        (
            SMALL.replace("{event: order.paid}", '{schedule: "0 9 31 2 *"}'),
            'r.yml:3:18: schedule: expected a day that its months have, got "0 9 31 2 *".',
        ),
        (
            stepped("  - set: {contact.points: 1, contact.teir: 2}\n"),
            'r.yml:5:30: set: expected a known attribute, got "contact.teir". Hint: did you mean "contact.tier"?',
        ),
        (
            stepped("  - add: {contact.city: 1, contact.points: 2}\n"),
            'r.yml:5:11: add: expected an attribute that is a number, got "contact.city".',
        ),
        (stepped("  - webhook: {url: ftp://x}\n"), 'r.yml:5:20: url: expected an address https://..., got "ftp://x".'),
    ],
)
def test_a_mistake_is_told_where_it_stands(text: str, error: str) -> None:
    rule, errors = read(text)
    assert rule is None
    assert errors == [error]


@pytest.mark.parametrize(
    ("text", "place", "hint"),
    [
        (changed("steps:", 'for: contact.contry == "FR"\nsteps:'), "r.yml:4:6: for: ", 'did you mean "country"?'),
        (changed("steps:", 'for:\n  - "contact.contry == 1"\nsteps:'), "r.yml:5:6: for: ", 'did you mean "country"?'),
        (changed("steps:", "hold if: conversation.opn\nsteps:"), "r.yml:4:10: hold if: ", 'did you mean "open"?'),
        (
            changed("steps:", 'for: [did("order.paid", within="2d")]\nsteps:'),
            "r.yml:4:10: for: ",
            "a comma ends the text",
        ),
        (changed("{event: order.paid}", "{schedule: 09:00}") + "for: event.total > 5\n", "r.yml:6:6: for: ", ""),
        (changed("{event: order.paid}", "{schedule: 09:00}") + "for: conversation.open\n", "r.yml:6:6: for: ", ""),
        (stepped("  - if: start.total > 5 and and\n    then: stop\n"), "r.yml:5:", ""),
    ],
)
def test_a_mistake_in_a_condition_is_told_at_its_column(text: str, place: str, hint: str) -> None:
    rule, errors = read(text)
    assert rule is None
    assert errors[0].startswith(place) and hint in errors[0]


@pytest.mark.parametrize("verb", ["schedule: 09:00", "once: 2026-12-24 18:00", "date: contact.born_on at 10:00"])
def test_a_rule_that_a_clock_begins_may_ask_about_the_conversation_of_who_is_in_it(verb: str) -> None:
    asking = (
        "hold if: conversation.open\nexit on: conversation.waiting\nsteps:\n  - if: conversation.open\n    then: stop\n"
    )
    rule = right(changed("{event: order.paid}", f"{{{verb}}}").replace("steps:\n", asking))
    assert [hold.source for hold in rule.holds] == ["conversation.open"]


def test_without_a_vocabulary_a_rule_watches_and_writes_any_attribute() -> None:
    findings = Findings()
    text = changed("{event: order.paid}", "{threshold: contact.anything crosses 1}")
    for steps in ("", "  - set: {contact.thing: 1}\n", "  - add: {contact.thing: 1}\n"):
        assert read_rule(text + steps, "r.yml", Names(), findings) is not None, findings.errors


def test_a_rule_of_too_many_steps_is_refused_once() -> None:
    _, errors = read(stepped("  - wait: 1h\n" * (MOST_STEPS + 50)))
    assert [error for error in errors if "at most" in error] == [
        f"r.yml:{5 + MOST_STEPS}:5: steps: expected at most {MOST_STEPS} steps in a rule."
    ]


def test_two_steps_may_not_share_an_id() -> None:
    _, errors = read(stepped("  - {wait: 1h, id: a}\n  - {wait: 1h, id: a}\n"))
    assert errors == ['r.yml:6:20: id: expected each id once, got "a" again. Hint: it stands in line 5 already']


def test_title_and_sentence_are_said_in_the_readers_language() -> None:
    rule = right(f"{SMALL}\ntitle: {{fr: Merci, en: Thanks}}\nabout: {{fr: Dire merci, en: Say thanks}}\n")
    assert (rule.called("fr"), rule.told("fr"), rule.called("de")) == ("Merci", "Dire merci", "Thanks")
    assert right(SMALL).called("fr") == right(SMALL).id and right(SMALL).told("fr") == ""
    assert right(f"{SMALL}\ntitle: Merci\n").called("en") == "Merci"
    assert rule.version == right(SMALL).version
    assert sentences(rule, "fr")[0].startswith("« Merci » (") and sentences(rule, "fr")[1] == "Dire merci"
    _, errors = read(f"{SMALL}\ntitle: {{fr: Merci}}\n")
    assert len(errors) == 1 and 'expected the key "en"' in errors[0]


def test_the_version_stands_for_what_the_rule_does() -> None:
    version = right(SMALL).version
    assert len(version) == 12
    assert right(f"# a remark\n{SMALL}\nabout: Says thanks\nowner: me\nstate: paused\n").version == version
    assert right(changed("sms", "email")).version != version


def test_a_broken_file_still_tells_whose_it_is() -> None:
    assert rule_id(read_strictly(SMALL + "nonsense: 1\n", "", Findings())) == "small"
    assert rule_id(read_strictly("rule: [x\n", "", Findings())) is None


def test_conditions_of_branches_see_what_began_the_run() -> None:
    rule = right(stepped("  - if: start.total > 5\n    then: stop\n    else: stop\n"))
    assert isinstance(rule.steps[0], If) and rule.steps[0].condition.needs.start


def test_what_a_plain_loader_would_turn_into_something_else_stays_what_was_written() -> None:
    rule = right(
        changed("topic:", "labels: [on, NO, 1:30, 2026-11-22, null]\nabout: NO\ntopic:").replace(
            "  - send", "  - wait: {until: 12:30}\n  - send"
        )
    )
    assert rule.labels == ("on", "NO", "1:30", "2026-11-22", "null")
    assert rule.told("fr") == "NO"
    assert rule.steps[0] == Wait("0", at=time(12, 30))


@pytest.mark.parametrize(
    ("audience", "error"),
    [
        ("{}", "r.yml:4:6: for: expected a condition, a list of conditions (and), or keys `all`, `any`, `none` with conditions, "
         "got keys (none)."),
        ("[{none: []}]", "r.yml:4:14: for: expected a condition, a list of conditions (and), or keys `all`, `any`, `none` with "
         "conditions."),
        ("{any: 1 == 1, none: 2 == 2}", "r.yml:4:6: for: expected one of any, none, got all of them. "
         "Hint: write each on a line of its own"),
        ("{anny: 1 == 1}", 'r.yml:4:7: unknown key; expected one of all, any, none; got "anny". Hint: did you mean "any"?'),
    ],
)  # fmt: skip
def test_a_group_of_conditions_that_says_nothing_is_refused(audience: str, error: str) -> None:
    _, errors = read(changed("steps:", f"for: {audience}\nsteps:"))
    assert errors == [error]


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        (changed("{event: order.paid}", "order.paid"), "event: order.paid"),
        (changed("steps:", "exit on: order.paid\nsteps:"), "event: order.paid"),
        (stepped("  - wait 1h\n"), "wait: 1h"),
        (stepped("  - set: {points: 5}\n"), "contact.points"),
        (stepped("  - add: {contact.points: event.total}\n"), 'did you mean "start.total"?'),
        (changed("thanks}", "thanks, variants: {a: 50%, b: 50}}"), "a: 50"),
        (changed("steps:", "timing: {zone: paris}\nsteps:"), 'did you mean "Europe/Paris"?'),
        (changed("steps:", "timing: {zone: Europe/Pari}\nsteps:"), 'did you mean "Europe/Paris"?'),
    ],
)
def test_what_is_nearly_right_is_told_how_it_is_written(text: str, hint: str) -> None:
    _, (error,) = read(text)
    assert error.endswith(f"Hint: {hint}")


def test_a_bare_flag_of_the_contact_still_ends_a_run() -> None:
    assert right(changed("steps:", "exit on: contact.tier\nsteps:")).exits
