"""Segments: the alphabet, the cuts, the count; judged by smpplib where it does better than we need."""

import pytest
import smpplib.gsm
from hypothesis import given
from hypothesis import strategies as st

from profiles.gsm import PART, SINGLE, alphabet, count, decode_gsm7, segment

GSM = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCXYZÄÖÑÜ§¿abcxyzäöñüà"
TWICE = "\f^{}\\[~]|€"


@pytest.mark.parametrize("char", list(GSM + TWICE))
def test_each_gsm_character_comes_back(char: str) -> None:
    (octets,) = segment(char).parts
    assert alphabet(char) == "gsm7"
    assert len(octets) == (2 if char in TWICE else 1)
    assert decode_gsm7(octets) == char


@pytest.mark.parametrize("char", ["ç", "ê", "`", "’", "🙂", "œ", "á", "\x1b", "\x00", "ש"])
def test_one_foreign_character_makes_the_whole_text_ucs2(char: str) -> None:
    assert alphabet("Bonjour" + char) == "ucs2"


@pytest.mark.parametrize(
    ("text", "segments"),
    [("", 1), ("a" * 160, 1), ("a" * 161, 2), ("a" * 306, 2), ("a" * 307, 3), ("€" * 80, 1), ("€" * 81, 2),
     ("a" * 152 + "€" + "b" * 20, 2), ("ê" * 70, 1), ("ê" * 71, 2), ("ê" * 134, 2), ("ê" * 135, 3),
     ("🙂" * 35, 1), ("🙂" * 36, 2), ("ê" * 66 + "🙂" + "ê" * 3, 2), ("ê" * 670, 10), ("a" * 1530, 10)],
)  # fmt: skip
def test_segments_are_counted_as_the_carrier_counts_them(text: str, segments: int) -> None:
    assert count(text) == segments


@pytest.mark.parametrize(
    ("text", "lengths"),
    [
        ("a" * 152 + "€" + "b" * 20, [152, 22]),
        ("a" * 153 + "€" + "b" * 20, [153, 22]),
        ("ê" * 66 + "🙂" + "ê" * 3, [132, 10]),
        ("ê" * 67 + "🙂" + "ê" * 3, [134, 10]),
    ],
)
def test_what_would_be_cut_apart_goes_to_the_next_part(text: str, lengths: list[int]) -> None:
    assert [len(part) for part in segment(text).parts] == lengths


@given(st.text(alphabet=GSM + TWICE, min_size=140, max_size=900) | st.text(alphabet=GSM + TWICE, max_size=20))
def test_gsm_parts_fit_join_to_the_text_and_never_cut_an_escape(text: str) -> None:
    cut = segment(text)
    assert cut.alphabet == "gsm7"
    assert "".join(decode_gsm7(part) for part in cut.parts) == text
    assert all(len(part) <= (SINGLE if len(cut.parts) == 1 else PART)["gsm7"] for part in cut.parts)


@given((st.text(min_size=60, max_size=400) | st.text(max_size=20)).map(lambda text: text + "ê"))
def test_ucs2_parts_fit_join_to_the_text_and_never_cut_a_surrogate_pair(text: str) -> None:
    cut = segment(text)
    assert cut.alphabet == "ucs2"
    assert "".join(part.decode("utf-16-be") for part in cut.parts) == text
    assert all(len(part) // 2 <= (SINGLE if len(cut.parts) == 1 else PART)["ucs2"] for part in cut.parts)


@given(
    st.text(alphabet=GSM.replace("§", ""), min_size=140, max_size=900)
    | st.text(alphabet="çêa—é", min_size=60, max_size=400).map("ê".__add__)
)
def test_smpplib_cuts_the_same_where_nothing_is_cut_apart(text: str) -> None:
    parts, _, _ = smpplib.gsm.make_parts(text)
    headers = 6 if len(parts) > 1 else 0
    assert [part[headers:] for part in parts] == list(segment(text).parts)


@given(st.binary(max_size=200))
def test_any_octets_decode_to_some_text(octets: bytes) -> None:
    assert len(decode_gsm7(octets)) <= len(octets)


def test_a_lone_surrogate_travels_as_the_replacement_character() -> None:
    assert segment("\ud800").parts == (b"\xff\xfd",)


def test_a_text_past_255_parts_is_refused() -> None:
    with pytest.raises(ValueError, match="256 segments"):
        segment("a" * (153 * 255 + 1))
