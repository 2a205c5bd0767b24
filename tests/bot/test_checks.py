"""Every mistake in a bot's files is found before a customer finds it, all at once, each with its place and a hint."""

# ruff: noqa: E501 (a table reads better with one mistake a line)

import pytest

from bot.brain import Brain, ContentErrors

DOMAIN = """
intents: [greet, order, bye]
entities: [size]
slots:
  size: {type: text, mappings: [{type: from_entity, entity: size}]}
forms:
  order_form: {required_slots: [size]}
responses:
  utter_hi: [{text: Hi}]
  utter_bye: [{text: Bye}]
  utter_ask_size: [{text: Which size?}]
  utter_done: [{text: "Done: {size}"}]
"""
NLU = """
nlu:
- intent: greet
  examples: |
    - hello
    - good day
- intent: order
  examples: |
    - one pizza
- intent: bye
  examples: |
    - see you
"""
RULES = """
rules:
- rule: hi
  steps:
  - intent: greet
  - action: utter_hi
- rule: bye
  steps: [{intent: bye}, {action: utter_bye}]
- rule: order
  steps: [{intent: order}, {action: order_form}, {active_loop: order_form}]
- rule: done
  condition: [{active_loop: order_form}]
  steps: [{action: order_form}, {active_loop: null}, {action: utter_done}]
"""


@pytest.fixture
def errors(write_bot):
    """Return a function: the errors of the small bot with one thing changed, as text."""

    def of(file: str = "", old: str = "", new: str = "", **more: str) -> list[str]:
        files = {"domain": DOMAIN, "data__nlu": NLU, "data__rules": RULES, **more}
        if file:
            assert old in files[file]
            files[file] = files[file].replace(old, new)
        try:
            Brain.load(write_bot(**files))
        except ContentErrors as found:
            return [str(error) for error in found.errors]
        return []

    return of


def test_the_small_bot_itself_is_right(errors):
    assert errors() == []


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        ("data__rules", "utter_hi", "utter_hy", 'data/rules.yml:6:13: unknown action or response; got "utter_hy"'),
        ("data__rules", "active_loop: order_form}]\n-", "active_loop: orders_form}]\n-", 'unknown form; got "orders_form"'),
        ("data__rules", "- intent: greet", "- intnt: greet", 'unknown key; expected one of'),
        ("data__rules", "intent: greet", "intent: greet\n  - slot_was_set: [{sise: x}]", 'unknown slot; got "sise". Hint: did you mean "size"?'),
        ("domain", "type: text", "type: txt", "expected one of text, bool"),
        ("domain", "type: from_entity", "type: from_entitty", "expected type: one of from_entity"),
        ("domain", "  utter_hi: [{text: Hi}]", "  utter_hi: [{text: Hi}\n  x: ]]", "expected YAML, got something unreadable"),
        ("domain", "  utter_bye:", "  utter_hi: [{text: Ho}]\n  utter_bye:", 'expected each key once, got "utter_hi" twice'),
        ("domain", "[{text: Hi}]", "[{text: [Hi, Ho]}]", "utter_hi: text: expected a text, got a list or keys. Hint: one wording each"),
        ("domain", "[{text: Hi}]", "[{<<: Hi}]", "<<: expected the keys of another, such as *name"),
        ("data__nlu", "intent: bye", "intnt: bye", "expected intent, synonym, regex or lookup"),
        ("data__rules", "- rule: bye", "- rule: two\n  steps: [{intent: greet}, {action: utter_hi}, {intent: bye}, {action: utter_bye}]\n- rule: bye", "expected one message of the customer, got 2"),
        ("data__rules", "- rule: bye", "- rule: other hi\n  steps: [{intent: greet}, {action: utter_bye}]\n- rule: bye", "contradicts the rule at data/rules.yml:3:3"),
    ],
)  # fmt: skip
def test_a_mistake_is_found_where_it_was_written(errors, file, old, new, expected):
    found = errors(file, old, new)
    assert any(expected in error for error in found), found


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        ("data__rules", "intent: greet", "intent: gret", 'data/rules.yml:5:13: unknown intent; got "gret". Hint: did you mean "greet"?'),
        ("domain", "required_slots: [size]", "required_slots: [colour]", 'unknown slot; got "colour"'),
        ("domain", "{size}", "{sizes}", 'unknown slot "{sizes}". Hint: did you mean "size"?'),
        ("domain", "[{text: Hi}]", "[{text: Hi, buttons: [{title: A, payload: /ordr}]}]", 'button with unknown intent "ordr". Hint: did you mean "order"?'),
        ("domain", "[{text: Hi}]", "[]", "utter_hi: expected at least one wording"),
        ("domain", "intents:", "intnets:", 'unknown key "intnets"'),
        ("domain", "intents:", "actions: [utter_nothing]\nintents:", '"utter_nothing" has no response'),
        ("data__nlu", "intent: bye", "intent: bey", 'unknown intent; got "bey". Hint: did you mean "bye"?'),
        ("data__nlu", "one pizza", "one [big](sise) pizza", 'unknown entity; got "sise"'),
        ("data__rules", "{active_loop: null}, {action: utter_done}", "{active_loop: order_form}", "no rule says what comes when it is filled"),
        ("data__rules", "- rule: bye", "- rule: none\n- rule: bye", 'expected steps, got none'),
        ("domain", "entity: size", "entity: size, conditions: [{active_loop: other_form, requested_slot: sise}]", 'unknown form; got "other_form"'),
        ("domain", "required_slots: [size]", "required_slots: [size], ignored_intents: [by]", 'unknown intent; got "by"'),
        ("domain", "[{text: Hi}]", "[{text: Hi, condition: [{type: slot, name: sise, value: x}]}, {text: Ho}]", 'condition on unknown slot "sise"'),
        ("data__rules", "intent: greet", "intent: greet\n    entities: [sise]", 'unknown entity; got "sise". Hint: did you mean "size"?'),
        ("data__rules", "- rule: bye", "- rule: said\n  steps: [{intent: greet}, {bot: Hi}]\n- rule: bye", '"said" holds a sentence of the bot, and is not followed'),
        ("domain", "utter_ask_size", "utter_ask_sice", 'order_form: nothing asks for "size". Hint: add a response utter_ask_size'),
        ("domain", "entity: size", "entity: sizzle", 'unknown entity; got "sizzle"'),
        ("data__nlu", "examples:", "exemples:", 'nobody reads the key "exemples". Hint: did you mean "examples"?'),
        ("data__nlu", "examples:", "exemples:", 'expected examples, got none. Hint: lines that begin with -'),
        ("domain", "[{text: Hi}]", "[{txt: Hi}]", 'responses: utter_hi: says nothing; expected text:, got txt.'),
        ("domain", "[{text: Hi}]", "[{text: Hi, metadata: {language: french}}]", 'expected two letters such as fr, got "french"'),
        ("domain", "[{text: Hi}]", "[{text: Hi, buttons: [{title: A, payload: '/order{\"size\": }'}]}]", 'expected values such as {"size": "large"}, got "/order{"size": }"'),
        ("data__rules", "rules:", "stories:\n- story: s\n  steps: [{checkpoint: nowhere}, {intent: greet}, {action: utter_hi}]\nrules:", 'data/rules.yml:4:12: stories: no story leads to the checkpoint "nowhere"'),
        ("data__nlu", "- see you", "- see you\n    - Hello!", 'is an example of bye and, at data/nlu.yml:5'),
    ],
)  # fmt: skip
def test_what_rasa_trains_with_forbids_nothing_but_is_said(write_bot, file, old, new, expected):
    files = {"domain": DOMAIN, "data__nlu": NLU, "data__rules": RULES}
    assert old in files[file]
    files[file] = files[file].replace(old, new)
    notices = [str(notice) for notice in Brain.load(write_bot(**files)).notices]
    assert any(expected in notice for notice in notices), notices


def test_sentences_that_differ_in_their_numbers_are_two(write_bot):
    nlu = NLU.replace("- one pizza", "- 10 pizzas").replace("- see you", "- 12 pizzas")
    assert Brain.load(write_bot(domain=DOMAIN, data__nlu=nlu, data__rules=RULES)).notices == ()


def test_a_rule_that_a_story_may_go_on_from_is_only_noticed(write_bot):
    rules = RULES.replace("- rule: bye\n", "- rule: bye\n  wait_for_user_input: false\n")
    rules += "stories:\n- story: s\n  steps: [{intent: greet}, {action: utter_hi}, {intent: bye}, {action: utter_bye}, {action: utter_hi}]\n"
    config = "policies: [{name: RulePolicy}, {name: MemoizationPolicy}]"
    notices = Brain.load(write_bot(domain=DOMAIN, data__nlu=NLU, data__rules=rules, config=config)).notices
    assert any("stops without listening" in str(notice) for notice in notices)


def test_all_mistakes_are_shown_at_once(errors):
    rules = (
        RULES.replace("active_loop: order_form}]\n-", "active_loop: orders_form}]\n-")
        .replace("utter_bye", "utter_by")
        .replace("utter_done", "utter_dne")
    )
    assert len(errors(data__rules=rules)) >= 3


def test_a_rule_that_never_listens_is_found(errors):
    rules = (
        RULES
        + """
- rule: ping
  wait_for_user_input: false
  steps: [{intent: order, entities: [size]}, {action: utter_hi}]
- rule: pong
  wait_for_user_input: false
  steps: [{action: utter_hi}, {action: utter_bye}]
- rule: pang
  wait_for_user_input: false
  steps: [{action: utter_bye}, {action: utter_hi}]
"""
    )
    found = [error for error in errors(data__rules=rules) if "never listens" in error]
    assert found and "utter_hi > utter_bye > utter_hi" in found[0]


def test_a_rule_that_stops_where_nothing_follows_is_found(errors):
    rules = RULES.replace("- rule: bye\n", "- rule: bye\n  wait_for_user_input: false\n")
    assert any('"bye" stops without listening after utter_bye' in error for error in errors(data__rules=rules))


@pytest.mark.parametrize(
    ("file", "text", "expected"),
    [
        ("validation", "slots:\n  sise: {kind: date}", 'validation.yml:2:3: slots: unknown slot "sise". Hint: did you mean "size"?'),
        ("validation", "slots:\n  size: {kind: dat}", 'kind: expected one of email'),
        ("validation", "slots:\n  size: {pattern: '['}", "pattern: expected a regular expression"),
        ("validation", "slots:\n  size: {pattern: '(a+)+$'}", "pattern: expected a regular expression: some texts keep"),
        ("validation", "slots:\n  size: {error: utter_hii}", 'error: unknown response "utter_hii"'),
        ("validation", "timezone: Paris", "timezone: expected one such as Europe/Paris"),
        ("validation", "slot: {}", "unknown key"),
        ("validation", "country: France", 'validation.yml:1:1: country: expected two capital letters such as FR, got "France".'),
        ("validation", "forms:\n  order_from: {fresh: [size]}", 'unknown form "order_from"'),
        ("profile", "slots:\n  sise: {profile: x}", 'unknown slot "sise"'),
        ("profile", "slots:\n  size: {profil: x}", "expected profile: the attribute's name"),
        ("profile", "slots:\n  size: {profile: x, source: guessed}", "source: expected declared or inferred"),
        ("profile", "events:\n  utter_nope: {name: a.b}", 'unknown action "utter_nope"'),
        ("handover", "intent: humann", 'unknown intent; got "humann"'),
        ("handover", "after_misunderstandings: often", "expected a whole number, got 'often'"),
        ("handover", "say: {askd: utter_hi}", 'say: expected one of asked'),
        ("handover", "teams: {ordr: x}", 'unknown form, flow or intent "ordr"'),
    ],
)  # fmt: skip
def test_mistakes_in_the_files_beside_rasas_are_found(errors, file, text, expected):
    found = errors(**{file: text})
    assert any(expected in error for error in found), found


def test_an_empty_folder_is_no_bot(tmp_path):
    with pytest.raises(ContentErrors, match="expected a bot's folder"):
        Brain.load(tmp_path)


def test_an_intent_that_no_rule_answers_is_said_but_forbids_nothing(write_bot):
    domain = DOMAIN.replace("bye]", "bye, idle]")
    brain = Brain.load(write_bot(domain=domain, data__nlu=NLU, data__rules=RULES))
    assert ["no rule answers" in str(notice) for notice in brain.notices] == [True]


def test_yes_and_no_stay_text_as_in_rasa(write_bot, tell):
    domain = DOMAIN.replace("[{text: Hi}]", "[{text: yes}]")
    tell(Brain.load(write_bot(domain=domain, data__nlu=NLU, data__rules=RULES))) >> "hello" << "yes"


def test_an_alias_that_holds_itself_does_not_hang(errors):
    assert errors(domain=DOMAIN + "session_config: &a\n  x: *a\n") == []


def test_an_action_that_is_a_response_of_questions_and_answers_needs_no_class(write_bot):
    domain = DOMAIN.replace("intents: [", "actions: [utter_faq]\nintents: [faq, ")
    domain += "  utter_faq/size: [{text: Two sizes.}]\n"
    nlu = NLU + "- intent: faq/size\n  examples: [how big are they, which sizes are there]\n"
    rules = RULES + "- rule: faq\n  steps: [{intent: faq}, {action: utter_faq}]\n"
    brain = Brain.load(write_bot(domain=domain, data__nlu=nlu, data__rules=rules))
    assert (brain.notices, brain.has_actions) == ((), False)


def test_an_intent_that_only_the_examples_and_a_rule_know_is_answered_as_by_rasa(write_bot, tell):
    domain = DOMAIN.replace(", bye]", "]")
    brain = Brain.load(write_bot(domain=domain, data__nlu=NLU, data__rules=RULES))
    assert {notice.problem for notice in brain.notices} == {'unknown intent; got "bye".'}
    tell(brain) >> "see you" << "Bye"


def test_a_story_inside_a_form_that_tells_its_slots_contradicts_nothing(write_bot):
    domain = DOMAIN.replace("required_slots: [size]", "required_slots: [size, sauce]").replace(
        "forms:", "  sauce: {type: text, mappings: [{type: from_text}]}\nforms:"
    )
    story = """stories:
- story: whole
  steps:
  - intent: order
  - action: order_form
  - active_loop: order_form
  - slot_was_set: [{requested_slot: size}]
  - intent: bye
  - action: order_form
  - slot_was_set: [{size: big}]
  - slot_was_set: [{requested_slot: sauce}]
  - intent: bye
  - action: order_form
  - slot_was_set: [{sauce: red}]
  - slot_was_set: [{requested_slot: null}]
  - active_loop: null
  - action: utter_done
"""
    assert Brain.load(write_bot(domain=domain, data__nlu=NLU, data__rules=RULES + story))


def test_examples_in_the_format_of_rasa_1_are_said_to_be_passed_over(write_bot):
    folder = write_bot(domain=DOMAIN, data__nlu=NLU, data__rules=RULES)
    (folder / "data" / "old.md").write_text("## intent:greet\n- hello\n", encoding="utf-8")
    (folder / "data" / "README.md").write_text("# Our data\n\nFor people.\n", encoding="utf-8")
    assert [str(notice.at.file) for notice in Brain.load(folder).notices] == ["data/old.md"]


@pytest.mark.parametrize("broken", [DOMAIN.replace("  utter_bye:", "\tutter_bye:"), "- a list\n", DOMAIN + "---\nx: 1"])
def test_a_domain_that_can_not_be_read_makes_no_name_unknown(errors, broken):
    nlu = NLU + "- regex: r\n  examples: |\n    - '[0-9'\n"
    found = errors(domain=broken, data__nlu=nlu, handover="intent: nobody")
    assert [error.split(":")[0] for error in found] == ["domain.yml", "data/nlu.yml"]


def test_rules_without_a_domain_are_told_so_once(write_bot):
    with pytest.raises(ContentErrors) as refused:
        Brain.load(write_bot(data__nlu=NLU, data__rules=RULES))
    assert [str(error) for error in refused.value.errors] == [
        "domain.yml:1:1: expected the domain (intents, responses and so on), got none."
    ]


def test_a_file_that_is_not_utf_8_is_told_with_the_place_of_the_letter(write_bot):
    folder = write_bot(domain=DOMAIN, data__nlu=NLU, data__rules=RULES)
    (folder / "domain.yml").write_bytes(DOMAIN.replace("text: Bye", "text: Adi\u00e9u").encode("latin-1"))
    with pytest.raises(ContentErrors) as refused:
        Brain.load(folder)
    assert [str(error) for error in refused.value.errors] == [
        "domain.yml:10:25: expected UTF-8, got the byte 0xe9. Hint: save it as UTF-8"
    ]


def test_keys_taken_over_from_another_are_read_as_rasa_reads_them(write_bot):
    domain = DOMAIN.replace("[{text: Hi}]", "[&hi {text: Hi, channel: sms}]").replace(
        "[{text: Bye}]", "[{<<: *hi, text: Bye}]"
    )
    brain = Brain.load(write_bot(domain=domain, data__nlu=NLU, data__rules=RULES))
    (bye,) = brain.script.domain.responses["utter_bye"]
    assert (bye.text, bye.channel, brain.notices) == ("Bye", "sms", ())


def test_a_threshold_beyond_one_is_said(write_bot):
    config = "pipeline: [{name: FallbackClassifier, threshold: 30}]"
    brain = Brain.load(write_bot(domain=DOMAIN, data__nlu=NLU, data__rules=RULES, config=config))
    assert "threshold: expected a number from 0 to 1, got 30" in str(brain.notices[0])
