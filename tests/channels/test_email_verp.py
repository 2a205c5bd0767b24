"""The path of a bounce says which mail it speaks of, and nobody else can write one."""

from channels.email_verp import bounce_path, bounced, leaving_address, left_by, token_of

SECRET = b"s" * 32


def test_a_bounce_names_the_mail_that_it_speaks_of() -> None:
    token = token_of(SECRET, "rule:" + "a" * 30)
    path = bounce_path(SECRET, "bounces@shop.example", token)
    assert bounced(SECRET, path) == token
    assert bounced(SECRET, path.upper()) == token
    assert len(path.partition("@")[0]) <= 64


def test_each_message_has_its_own_token_and_always_the_same() -> None:
    assert token_of(SECRET, "a") == token_of(SECRET, "a") != token_of(SECRET, "b") != token_of(b"x" * 32, "b")


def test_what_we_did_not_make_is_not_believed() -> None:
    path = bounce_path(SECRET, "bounces@shop.example", token_of(SECRET, "a"))
    for forged in (
        path.replace("+", "+x"),
        path.replace("@", "x@"),
        "bounces@shop.example",
        "a+b-c@x",
        "é+ü-ö@x",
        "",
        "@",
    ):
        assert bounced(SECRET, forged) is None
    assert bounced(b"x" * 32, path) is None


def test_the_address_for_leaving_is_another_and_neither_passes_for_the_other() -> None:
    token = token_of(SECRET, "a")
    path, leaving = bounce_path(SECRET, "bounces@s.example", token), leaving_address(SECRET, "bounces@s.example", token)
    assert (left_by(SECRET, leaving.upper()), left_by(SECRET, path), bounced(SECRET, leaving)) == (token, None, None)
    assert len(leaving_address(SECRET, "b" * 24 + "@s.example", token).partition("@")[0]) <= 64


def test_without_a_mailbox_for_bounces_there_is_no_path() -> None:
    assert bounce_path(SECRET, "", "t") == ""
