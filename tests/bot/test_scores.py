"""Precision, recall and what is taken for what."""

from bot.scores import as_table, figures_of

PAIRS = [("greet", "greet")] * 3 + [("greet", "bye")] + [("bye", "bye")] * 2 + [("order", "bye")] * 2


def test_the_figures_are_those_of_the_textbook():
    figures = figures_of(PAIRS)
    assert (figures.total, figures.right, figures.accuracy) == (8, 5, 0.625)
    bye, greet, order = figures.scores
    assert (bye.precision, bye.recall, round(bye.f1, 3)) == (0.4, 1.0, 0.571)
    assert (greet.precision, greet.recall) == (1.0, 0.75)
    assert (order.precision, order.recall, order.f1) == (0.0, 0.0, 0.0)


def test_the_commonest_confusion_comes_first():
    assert figures_of(PAIRS).confusions == (("order", "bye", 2), ("greet", "bye", 1))


def test_nothing_asked_is_nothing_wrong():
    assert figures_of([]).accuracy == 1.0 and figures_of([]).scores == ()


def test_the_table_begins_with_what_fares_worst():
    assert [line.split()[0] for line in as_table(figures_of(PAIRS))[1:]] == ["order", "bye", "greet"]


def test_programs_read_the_names_that_rasas_reports_use():
    read = figures_of(PAIRS).as_json()
    assert read["labels"]["greet"] == {"precision": 1.0, "recall": 0.75, "f1-score": 0.8571, "support": 4}
    assert read["confused_with"][0] == {"expected": "order", "predicted": "bye", "count": 2}
