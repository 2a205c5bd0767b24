"""Receipts: by TLV or by text, with ids in either base."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.smpp_receipt import SmscReceipt, canonical, read_receipt
from channels.smpp_wire import Address, ShortMessage

ANNA, SHOP = Address(1, 1, "33612345678"), Address(3, 0, "36180")
TEXT = "id:{id} sub:001 dlvrd:001 submit date:2611211200 done date:2611211201 stat:{stat} err:{err} text:Bonjour"


def receipt(text: str, **tlvs: bytes) -> ShortMessage:
    return ShortMessage(
        ANNA, SHOP, text.encode("latin-1"), 4, tlvs={int(tag[1:], 16): value for tag, value in tlvs.items()}
    )


@pytest.mark.parametrize(
    ("stat", "err", "state", "reason"),
    [("DELIVRD", "000", "delivered", None), ("delivrd", "000", "delivered", None),
     ("UNDELIV", "012", "failed", "undelivered 012"), ("EXPIRED", "000", "failed", "unreachable"),
     ("REJECTD", "1a", "failed", "rejected 1a"), ("DELETED", "000", "failed", "deleted"),
     ("ENROUTE", "000", None, None), ("ACCEPTD", "000", None, None), ("UNKNOWN", "000", None, None), ("WHAT", "0", None, None)],
)  # fmt: skip
def test_a_text_says_what_became_of_it(stat: str, err: str, state: str | None, reason: str | None) -> None:
    told = read_receipt(receipt(TEXT.format(id="77", stat=stat, err=err)), "same")
    assert told == SmscReceipt("77", state, reason)  # type: ignore[arg-type]


def test_tlvs_count_more_than_the_text() -> None:
    message = receipt(TEXT.format(id="77", stat="UNDELIV", err="012"), x001E=b"abc\0", x0427=b"\x02")
    assert read_receipt(message, "same") == SmscReceipt("abc", "delivered")


def test_the_repeated_text_of_the_message_is_not_believed() -> None:
    message = receipt("id:1 sub:001 text:id:2 stat:REJECTD err:999")
    assert read_receipt(message, "same") == SmscReceipt("1", None)


def test_a_receipt_without_an_id_names_nothing() -> None:
    assert read_receipt(receipt("stat:DELIVRD"), "same") is None
    assert read_receipt(receipt(""), "same") is None


@pytest.mark.parametrize(
    ("ids", "answer", "told"),
    [
        ("same", "0A", "0A"),
        ("hex", "a1", "0000000161"),
        ("decimal", "161", "A1"),
        ("hex", "not a number", "not a number"),
    ],
)
def test_an_answer_and_its_receipt_meet_on_one_id(ids: str, answer: str, told: str) -> None:
    message = receipt(TEXT.format(id=told.replace(" ", "_"), stat="DELIVRD", err="0"))
    found = read_receipt(message, ids)
    assert found and found.id == canonical(answer.replace(" ", "_"), ids)


def test_an_id_by_tlv_is_spelled_as_in_the_answer() -> None:
    message = receipt(TEXT.format(id="161", stat="DELIVRD", err="0"), x001E=b"a1\0")
    found = read_receipt(message, "hex")
    assert found and found.id == canonical("a1", "hex")


@given(st.binary(max_size=200), st.dictionaries(st.sampled_from([0x1E, 0x427]), st.binary(max_size=8)))
def test_noise_is_some_receipt_or_none(octets: bytes, tlvs: dict[int, bytes]) -> None:
    for ids in ("same", "hex", "decimal"):
        read_receipt(ShortMessage(ANNA, SHOP, octets, 4, tlvs=tlvs), ids)
