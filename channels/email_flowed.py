"""Paragraphs that a mail program broke into lines, whole again: RFC 3676, `format=flowed`. Pure.

A line that ends in a space goes on in the next one of the same depth of quotes. Nobody reads the sender's column of 72 letters: not
the bot, for which a sentence is one, nor a phone.
"""

_SIGNATURE = "-- "  # it ends in a space and yet goes on nowhere (section 4.3)


def joined(text: str, *, without_space: bool) -> str:
    """Return the text with its paragraphs on one line each, quotes still marked by `>`.

    `without_space` is what DelSp=yes says: the space at a line's end is not part of the words, as in Japanese. A blank line ends a
    paragraph although the standard joins it, for programs that leave a space before one mean it.
    """
    lines, begun = list[str](), list[str]()
    before = 0
    for line in text.split("\n"):
        depth, words = _apart(line)
        if begun and (depth != before or not words or words == _SIGNATURE):
            lines.append(_marked(before, "".join(begun)))
            begun = []
        before = depth
        if words.endswith(" ") and words != _SIGNATURE:
            begun.append(words[:-1] if without_space else words)
            continue
        lines.append(_marked(depth, "".join([*begun, words])))
        begun = []
    return "\n".join([*lines, _marked(before, "".join(begun))] if begun else lines)


def _apart(line: str) -> tuple[int, str]:
    """Return how deep a line is quoted, and its words without the space that was put before them."""
    words = line.lstrip(">")
    return len(line) - len(words), words.removeprefix(" ")


def _marked(depth: int, words: str) -> str:
    """Return a paragraph as mail programs show it; a person's own `>` stays behind a space, for it is no quote."""
    if depth:
        return f"{'>' * depth} {words}"
    return f" {words}" if words.startswith(">") else words
