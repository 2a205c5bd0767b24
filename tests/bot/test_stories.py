"""Stories are remembered exactly: joined at checkpoints, blind to what only rules do, as long as the conversation may be."""

from statistics import median
from time import process_time

import pytest

from bot.brain import Brain, Heard, Known, finish
from profiles.findings import ContentErrors
from tests.bot.conftest import START

DOMAIN = """
intents: [greet, buy, yes, no, ask, choose]
entities: [thing]
slots:
  thing: {type: categorical, values: [book, game], mappings: [{type: from_entity, entity: thing}]}
responses:
  utter_greet: [{text: Hello}]
  utter_which: [{text: Which}]
  utter_book: [{text: A book}]
  utter_game: [{text: A game}]
  utter_paid: [{text: Paid}]
  utter_pity: [{text: A pity}]
  utter_answer: [{text: An answer}]
  utter_default: [{text: Lost}]
"""
RULES = """
rules:
- rule: ask
  steps: [{intent: ask}, {action: utter_answer}]
"""
STORIES = """
stories:
- story: begin
  steps:
  - intent: greet
  - action: utter_greet
  - intent: buy
  - action: utter_which
  - checkpoint: which
- story: book
  steps:
  - checkpoint: which
  - intent: choose
    entities: [{thing: book}]
  - slot_was_set: [{thing: book}]
  - action: utter_book
  - checkpoint: chosen
- story: game
  steps:
  - checkpoint: which
  - intent: choose
    entities: [{thing: game}]
  - slot_was_set: [{thing: game}]
  - action: utter_game
  - checkpoint: chosen
- story: pay
  steps:
  - checkpoint: chosen
  - or: [{intent: yes}, {intent: buy}]
  - action: utter_paid
- story: leave
  steps:
  - checkpoint: chosen
  - intent: no
  - action: utter_pity
"""
EXACTLY = "policies: [{name: MemoizationPolicy}, {name: RulePolicy}]"
FORGIVING = "policies: [{name: AugmentedMemoizationPolicy, max_history: 6}, {name: RulePolicy}]"
LEARNED = "policies: [{name: MemoizationPolicy, max_history: 3}, {name: TEDPolicy}, {name: RulePolicy}]"


@pytest.fixture
def begin(write_bot, tell):
    def begin(config=EXACTLY, **files):
        files = {"domain": DOMAIN, "data__rules": RULES, "data__stories": STORIES, **files}
        return tell(Brain.load(write_bot(config=config, handover="after_misunderstandings: 0", **files)))

    return begin


def test_checkpoints_and_or_make_one_way_of_several_stories(begin):
    told = begin() >> "/greet" << "Hello"
    told >> "/buy" << "Which"
    told >> '/choose{"thing": "game"}' << "A game"
    told >> "/buy" << "Paid"


def test_a_slot_decides_which_story_goes_on(begin):
    told = begin() >> "/greet" << "Hello"
    told >> "/buy" << "Which"
    told >> '/choose{"thing": "book"}' << "A book"
    told >> "/no" << "A pity"


def test_what_no_story_tells_is_not_remembered(begin):
    told = begin() >> "/buy" << "Lost"
    told >> "/yes" << "Lost"


def test_a_question_that_only_rules_answer_does_not_disturb_a_story(begin):
    told = begin() >> "/ask" << "An answer"
    told >> "/greet" << "Hello"
    told >> "/ask" << "An answer"
    told >> "/buy" << "Which"


def test_a_hundred_questions_do_not_disturb_a_story_either(begin):
    told = begin() >> "/greet" << "Hello"
    for _ in range(100):
        told >> "/ask" << "An answer"
    told >> "/buy" << "Which"
    assert len(told.memory["tracker"]["trail"]) < 100


def test_after_something_else_only_a_forgiving_memory_goes_on(begin):
    strict = begin() >> "/greet" << "Hello"
    strict >> "/buy" << "Which"
    strict >> '/choose{"thing": "game"}' << "A game"
    strict >> "/no" << "A pity"
    strict >> "/greet" << "Lost"
    forgiving = begin(FORGIVING) >> "/greet" << "Hello"
    for _ in range(30):
        forgiving >> "/buy" << "Which"
        forgiving >> '/choose{"thing": "game"}' << "A game"
        forgiving >> "/no" << "A pity"
        forgiving >> "/greet" << "Hello"


def test_two_stories_that_disagree_say_nothing(begin):
    stories = "stories:\n" + "".join(
        f"- story: {name}\n  steps: [{{intent: yes}}, {{action: {name}}}]\n" for name in ("utter_paid", "utter_pity")
    )
    begin(data__stories=stories) >> "/yes" << "Lost"


def test_a_ring_of_checkpoints_is_gone_round_once(begin):
    stories = """
stories:
- story: in
  steps: [{intent: greet}, {action: utter_greet}, {checkpoint: round}]
- story: round
  steps: [{checkpoint: round}, {intent: yes}, {action: utter_paid}, {checkpoint: round}]
- story: out
  steps: [{checkpoint: round}, {intent: no}, {action: utter_pity}]
"""
    told = begin(data__stories=stories) >> "/greet" << "Hello"
    told >> "/yes" << "Paid"
    told >> "/no" << "A pity"


def test_a_story_that_contradicts_a_rule_is_refused_with_both_places(begin):
    stories = "stories:\n- story: other\n  steps: [{intent: ask}, {action: utter_pity}]\n"
    with pytest.raises(ContentErrors) as refused:
        begin(data__stories=stories)
    assert "data/stories.yml:2:3" in str(refused.value) and "data/rules.yml:3:3" in str(refused.value)
    assert '"utter_pity" follows, there "utter_answer"' in str(refused.value)


def test_a_bot_written_for_a_learned_policy_follows_the_nearest_story(begin):
    told = begin(LEARNED) >> "/yes" << "Lost"  # no story has a yes after nothing
    told >> "/greet" << "Hello"
    told >> "/no" << "Lost"
    told >> "/buy" << "Which"  # a story has it after a greeting; the no between them was taken back
    exact = begin(LEARNED.replace(", {name: TEDPolicy}", "")) >> "/greet" << "Hello"
    exact >> "/buy" << "Which"


def test_a_slot_named_without_value_counts_as_set_where_rasa_takes_it_so(begin):
    domain = DOMAIN.replace(
        "slots:", "slots:\n  note: {type: text, mappings: [{type: from_intent, intent: ask, value: x}]}"
    )
    rules = (
        "rules:\n- rule: noted\n  condition: [{slot_was_set: [note]}]\n  steps: [{intent: yes}, {action: utter_paid}]\n"
    )
    told = begin(domain=domain, data__rules=RULES.rstrip() + "\n" + rules.removeprefix("rules:\n")) >> "/yes" << "Lost"
    told >> "/ask" << "An answer"
    told >> "/yes" << "Paid"


def test_a_turn_with_stories_costs_the_same_after_five_and_after_five_hundred(begin):
    brain = begin(FORGIVING).brain
    said = ["/greet", "/buy", '/choose{"thing": "book"}', "/yes", "/ask", "/no"]

    def play(memory, number):
        began = process_time()
        turn = finish(brain.turn(memory, Heard(f"m{number}", said[number % 6], "t", START), Known("p", None, {}, "c")))
        return turn.tracker, process_time() - began

    young, old = None, None
    for number in range(6):
        young, _ = play(young, number)
    for number in range(504):
        old, _ = play(old, number)
    early = [play(young, number)[1] for number in range(6, 126)]
    late = [play(old, number)[1] for number in range(6, 126)]
    assert median(late) < 2 * median(early)
    assert median(late) < 0.003
