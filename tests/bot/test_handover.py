"""When the bot gives the conversation to a person."""

import pytest

from bot.brain import ActionResult, Brain, Heard, Known, perform
from tests.bot.conftest import START


@pytest.mark.parametrize("said", ["je veux parler à un conseiller", "un humain svp", "CONSEILLER", "/human"])
def test_a_customer_who_asks_for_a_person_gets_one(story, said):
    told = story(language="fr") >> said << "conseiller"
    reason, _, team = told.turn.handover
    assert (reason, team) == ("asked", None)


def test_asking_for_a_person_works_inside_a_form_and_ends_it(story):
    told = story() >> "I want to return an item" << "number of the order"
    told >> "I want to talk to a human" << "colleague"
    assert told.turn.handover[2] == "returns"
    told >> "what are your hours?" << "9 to 18"  # back with the bot: the old question is not asked again


def test_two_misunderstandings_in_a_row_bring_a_person(story):
    told = story(language="fr") >> "blib blab blob"
    assert told.turn.handover is None
    told.hushed() >> "zouip kraz trump" << "Un conseiller prend le relais"
    assert told.turn.handover[0] == "not_understood"


def test_an_understood_message_between_them_starts_the_count_again(story):
    told = story(language="fr") >> "blib blab blob"
    told.hushed() >> "quels sont vos horaires ?" << "9 h"
    told >> "zouip kraz trump"
    assert told.turn.handover is None


def test_the_summary_says_the_question_what_is_known_and_what_was_asked(story):
    told = story() >> "what are your hours?" << "9 to 18"
    told >> "where is my order 12345678?" << "order 12345678"
    told >> "talk to a human" << "colleague"
    summary = told.turn.handover[1]
    assert summary.startswith("Last message: talk to a human\nQuestion: where is my order 12345678?\n")
    assert "Order number: 12345678" in summary
    assert "Opening hours · Order status" in summary


def test_the_summary_names_things_in_the_language_of_the_conversation(story):
    told = story(language="fr") >> "où est ma commande 12345678 ?" << "commande 12345678"
    told >> "un humain svp" << "conseiller"
    summary = told.turn.handover[1]
    assert "Numéro de commande\u00a0: 12345678" in summary and "Demandes\u00a0: Suivi de commande" in summary
    assert "order_" not in summary


def test_the_summary_says_a_pressed_button_by_its_title(story):
    told = (story() >> "hello").hushed()
    told >> "1" << "order number"
    told >> "talk to a human" << "colleague"
    assert "Question: Track my order" in told.turn.handover[1]


def test_wrong_answers_to_a_form_are_no_misunderstandings(story):
    told = story() >> "where is my order?" << "order number"
    for said in ("abc", "dunno", "xx", "yy zz"):
        told >> said << "can't find an order number" << "order number"
        assert told.turn.handover is None


def test_a_bot_without_handover_file_hands_over_in_its_own_words(write_bot, tell):
    folder = write_bot(
        domain="intents: [greet]\nresponses:\n  utter_hi: [{text: Hi}]",
        data__nlu="nlu:\n- intent: greet\n  examples: |\n    - hello\n    - good morning\n    - hi there",
        data__rules="rules:\n- rule: hi\n  steps: [{intent: greet}, {action: utter_hi}]",
    )
    told = tell(Brain.load(folder)) >> "12 34 56 zz" << "did not understand"
    told >> "qq ww 99" << "A colleague will take over"
    assert told.turn.handover[0] == "not_understood"


def test_handover_after_misunderstandings_can_be_turned_off(write_bot, tell):
    folder = write_bot(
        domain="intents: [greet]\nresponses:\n  utter_hi: [{text: Hi}]",
        data__nlu="nlu:\n- intent: greet\n  examples: |\n    - hello\n    - good morning",
        data__rules="rules:\n- rule: hi\n  steps: [{intent: greet}, {action: utter_hi}]",
        handover="after_misunderstandings: 0",
    )
    told = tell(Brain.load(folder))
    for said in ("12 zz", "34 yy", "56 xx"):
        told >> said << "did not understand"
        assert told.turn.handover is None


async def test_a_bot_that_runs_in_a_circle_stops_after_ten_actions_and_brings_a_person(write_bot):
    folder = write_bot(
        domain="intents: [go]\nactions: [action_round]",
        data__rules="rules:\n- rule: go\n  steps: [{intent: go}, {action: action_round}]",
    )

    class GoesRound:
        called = 0

        async def run(self, call):
            self.called += 1
            return ActionResult(events=({"event": "followup", "name": "action_round"},))

    actions, known = GoesRound(), Known("p1", "en", {}, "c1")
    turn = await perform(Brain.load(folder), None, Heard("m1", "/go", "webchat", START), known, actions)
    assert actions.called == 10
    assert turn.handover is not None and turn.handover[0] == "action"
    assert "colleague" in turn.says[-1].text
