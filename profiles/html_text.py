"""What does an HTML body say in plain text? For the text part of an e-mail, and for channels that show no markup. Pure."""

import re
from html.parser import HTMLParser


def text_of(html: str) -> str:
    """Return the plain text of an HTML body."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    lines = (line.strip() for line in "".join(reader.said).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


class _Reader(HTMLParser):
    """Reads what an HTML body says: its text, with the addresses of its links, without markup, styles and scripts."""

    _BREAKS = frozenset({"p", "br", "div", "tr", "li", "h1", "h2", "h3", "table", "ul", "ol"})

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []
        self._silent = 0
        self._link = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in ("style", "script", "head")
        if tag in self._BREAKS:
            self.said.append("\n- " if tag == "li" else "\n")
        if tag == "a":
            self._link = next((value or "" for name, value in attrs if name == "href"), "")
        if tag == "img":
            self.said.append(next((value or "" for name, value in attrs if name == "alt"), ""))

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in ("style", "script", "head") and self._silent > 0
        if tag == "a" and self._link:
            self.said.append(f" ({self._link})")
            self._link = ""
        if tag in ("p", "h1", "h2", "h3"):
            self.said.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.said.append(re.sub(r"\s+", " ", data))
