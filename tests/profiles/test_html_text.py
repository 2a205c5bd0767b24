"""The text of an HTML body keeps what it says and where it leads."""

import random

import pytest

from profiles import html_text
from profiles.html_text import text_of


def test_links_keep_their_address_and_lists_their_lines() -> None:
    body = (
        '<h1>Bonjour</h1><ul><li>un</li><li>deux</li></ul><p>Voir <a href="https://s.example/a?b=1&amp;c=2">ici</a></p>'
    )
    assert text_of(body) == "Bonjour\n\n- un\n- deux\nVoir ici (https://s.example/a?b=1&c=2)"


def test_styles_scripts_and_the_head_are_not_read() -> None:
    body = "<head><title>x</title></head><style>p{}</style><script>alert(1)</script><p>Bonjour</p>"
    assert text_of(body) == "Bonjour"


def test_a_picture_says_its_alternative() -> None:
    assert text_of('<p><img src="a.png" alt="Un pull bleu"> 20 &euro;</p>') == "Un pull bleu 20 €"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("<h4>Soldes</h4>Bonjour", "Soldes\nBonjour"),
        ("Oui.<blockquote>Le 3, X a écrit :<br>Non</blockquote>Anna", "Oui.\nLe 3, X a écrit :\nNon\nAnna"),
        ("<div>Oui</div> <div>Non</div>Anna", "Oui\nNon\nAnna"),
        ("<div><ul><li>un</li><li>deux</li></ul></div>Fin", "- un\n- deux\nFin"),
        ("<div>Oui</div><p>Non</p></div><div></div>Anna", "Oui\nNon\n\nAnna"),
        ("<table><tr><td>Total</td><td>12 &euro;</td></tr></table>", "Total 12 €"),
    ],
)
def test_no_two_words_are_glued_where_a_block_or_a_cell_ends(body: str, text: str) -> None:
    assert text_of(body) == text


def test_an_ordinary_body_is_read_as_the_parser_reads_it() -> None:
    """The quick way and the parser agree on whatever is put together of these; what is odd is left to the parser."""
    pick, ordinary = random.Random(11), 0  # noqa: S311 (a load, not a secret)
    for _ in range(2_000):
        body = "".join(pick.choices(PIECES, k=pick.randint(1, 9))) + "".join(pick.choices(ODD, k=pick.random() < 0.2))
        quick = html_text._said_plainly(body)
        assert quick is None or "".join(quick) == "".join(html_text._said(body)), body
        ordinary += quick is not None
    assert ordinary > 1_000
    assert html_text._said_plainly(f"{''.join(PIECES)}") is not None


PIECES = (
    "<p>", "</p>", '<P CLASS="a b">', "<br>", "<br/>", "<br />", "<li>", '<table\n border="0">', "<head>", "</head>",
    '<a href="https://s.example/?a=1&amp;b=2">', '<a HREF="/x" href="/y">', "</a>", "<a/>", '<img alt="x"/>', "</div>",
    '<img src="a" alt="Un &quot;pull&quot;">', "Bonjour", " \n ", "&eacute;t&eacute;", "&amp", "&#233;", "a & b",
    "a > b", "\u00a0\u2028", "é", "&notit;", "<td>", "</blockquote>", "<hr>",
)  # fmt: skip
ODD = (
    "<", "<p", "< p>", "<!-- <p> -->", "<!doctype html>", "<style>p > a {}</style>", "<script><p>1</p></script>",
    "<script>1 < 2</script>", "<a href=x>", "</p >", "<p class='a'>", "<title>a<b</title>", '<p a="<">', "</>", "<?x?>",
    "<p/ >", "<textarea><p>", '<a b="c"d="e">', '</p a="b">', "<p\x0b>", "<p\u00a0>", "<h1-x>",
)  # fmt: skip
