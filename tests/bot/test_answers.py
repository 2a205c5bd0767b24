"""Which wording the bot chooses, and how it is filled in."""

import pytest

from bot.brain import Brain

NLU = "nlu:\n- intent: ask\n  examples: |\n    - tell me\n    - say it"
RULES = "rules:\n- rule: a\n  steps: [{intent: ask}, {action: utter_a}]"


@pytest.fixture
def says(write_bot, tell):
    """Return a function: what a bot with these wordings says, on this channel, with these slots, in this language."""

    def of(wordings: str, channel: str = "webchat", language: str | None = None, **slots) -> str:
        declared = "\n".join(f"  {name}: {{type: any, mappings: [{{type: controlled}}]}}" for name in ("a", "b"))
        folder = write_bot(
            domain=f"intents: [ask]\nslots:\n{declared}\nresponses:\n  utter_a:\n{wordings}",
            data__nlu=NLU,
            data__rules=RULES,
            profile="slots:\n  a: {profile: a, read_only: true}\n  b: {profile: b, read_only: true}",
        )
        told = tell(Brain.load(folder), channel=channel, language=language, **slots)
        told.hears("/ask")
        return "|".join(told.unread)

    return of


CHANNELS = """
  - {text: plain}
  - {text: short, channel: sms}
  - {text: for a, condition: [{type: slot, name: a, value: Yes}]}
  - {text: for a by sms, channel: sms, condition: [{type: slot, name: a, value: yes}]}
"""


@pytest.mark.parametrize(
    ("channel", "a", "expected"),
    [
        ("webchat", None, "plain"),
        ("sms", None, "short"),
        ("webchat", "yes", "for a"),
        ("sms", "YES", "for a by sms"),
        ("sms", "no", "short"),
    ],
)
def test_condition_and_channel_before_channel_before_condition_before_plain(says, channel, a, expected):
    assert says(CHANNELS, channel, a=a) == expected


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("x", "is x."),
        (None, "is ."),
        (120.0, "is 120."),
        (1.5, "is 1.5."),
        (True, "is yes."),
        ("2026-12-01", "is Tuesday 1 December 2026."),
        (["x", "y"], "is x, y."),
        ("2026-99-99", "is 2026-99-99."),
    ],
)
def test_a_value_is_said_as_one_says_it(says, value, said):
    assert says('  - {text: "is {a}."}', a=value) == said


def test_what_a_customer_wrote_is_never_a_template(says):
    assert says('  - {text: "{a}"}', a="{b} {{ 7*7 }}", b="secret") == "{b} {{ 7*7 }}"


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ('/inform{{"size": "large"}}', '/inform{"size": "large"}'),
        ('/inform{{"size": "{a}"}}', '/inform{"size": "{b}"}'),
        ('/inform{"size": "large"}', '/inform{"size": "large"}'),
        ('/inform{"size": {"is": "large"}}', '/inform{"size": {"is": "large"}}'),
        ("{{a}} is {a}, {{slots.a}}", "{a} is {b}, {b}"),
        ("{{a}} is {nothing}", "{{a}} is {nothing}"),
    ],
)
def test_a_doubled_brace_is_one_as_in_rasa_and_nothing_is_filled_in_twice(says, written, said):
    assert says(f"  - text: '{written}'", a="{b}", b="secret") == said


def test_a_button_with_doubled_braces_sets_its_value_pressed_or_typed(write_bot, tell):
    folder = write_bot(
        domain="intents: [ask, inform]\nentities: [size]\n"
        "slots: {size: {type: text, mappings: [{type: from_entity, entity: size}]}}\nresponses:\n"
        '  utter_a: [{text: Which?, buttons: [{title: Large, payload: \'/inform{{"size": "large"}}\'}]}]\n'
        "  utter_b: [{text: 'Size {size}'}]",
        data__nlu=NLU,
        data__rules=RULES + "\n- rule: b\n  steps: [{intent: inform}, {action: utter_b}]",
    )
    told = tell(Brain.load(folder)) >> "/ask" << "Which?"
    told >> "large" << "Size large"
    assert told.turn is not None
    first = tell(Brain.load(folder)) >> "/ask" << "Which?"
    (button,) = first.turn.says[0].buttons
    first >> str(button.payload) << "Size large"


def test_no_fitting_wording_says_nothing(says):
    assert says("  - {text: x, channel: sms}") == ""


def test_a_picture_of_the_web_is_an_attachment_and_anything_else_is_not(write_bot, tell):
    folder = write_bot(
        domain="intents: [ask]\nresponses:\n  utter_a:\n  - {text: look, image: 'https://shop.example/a.png'}\n"
        "  utter_b:\n  - {text: look, image: 'file:///etc/passwd'}",
        data__rules="rules:\n- rule: a\n  steps: [{intent: ask}, {action: utter_a}, {action: utter_b}]",
    )
    first, second = tell(Brain.load(folder)).hears("/ask").turn.says
    (attachment,) = first.attachments
    assert second.attachments == ()
    assert (attachment.kind, attachment.name, attachment.remote) == ("image", "a.png", "https://shop.example/a.png")


def test_a_button_may_open_a_page(write_bot, tell):
    folder = write_bot(
        domain="intents: [ask]\nresponses:\n  utter_a:\n  - text: look\n    buttons: [{title: Site, url: 'https://shop.example'}]",
        data__rules=RULES,
    )
    told = tell(Brain.load(folder)).hears("/ask")
    assert told.turn.says[0].buttons[0].url == "https://shop.example"
    assert "offered" not in told.memory  # a page is opened, not answered
