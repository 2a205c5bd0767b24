"""Which language a conversation is held in."""


def test_one_foreign_looking_word_does_not_turn_the_conversation(story):
    told = story() >> "bonjour, quels sont vos horaires ?"
    told.hushed() >> "ok"
    assert told.turn.language == "fr"
    told.hushed() >> "12345 paris"
    assert told.turn.language == "fr"


def test_a_clear_sentence_turns_it_at_once(story):
    told = story() >> "quels sont vos horaires ?" << "lundi"
    told >> "sorry, what are your opening hours please?" << "Monday to Saturday"


def test_the_known_language_is_where_it_starts(story):
    assert (story(language="en") >> "menu").turn.language == "en"
    assert (story(language="fr") >> "menu").turn.language == "fr"


def test_a_language_the_bot_does_not_speak_gives_its_default(story):
    assert (story(language="de") >> "menu").turn.language == "fr"


def test_a_short_word_of_the_other_language_is_still_understood(story):
    told = story(language="fr") >> "bye bye"
    assert told.turn.intent == "goodbye" and told.turn.language in ("fr", "en")


def test_a_bot_of_one_language_always_speaks_it(pizzeria):
    assert (pizzeria() >> "hello there").turn.language == "en"
