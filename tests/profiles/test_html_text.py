"""The text of an HTML body keeps what it says and where it leads."""

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
