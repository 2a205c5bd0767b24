"""What a channel can not show, said in what it can: long texts in parts, buttons as a numbered list, files by their name.

And back: what a person typed in answer to such a list. Pure; the doors call it on both ways.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache

from channels.channel import Limits
from profiles.record import replace
from profiles.timeline import Attachment, Button, Content

SHORTEST_SLIP = 4  # letters; "oui" and "oie" are two words
LONGEST_TYPED = 200  # characters; nobody types a longer title, and a long text need not be folded to know it

_PARAGRAPH = re.compile(r"\n\s*\n")
_LINE = re.compile(r"\n")
_SENTENCE = re.compile(r"(?<=[.!?…])\s|(?<=[。！？])")
_WORD = re.compile(r"\s")


def degrade(content: Content, limits: Limits) -> list[Content]:
    """Return the parts to send, in order, each within the limits; content that fits comes back as it is, alone.

    Files, place and card go with the first part, buttons with the last. Degrading a part again changes nothing. A mail and a
    notice (push, wallet) stay whole: headline, picture and body have no other form than their channel's own.
    """
    if limits.whole or not limits.threads:
        return [content]
    if not (content.buttons or content.attachments or content.place or content.card):
        return [Content(text=part) for part in split(content.text, limits.text)]
    shown = tuple(button for button in content.buttons if button.title)
    links = () if limits.links else tuple(button for button in shown if button.url)
    keys = tuple(button for button in shown if button not in links)
    native = _fit(keys, limits)
    carried = tuple(file for file in content.attachments if _carries(limits, file))
    text = _lines(
        content.text,
        *(_named(file) for file in content.attachments if file not in carried),
        *(() if limits.attachments else _told(content)),
        numbered(links if native else shown),
    )
    parts = [Content(text=part) for part in split(text, limits.text)] or [Content()]
    parts[0] = replace(parts[0], attachments=carried)
    if limits.attachments:
        parts[0] = replace(parts[0], place=content.place, card=content.card)
    parts[-1] = replace(parts[-1], buttons=keys if native else ())
    return [part for part in parts if part != Content()]


def joined(contents: Sequence[Content], limits: Limits) -> Sequence[Content]:
    """Return what is said at one time in one message, where each goes out whole: nobody wants three mails for one answer."""
    if len(contents) < 2 or not limits.whole or any(one.html or one.place or one.card for one in contents):
        return contents
    text = "\n\n".join(one.text for one in contents if one.text)
    buttons = tuple(button for one in contents for button in one.buttons)
    files = tuple(file for one in contents for file in one.attachments)
    return [replace(contents[0], text=text, buttons=buttons, attachments=files)]


def numbered(buttons: Sequence[Button]) -> str:
    """Return the choices as lines: "1. Oui", "2. Non"; a link is not a choice and shows its address instead of a number."""
    choices = [f"{number}. {button.title}" for number, button in enumerate(_choices(buttons), 1)]
    return "\n".join([*choices, *(f"{button.title}: {button.url}" for button in buttons if button.url)])


def pressed(text: str, buttons: Sequence[Button]) -> Button | None:
    """Return the button that this typed text means: its number in the list ("2", "2.", "n° 2") or its title.

    Case, accents, punctuation and spaces around do not count, nor does one slip in a word of four letters or more; a title
    that two buttons share means neither.
    """
    if len(text) > LONGEST_TYPED:
        return None
    choices = _choices(buttons)
    typed = _folded(text)
    if titled := [button for button in choices if _folded_title(button.title) == typed and typed]:
        return titled[0] if len(titled) == 1 else None
    number = re.fullmatch(r"(?:n ?[°o]? ?)?(\d{1,3})", typed)
    if number and 1 <= int(number[1]) <= len(choices):
        return choices[int(number[1]) - 1]
    near = [button for button in choices if _slipped(typed.split(), _folded(button.title).split())]
    return near[0] if len(near) == 1 else None


def split(text: str, longest: int) -> list[str]:
    """Return the text in parts of at most `longest` UTF-16 units (what providers count; 0: unbounded), none of them blank.

    Cut between paragraphs, else lines, sentences, words; inside a word only when it alone is too long, and then
    not between a letter and its marks.
    """
    rest = text.strip()
    parts: list[str] = []
    while rest:
        if longest <= 0 or (len(rest) <= longest and units(rest) <= longest):
            return [*parts, rest]
        cut = _cut(rest, longest)
        parts.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    return parts


def units(text: str) -> int:
    """Return the length in UTF-16 code units: what Telegram, WhatsApp and browsers call a character."""
    return len(text) if text.isascii() else len(text) + sum(character > "\uffff" for character in text)


def _fit(buttons: Sequence[Button], limits: Limits) -> bool:
    short = all(not limits.title or units(button.title) <= limits.title for button in buttons)
    return len(buttons) <= max(limits.buttons, limits.choices) and short


def _slipped(typed: list[str], title: list[str]) -> bool:
    """Whether each word is the title's, but for one letter added, dropped or replaced, or two swapped."""
    return len(typed) == len(title) and all(map(_is_near, typed, title))


def _is_near(word: str, other: str) -> bool:
    if word == other:
        return True
    if min(len(word), len(other)) < SHORTEST_SLIP or not (word + other).isalpha() or abs(len(word) - len(other)) > 1:
        return False
    same = next(
        (at for at, (one, two) in enumerate(zip(word, other, strict=False)) if one != two), min(len(word), len(other))
    )
    rest, left = word[same:], other[same:]
    if len(rest) != len(left):
        return rest[1:] == left if len(rest) > len(left) else rest == left[1:]
    return rest[1:] == left[1:] or (rest[:2] == left[1::-1] and rest[2:] == left[2:])


def _carries(limits: Limits, file: Attachment) -> bool:
    fits = not limits.attachment_bytes or file.size <= limits.attachment_bytes
    return file.kind in limits.attachments and fits


def _named(file: Attachment) -> str:
    return f"[{file.name or file.kind}]"


def _told(content: Content) -> Iterator[str]:
    """Yield the place and the card in words, for a channel that carries nothing but text."""
    if content.place:
        at = f"{content.place.latitude:.5f},{content.place.longitude:.5f}"
        yield f"https://www.openstreetmap.org/?mlat={at.replace(',', '&mlon=')}"
    if content.card:
        yield " ".join(filter(None, (content.card.name, content.card.phone)))


def _lines(*texts: str) -> str:
    return "\n".join(text for text in texts if text)


def _choices(buttons: Sequence[Button]) -> list[Button]:
    return [button for button in buttons if button.title and not button.url]


def _cut(text: str, longest: int) -> int:
    """Return where to cut a stripped text: as late as a good boundary allows, at least one character from the start."""
    window = _window(text, longest)
    for boundary in (_PARAGRAPH, _LINE, _SENTENCE):
        last = _last(boundary, text, window)
        if last > window // 2:  # an earlier one would leave a short part: rather the next kind of boundary
            return last
    return _last(_WORD, text, window) or _between_clusters(text, window)


def _last(boundary: re.Pattern[str], text: str, window: int) -> int:
    """Return where the last such boundary begins within the window, 0 if there is none."""
    return max((at for found in boundary.finditer(text, 0, window + 1) if (at := found.start()) <= window), default=0)


def _window(text: str, longest: int) -> int:
    """Return how many characters from the start fit, at least one."""
    if text[:longest].isascii():
        return longest
    taken = 0
    for position, character in enumerate(text):
        taken += 2 if character > "\uffff" else 1
        if taken > longest:
            return max(position, 1)
    return len(text)


def _between_clusters(text: str, window: int) -> int:
    """Return the last place up to `window` that does not part what is seen as one character; gives up after 32."""
    for cut in range(window, max(window - 32, 0), -1):
        if not _joined(text, cut):
            return cut
    return window


def _joined(text: str, cut: int) -> bool:
    before, after = text[cut - 1], text[cut : cut + 1]
    if not after:
        return False
    if before == "\u200d" or after == "\u200d":  # zero-width joiner: families, professions
        return True
    if unicodedata.category(after) in ("Mn", "Me", "Mc") or "\U0001f3fb" <= after <= "\U0001f3ff":  # marks, skin tones
        return True
    return _is_flag_half(after) and len(_flag_halves_before(text, cut)) % 2 == 1


def _is_flag_half(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _flag_halves_before(text: str, cut: int) -> str:
    start = cut
    while start and _is_flag_half(text[start - 1]):
        start -= 1
    return text[start:cut]


def _folded(text: str) -> str:
    """Return the text without case, accents and marks, any script's digits as 0-9, nothing but words at its ends."""
    apart = unicodedata.normalize("NFKD", text.replace("º", "°").casefold())
    bare = "".join(character for character in apart if unicodedata.category(character) not in ("Mn", "Me", "Cf"))
    digits = "".join(str(unicodedata.decimal(character, character)) for character in bare)
    return " ".join(re.sub(r"^[^\w+]+|[^\w+]+$", " ", digits).split()) or text.strip()  # a title may be an emoji alone


_folded_title = lru_cache(2_000)(_folded)  # the same few titles are compared with all that people type
