"""Flows in files: every form of writing them is read, every mistake is found at once with its place, nothing breaks."""

# ruff: noqa: E501 (a table reads better with one mistake a line)

import copy
import random
import shutil
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from bot.brain import Brain, ContentErrors, Heard, Known, finish
from tests.bot.conftest import START

BANK = Path(__file__).parent / "bank"
DOMAIN = """
intents: [buy, look, cancel]
slots:
  size: {type: text}
  age: {type: float}
  points: {type: any, mappings: [{type: controlled}]}
forms:
  f: {required_slots: [size]}
responses:
  utter_hi: [{text: Hi}]
  utter_ask_size: [{text: Which size?}]
  utter_ask_age: [{text: How old?}]
"""
NLU = """
nlu:
- intent: buy
  examples: ["I want to buy", "sell me one"]
- intent: look
  examples: ["let me look", "just looking"]
"""
FLOWS = """
flows:
  buy:
    description: Buy
    nlu_trigger: [{intent: buy}, {intent: {name: look, confidence_threshold: 0.5}}]
    steps:
      - collect: size
        next:
          - if: slots.age < 18
            then:
              - action: utter_hi
                next: last
          - else: last
      - id: last
        action: utter_hi
"""


@pytest.fixture
def loaded(write_bot):
    """Return a function: the notices and errors of the small bot with one thing changed."""

    def of(old: str = "", new: str = "", **more: str) -> tuple[list[str], list[str]]:
        files = {"domain": DOMAIN, "data__nlu": NLU, "flows": FLOWS, **more}
        if old:
            assert old in files["flows"]
            files["flows"] = files["flows"].replace(old, new, 1)
        try:
            brain = Brain.load(write_bot(**files))
        except ContentErrors as found:
            return [], [str(error) for error in found.errors]
        return [str(notice) for notice in brain.notices], []

    return of


def test_the_small_flow_itself_is_right(loaded):
    notices, errors = loaded()
    assert errors == []
    assert [notice for notice in notices if "flows.yml" in notice] == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("intent: buy", "intent: bye", 'flows.yml:5:28: unknown intent; got "bye". Hint: did you mean "buy"?'),
        ("collect: size", "collect: sise", 'flows.yml:7:18: flows: buy: unknown slot "sise". Hint: did you mean "size"?'),
        ("action: utter_hi", "action: utter_hy", 'flows.yml:11:25: unknown action or response; got "utter_hy"'),
        ("action: utter_hi", "action: f", "expected a response or action; got the form f"),
        ("action: utter_hi", "call: bye", 'unknown flow; got "bye". Hint: did you mean "buy"?'),
        ("next: last", "next: lost", 'unknown step "lost". Hint: did you mean "last"?'),
        ("- else: last", "- else: lost", 'flows.yml:13:19: flows: buy: unknown step "lost"'),
        ("                next: last\n", "", "flows.yml:11:17: flows: buy: expected next: after this step, got nothing."),
        ("          - else: last\n", "", "expected an else: as the last branch"),
        ("slots.age < 18", "slots.ago < 18", 'condition on unknown slot "ago". Hint: did you mean "age"?'),
        ("slots.age < 18", "size is large", 'condition on unknown slot "large"'),
        ("slots.age < 18", "slots.age <", "if: expected a slot or a value"),
        ("slots.age < 18", "[1]", "if: expected a condition; got [1]"),
        ("then:", "than:", "next: expected if and then; got if, than"),
        ("      - id: last", "      - noop: true\n      - id: last", "expected next: after this step"),
        ("      - id: last", "      - action: utter_hi\n        next: END\n      - id: last", "no way leads to this step"),
        ("      - id: last", "      - id: last\n        noop: true\n        next: END\n      - id: last", 'expected each id once; got "last"'),
        ("      - id: last", "      - colect: size\n      - id: last", "expected a step with one of action, collect"),
        ("      - id: last\n", "      - id: last\n        collect: size\n", "got action and collect"),
        ("        action: utter_hi", "        acton: utter_hi", "expected a step with one of"),
        ("        action: utter_hi", "        link: buy\n        next: END", "link: expected nothing beside it, not even next"),
        ("- collect: size", "- collect: size\n        utter: utter_ask", 'unknown response; got "utter_ask"'),
        ("- collect: size", "- collect: size\n        rejections: [{if: slots.size is null, utter: utter_no}]", 'unknown response; got "utter_no"'),
        ("- collect: size", "- collect: size\n        rejections: [{unless: a}]", "rejections: expected if: and utter:"),
        ("- collect: size", "- collect: size\n        ask_before_filling: maybe", "ask_before_filling: expected true or false"),
        ("- collect: size", "- collect: size\n        asks: x", "unknown key"),
        ("- collect: size", "- collect: points", 'nothing asks for "points". Hint: add a response utter_ask_points'),
        ("- collect: size", "- set_slots: [{sise: 1}]", 'unknown slot "sise"'),
        ("- collect: size", "- set_slots: [x]", "set_slots: expected slots and values"),
        ("description: Buy", "persisted_slots: [age]", 'persisted_slots: no step collects or sets "age"'),
        ("description: Buy", "descripton: Buy", "unknown key"),
        ("description: Buy", "if: slots.nobody", 'condition on unknown slot "nobody"'),
        ("- collect: size", "- collect: size\n        reset_after_flow_ends: false", None),
        ("{intent: buy}", "buy", "nlu_trigger: expected a list of intents"),
        ("  buy:\n", "  -buy:\n", "expected a name of letters"),
        ("        action: utter_hi", "        action: utter_hi\n        next: last", "goes round from this step and never asks anything"),
        ("        action: utter_hi", "        call: buy", "these call each other for ever: buy > buy"),
        ("    steps:\n", "    steps: []\n  other:\n    steps:\n", "flows: buy: expected steps, got none"),
        ("        action: utter_hi", "        link: pattern_cancel_flow", "pattern_cancel_flow is started by the engine alone"),
        ("        action: utter_hi", "        call: more\n  more:\n    steps:\n    - link: buy", "calls more, which ends by a link and never comes back"),
        ("        action: utter_hi", "        link: one\n  one:\n    steps: [{link: two}]\n  two:\n    steps: [{link: one}]", "these link to each other for ever: one > two > one"),
    ],
)  # fmt: skip
def test_a_mistake_is_found_with_its_place(loaded, old, new, expected):
    _, errors = loaded(old, new)
    if expected is None:
        assert errors == []
    else:
        assert any(expected in error for error in errors), errors
        assert all(error.startswith("flows.yml:") for error in errors)


def test_all_mistakes_are_told_together(loaded):
    _, errors = loaded(FLOWS, FLOWS.replace("collect: size", "collect: sise").replace("utter_hi", "utter_hy"))
    assert len(errors) >= 3


def test_a_profiles_read_only_slot_is_not_collected(loaded):
    _, errors = loaded(
        "collect: size", "collect: points", profile="slots: {points: {profile: points, read_only: true}}"
    )
    assert any("only the profile fills points" in error for error in errors)


def test_a_mapping_in_a_flow_that_does_not_exist_is_found(loaded):
    mapping = "mappings: [{type: from_intent, intent: buy, value: M, conditions: [{active_flow: by}]}]"
    _, errors = loaded(domain=DOMAIN.replace("{type: text}", f"{{type: text, {mapping}}}"))
    assert any('unknown flow; got "by". Hint: did you mean "buy"?' in error for error in errors)


def test_two_ways_of_asking_are_one_too_many(loaded):
    _, errors = loaded(domain=DOMAIN + "actions: [action_ask_size]")
    assert any("both action_ask_size and utter_ask_size ask; expected one" in error for error in errors)


def test_persisted_slots_and_the_older_key_exclude_each_other(loaded):
    new = "- collect: size\n        reset_after_flow_ends: false"
    _, errors = loaded("- collect: size", new, flows=FLOWS.replace("description: Buy", "persisted_slots: [size]"))
    assert any("expected persisted_slots or reset_after_flow_ends, got both" in error for error in errors)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("    nlu_trigger: [{intent: buy}, {intent: {name: look, confidence_threshold: 0.5}}]\n", "", "flows: buy: nothing starts it"),
        ("  buy:\n", "  pattern_correction:\n    steps: [{action: utter_hi}]\n  buy:\n", "flows: pattern_correction: never runs here"),
        ("slots.age < 18", "slots.age < 18 and slots.size or slots.age > 3", "`a and b or c` means `a and (b or c)`"),
    ],
)  # fmt: skip
def test_what_does_no_harm_is_only_told(loaded, old, new, expected):
    notices, errors = loaded(old, new)
    assert errors == [] and any(expected in notice for notice in notices)


def test_a_bot_whose_flows_nobody_can_leave_is_told(loaded):
    notices, errors = loaded(domain=DOMAIN.replace(", cancel]", "]"))
    assert errors == [] and any("flows: no intent ends a flow. Hint: add the intent cancel" in one for one in notices)


def test_a_pattern_that_never_runs_here_may_name_what_only_rasa_has(loaded):
    own = "  pattern_search:\n    steps: [{action: action_trigger_search}]\n"
    closing = (
        "  pattern_completed:\n    steps: [{action: utter_can_do_something_else}, {action: action_reset_routing}]\n"
    )
    _, errors = loaded(flows=FLOWS + own + closing)
    assert errors == []


def test_a_rule_for_an_intent_that_a_flow_takes_is_told(loaded):
    notices, _ = loaded(data__rules="rules:\n- rule: r\n  steps: [{intent: buy}, {action: utter_hi}]\n")
    assert any('"r": its intent starts the flow buy, which comes first' in notice for notice in notices)


def test_the_same_flow_in_two_files_is_refused_with_both_places(loaded):
    _, errors = loaded(flows__more=FLOWS)
    assert any('expected each flow once; got "buy" also at flows' in error for error in errors)


def test_nested_steps_and_a_bare_branch_are_followed(write_bot, tell):
    nested = """
flows:
  buy:
    nlu_trigger: [{intent: buy}]
    steps:
      - collect: age
        next:
          - collect: size
            next: decide
      - id: decide
        next:
          - if: "slots.age >= 18 and slots.size = 'L'"
            then:
              - set_slots: {size: XL}
              - action: utter_hi
                next: END
          - else: END
"""
    told = tell(Brain.load(write_bot(domain=DOMAIN, data__nlu=NLU, flows=nested)))
    told >> "/buy" << "How old?"
    told >> "I am 40" << "Which size?"
    told >> "L" << "Hi"
    told >> "/buy" << "How old?"
    told >> "17" << "Which size?"
    told >> "L"
    assert told.turn.actions == ()


def test_a_pattern_in_the_files_takes_the_place_of_ours(write_bot, tell):
    own = (
        FLOWS
        + """
  pattern_completed:
    steps:
      - noop: true
        next:
          - if: context.previous_flow_name = "buy"
            then: [{action: utter_more, next: END}]
          - else: END
  pattern_cancel_flow:
    nlu_trigger: [{intent: look}]
    steps:
      - action: action_cancel_flow
      - action: utter_stopped
  pattern_human_handoff:
    steps: [{action: utter_hi}, {action: action_hand_over}]
  helped:
    nlu_trigger: [{intent: help}]
    steps: [{link: pattern_human_handoff}]
"""
    )
    domain = (
        DOMAIN.replace("cancel]", "cancel, help]")
        + """
  utter_more: [{text: "More of {{ context.previous_flow_name }}?"}]
  utter_stopped: [{text: "Stopped {flow_name}"}]
"""
    )
    flows = own.replace(", {intent: {name: look, confidence_threshold: 0.5}}", "")
    nlu = NLU + "- intent: help\n  examples: ['help me', 'help']\n"
    told = tell(Brain.load(write_bot(domain=domain, data__nlu=nlu, flows=flows)))
    told >> "/buy" << "Which size?"
    told >> "M" << "Hi" << "More of buy?"
    told >> "/buy" << "Which size?"
    told >> "/look" << "Stopped buy" << "More of buy?"
    told >> "/help" << "Hi" << "colleague"
    assert told.turn.handover is not None


def test_a_flow_that_goes_round_brings_a_person_after_ten_actions(write_bot, tell):
    round_ = """
flows:
  buy:
    nlu_trigger: [{intent: buy}]
    steps:
      - id: again
        action: utter_hi
        next:
          - if: slots.size is null
            then: again
          - else: END
  look:
    nlu_trigger: [{intent: look}]
    steps:
      - id: again
        set_slots: [{size: null}]
        next:
          - if: slots.size is null
            then: again
          - else: END
"""
    brain = Brain.load(write_bot(domain=DOMAIN, data__nlu=NLU, flows=round_))
    told = tell(brain) >> "/buy"
    assert told.unread.count("Hi") == 10 and told.turn.handover is not None
    told = tell(brain) >> "/look" << "colleague"
    assert told.turn.handover is not None and "flows" not in told.memory["tracker"]


def test_values_that_must_be_asked_each_time_and_slots_refused_by_the_domain(write_bot, tell):
    domain = (
        DOMAIN.replace(
            "size: {type: text}",
            """size:
    type: text
    validation:
      rejections: [{if: 'not (slots.size matches "^[SML]$")', utter: utter_no_size}]""",
        )
        + """
  utter_no_size: [{text: "No size {size}, {value}"}]
"""
    )
    flows = """
flows:
  buy:
    nlu_trigger: [{intent: buy}]
    persisted_slots: [size]
    steps:
      - collect: size
        ask_before_filling: true
      - action: utter_hi
"""
    told = tell(Brain.load(write_bot(domain=domain, data__nlu=NLU, flows=flows)))
    told >> "/buy" << "Which size?"
    told >> "XXL" << "No size XXL, XXL" << "Which size?"
    told >> "M" << "Hi"
    assert told.slots["size"] == "M"
    told >> "/buy" << "Which size?"


def test_validation_yml_applies_to_what_flows_collect(write_bot, tell):
    flows = FLOWS.replace("collect: size", "collect: mail").replace("slots.age < 18", "slots.age < 18")
    domain = (
        DOMAIN.replace("  age:", "  mail: {type: text}\n  age:")
        + """
  utter_ask_mail: [{text: Your address?}]
  utter_bad_mail: [{text: "{value} is none"}]
"""
    )
    told = tell(
        Brain.load(
            write_bot(
                domain=domain,
                data__nlu=NLU,
                flows=flows,
                validation="slots: {mail: {kind: email, error: utter_bad_mail}}",
                profile="slots: {mail: {profile: email}}",
            )
        )
    )
    told >> "/buy" << "Your address?"
    told >> "rather not" << "rather not is none" << "Your address?"
    told >> "it is Anna@Example.org" << "Hi"
    assert told.turn.learned == (("email", "anna@example.org", "declared"),)
    assert told.slots["mail"] == "anna@example.org"  # the profile's own slots outlive the flow


JUNK = [None, 3, "x", "", [], {}, [1], {"a": 1}, [[]], True, "slots.x <", ["x", {"y": None}], {"if": 1}, "END", "buy"]


@pytest.mark.parametrize("seed", range(60))
def test_junk_in_flows_is_refused_with_places_or_harmless(tmp_path, seed):
    draw = random.Random(seed)
    shutil.copytree(BANK, tmp_path / "bank")
    path = tmp_path / "bank" / "flows.yml"
    written = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    mutilated = copy.deepcopy(written)
    _mutilate(mutilated, draw)
    with path.open("w", encoding="utf-8") as out:
        YAML(typ="safe").dump(mutilated, out)
    try:
        brain = Brain.load(tmp_path / "bank")
    except ContentErrors as refused:
        assert all(".yml:" in str(error) for error in refused.errors)
        return
    memory = None
    for number, said in enumerate(
        ["/transfer_money", "x", "5", "yes", "/check_balance", "/cancel", "/give_feedback", "y"]
    ):
        turn = finish(brain.turn(memory, Heard(f"m{number}", said, "webchat", START), Known("p", None, {}, "c")))
        if turn is None:
            return
        memory = turn.tracker


def _mutilate(value, draw: random.Random) -> None:
    places = []

    def walk(node):
        pairs = node.items() if isinstance(node, dict) else enumerate(node)
        for key, child in pairs:
            places.append((node, key))
            if isinstance(child, dict | list):
                walk(child)

    walk(value)
    for node, key in draw.sample(places, 2):
        node[key] = draw.choice(JUNK)


def test_stories_go_on_as_if_the_flow_between_had_not_been(write_bot, tell):
    stories = """
stories:
- story: s
  steps:
  - intent: greet
  - action: utter_hi
  - intent: bye
  - action: utter_end
"""
    flows = """
flows:
  buy:
    nlu_trigger: [{intent: buy}]
    steps: [{collect: size}, {action: utter_sold}]
"""
    domain = DOMAIN.replace("[buy,", "[greet, bye, buy,") + "  utter_end: [{text: End}]\n  utter_sold: [{text: Sold}]\n"
    config = "policies: [{name: MemoizationPolicy}, {name: RulePolicy}]"
    told = tell(Brain.load(write_bot(domain=domain, data__nlu=NLU, flows=flows, data__s=stories, config=config)))
    told >> "/greet" << "Hi"
    told >> "/buy" << "Which size?"
    told >> "M" << "Sold"
    told >> "/bye" << "End"


def test_a_response_may_depend_on_a_condition_as_flows_write_them(write_bot, tell, loaded):
    wordings = """
  utter_hi:
    - {text: Grown up, condition: slots.age >= 18}
    - {text: Young, condition: "slots.age < 18"}
    - {text: Hi}
"""
    domain = DOMAIN.replace("  utter_hi: [{text: Hi}]\n", "") + wordings
    flows = FLOWS.replace("- collect: size", "- collect: age\n      - collect: size")
    told = tell(Brain.load(write_bot(domain=domain, data__nlu=NLU, flows=flows)))
    told >> "/buy" << "How old?"
    told >> "20" << "Which size?"
    told >> "M" << "Grown up"
    told >> "/buy" << "How old?"
    told >> "12" << "Which size?"
    told >> "M" << "Young" << "Young"
    notices, _ = loaded(domain=domain.replace("slots.age >= 18", "slots.ago >= 18"))
    assert any('utter_hi: condition on unknown slot "ago"' in notice for notice in notices)
    _, errors = loaded(domain=domain.replace("slots.age >= 18", "slots.age >="))
    assert any("condition: expected a slot or a value" in error and "domain.yml:" in error for error in errors)
