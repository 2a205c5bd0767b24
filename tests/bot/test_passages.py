"""Documents cut into passages: headings, links, languages, and text without Markdown's marks."""

import time

import pytest

from bot.passages import LONGEST_SAID, Passage, read_passages, said
from profiles.findings import Findings


@pytest.fixture
def passages(tmp_path):
    """Return a function that writes one document and reads it: (its passages, what was wrong)."""

    def read(text: str, name: str = "en/shop.md"):
        path = tmp_path / "kb" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        findings = Findings()
        return read_passages(tmp_path, "fr", findings), [str(error) for error in findings.errors]

    return read


def test_each_heading_with_text_is_a_passage_that_knows_the_headings_above(passages):
    found, errors = passages("# Shop\n\nWelcome.\n\n## Delivery\n### Abroad\nWe ship.\n## Care\nDry flat.\n")
    assert errors == []
    assert [(p.title, p.text) for p in found] == [
        ("Shop", "Welcome."),
        ("Shop > Delivery > Abroad", "We ship."),
        ("Shop > Care", "Dry flat."),
    ]


@pytest.mark.parametrize(
    ("name", "front", "language"),
    [
        ("en/a.md", "", "en"),
        ("a.en.md", "", "en"),
        ("a.md", "", "fr"),
        ("a.md", "---\nlanguage: de\n---\n", "de"),
        ("en/a.md", "---\nlanguage: de\n---\n", "de"),
    ],
)
def test_the_language_is_the_front_matters_or_the_folders_or_the_bots(passages, name, front, language):
    found, _ = passages(f"{front}# A\nText.", name)
    assert [p.language for p in found] == [language]


@pytest.mark.parametrize(
    ("heading", "url"),
    [
        ("# Delivery", "https://shop.example/help"),
        ("# Help\n## Délais, frais & co", "https://shop.example/help#delais-frais-co"),
        ("# Help\n## Delivery {#ship}", "https://shop.example/help#ship"),
    ],
)
def test_a_passage_links_to_its_heading(passages, heading, url):
    found, _ = passages(f"---\nurl: https://shop.example/help\n---\n{heading}\nText.")
    assert [p.url for p in found] == [url]


def test_without_an_address_there_is_no_link(passages):
    found, _ = passages("# A\nText.")
    assert found[0].url is None and found[0].id == "kb/en/shop.md#a"


def test_two_headings_alike_have_two_ids(passages):
    found, _ = passages("# A\n## Price\n1.\n## Price\n2.\n## Price\n3.\n")
    assert [p.id.split("#")[1] for p in found] == ["price", "price_1", "price_2"]


@pytest.mark.parametrize(
    ("markdown", "plain"),
    [
        ("**Free** from *60* euros, `now`", "Free from 60 euros, now"),
        ("See [our page](https://x.example/a_b) soon", "See our page soon"),
        ("![A map](map.png) here", "A map here"),
        ("one\ntwo", "one two"),
        ("* one\n* two", "- one\n- two"),
        ("1. one\n2. two", "1. one\n2. two"),
        ("> said\n> so", "said so"),
        ("one\n\n\n\ntwo", "one\n\ntwo"),
        ("before <!-- a note --> after", "before  after"),
        ("2 * 3 * 4", "2 * 3 * 4"),
        ("snake_case_name", "snake_case_name"),
    ],
)
def test_what_is_said_has_no_marks(passages, markdown, plain):
    found, _ = passages(f"# A\n{markdown}\n")
    assert found[0].text == plain


def test_a_hash_in_a_block_of_code_is_no_heading(passages):
    found, _ = passages("# A\n```\n# not a heading\n```\nafter")
    assert [p.title for p in found] == ["A"] and "# not a heading" in found[0].text


def test_other_words_are_found_by_but_never_said(passages):
    found, _ = passages("# A\n<!-- also: parcel,\n shipping -->\nText.")
    assert found[0].also == "parcel, shipping" and found[0].text == "Text."


@pytest.mark.parametrize(
    ("front", "problem"),
    [
        ("url: javascript:alert(1)", "url: expected https://..., got"),
        ("ulr: https://a.example", 'got "ulr". Hint: did you mean "url"?'),
        ("url: [1, 2]", "url: expected a text"),
        ("- a list", "expected keys in the front matter"),
        ("url: 'open", "expected front matter in YAML"),
    ],
)
def test_wrong_front_matter_is_named_with_its_file(passages, front, problem):
    found, errors = passages(f"---\n{front}\n---\n# A\nText.")
    assert len(errors) == 1 and errors[0].startswith("kb/en/shop.md") and problem in errors[0]
    assert [p.text for p in found] == ["Text."], "the rest of the document can still be read"


def test_a_file_that_is_not_text_is_named(tmp_path):
    (tmp_path / "kb").mkdir()
    (tmp_path / "kb" / "a.md").write_bytes(b"# A\n\xff\xfe\x00")
    findings = Findings()
    assert read_passages(tmp_path, "fr", findings) == ()
    assert "expected UTF-8" in str(findings.errors[0])


def test_a_long_passage_is_cut_after_a_sentence():
    text = "A sentence of some length. " * 40
    short = said(Passage("a", "en", "A", text.strip()))
    assert len(short) <= LONGEST_SAID and short.endswith("length. …")


def test_a_long_passage_without_sentences_is_cut_after_a_word():
    short = said(Passage("a", "en", "A", "word " * 400))
    assert len(short) <= LONGEST_SAID and short.endswith("word …")


@pytest.mark.parametrize("unclosed", ["<!-- also: ", "[", "[a](", "**a ", "`a ``b ~~c", "# a#", "# a   ", "!["])
def test_a_long_document_of_unclosed_marks_is_read_quickly(passages, unclosed):
    began = time.thread_time()
    passages("# A\n" + unclosed * 10_000 + "b\nText.")
    assert time.thread_time() - began < 1


def test_a_comment_that_is_never_closed_is_text_and_one_before_it_is_not(passages):
    found, _ = passages("# A\nText. <!-- also: parcel --> More <!-- also: open")
    assert [(p.text, p.also) for p in found] == [("Text.  More <!-- also: open", "parcel")]
