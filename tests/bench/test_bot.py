"""The measuring of the bot measures what it says."""

from bench.bot import committed_names
from bench.bot_hearing import calibration_error, folded_names, intents, span_f1
from bench.bot_sets import IntentSet, _marked, public_names, public_sets
from bot.classifier import Ranking
from bot.training import Mark


def _ranked(intent: str, share: float) -> Ranking:
    return Ranking(((intent, share),), False)


def test_the_calibration_error_is_that_of_a_reference():
    ranked = [_ranked("a", 0.95)] * 4 + [_ranked("a", 0.55)] * 4
    assert calibration_error(ranked, ["a"] * 8) == (4 * 0.05 + 4 * 0.45) / 8
    assert abs(calibration_error(ranked, ["a", "a", "b", "b", "a", "b", "b", "b"]) - (4 * 0.45 + 4 * 0.30) / 8) < 1e-9
    assert calibration_error([Ranking((), True)], ["a"]) == 0.0


def test_a_span_counts_only_when_place_entity_and_role_are_right():
    marks = {Mark(0, 4, "city", "from"), Mark(8, 12, "city", "to")}
    assert span_f1([marks], [marks])["f1"] == 100
    assert span_f1([{Mark(0, 4, "city", "to")}], [marks])["f1"] == 0
    assert span_f1([{Mark(0, 4, "city", "from")}], [marks]) == {"f1": 66.7, "precision": 100, "recall": 50}
    assert span_f1([set()], [set()])["f1"] == 0


def test_the_controls_are_worse_than_we_and_better_than_nothing():
    rows = [(f"where is my {thing}", "find") for thing in ("parcel", "order", "coat", "bag")]
    rows += [(f"please stop these {thing}", "stop") for thing in ("mails", "messages", "letters")]
    tried = IntentSet(
        "small", tuple(rows), (("where is the parcel", "find"), ("stop the mails", "stop")), ("how tall is he",)
    )
    figures = intents(tried, "en").figures
    assert figures["accuracy"] == figures["control_overlap"] == 100 and figures["control_majority"] == 50
    assert 0 <= figures["strangers_refused"] <= 100 and figures["train_seconds"] < 5


def test_few_examples_are_drawn_alike_each_time():
    rows = tuple((f"{intent} {number}", intent) for intent in "abc" for number in range(20))
    one, again = IntentSet("x", rows, ()).few(5), IntentSet("x", rows[::-1], ()).few(5)
    assert one.train == again.train and len(one.train) == 15


def test_marks_of_public_sentences_are_read():
    assert _marked("play [ song : Yellow ] by [band: Coldplay]") == (
        "play Yellow by Coldplay",
        (Mark(5, 11, "song"), Mark(15, 23, "band")),
    )


def test_a_folder_without_sets_gives_none(tmp_path):
    assert list(public_sets(tmp_path)) == [] and public_names(tmp_path) is None


def test_public_sets_are_read_as_they_are_published(tmp_path):
    (tmp_path / "banking77").mkdir()
    for part in ("train", "test"):
        (tmp_path / "banking77" / f"{part}.csv").write_text('text,category\n"Where, is it?",card\n')
    home = tmp_path / "hwu64" / "KFold_1"
    for part in ("trainset", "testset/csv"):
        (home / part).mkdir(parents=True)
        (home / part / "play_game.csv").write_text(
            "answerid;scenario;intent;answer_annotation;answer_from_anno;answer_from_user\n"
            '1;play;game;"play [game : chess]";"play chess";"Play chess"\n'
        )
    banking, hwu = public_sets(tmp_path)
    assert banking.train == (("Where, is it?", "card"),) and hwu.test == (("play chess", "play_game"),)
    assert public_names(tmp_path)[0] == [("play chess", (Mark(5, 10, "game"),))]


def test_the_committed_names_are_learned_and_tried():
    figures = folded_names(committed_names("en"))
    assert 60 < figures["f1"] < 100
