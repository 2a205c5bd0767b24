"""The octets of SMPP: ours are read by smpplib, smpplib's are read by us, and noise is refused."""

from contextlib import suppress

import pytest
import smpplib.client
import smpplib.command
import smpplib.consts
import smpplib.smpp
from hypothesis import given
from hypothesis import strategies as st

from channels.smpp_wire import (
    DELIVER_SM,
    HEADER,
    MESSAGE_PAYLOAD,
    SUBMIT_SM,
    UDHI,
    Address,
    Malformed,
    Part,
    ShortMessage,
    bind,
    decode,
    encode,
    header,
    message_id,
    pdu,
    text_of,
    unwrap,
    wrap,
)

ANNA, SHOP = Address(1, 1, "33612345678"), Address(5, 0, "BOUTIQUE")

addresses = st.builds(
    Address,
    st.integers(0, 6),
    st.integers(0, 18),
    st.text(st.characters(min_codepoint=1, max_codepoint=127), max_size=20),
)
messages = st.builds(
    ShortMessage,
    addresses,
    addresses,
    st.binary(max_size=254),
    esm_class=st.integers(0, 255),
    data_coding=st.integers(0, 255),
    registered_delivery=st.integers(0, 255),
    tlvs=st.dictionaries(
        st.integers(0, 0xFFFF).filter(lambda tag: tag != MESSAGE_PAYLOAD), st.binary(max_size=40), max_size=4
    ),
)


@given(messages)
def test_what_is_encoded_decodes_to_itself(message: ShortMessage) -> None:
    assert decode(encode(message)) == message


@given(st.binary(max_size=400))
def test_any_octets_are_a_message_or_malformed(body: bytes) -> None:
    with suppress(Malformed):
        unwrap(decode(body))


@given(messages, st.data())
def test_a_cut_message_is_malformed_or_another_message(message: ShortMessage, data: st.DataObject) -> None:
    body = encode(message)
    with suppress(Malformed):
        decode(body[: data.draw(st.integers(0, len(body) - 1))])


@given(st.binary(min_size=16, max_size=16))
def test_a_header_is_bounded_or_malformed(octets: bytes) -> None:
    try:
        assert 16 <= header(octets).length <= 70_000
    except Malformed:
        length = HEADER.unpack(octets)[0]
        assert length < 16 or length > 70_000


def test_smpplib_reads_our_submit_as_we_mean_it() -> None:
    message = ShortMessage(SHOP, ANNA, wrap(7, 2, 1, b"Bonjour"), UDHI, 0, 1)
    theirs = smpplib.smpp.parse_pdu(
        pdu(SUBMIT_SM, 42, encode(message)), client=smpplib.client.Client("", 0, allow_unknown_opt_params=True)
    )
    assert (theirs.command, theirs.sequence, theirs.status) == ("submit_sm", 42, 0)
    assert (theirs.source_addr_ton, theirs.source_addr_npi, theirs.source_addr) == (5, 0, b"BOUTIQUE")
    assert (theirs.dest_addr_ton, theirs.dest_addr_npi, theirs.destination_addr) == (1, 1, b"33612345678")
    assert (theirs.esm_class, theirs.data_coding, theirs.registered_delivery) == (0x40, 0, 1)
    assert theirs.short_message == b"\x05\x00\x03\x07\x02\x01Bonjour"


def test_smpplib_reads_our_bind_as_we_mean_it() -> None:
    theirs = smpplib.smpp.parse_pdu(
        pdu(9, 1, bind("causerie", "secret", "WWW")), client=smpplib.client.Client("", 0, allow_unknown_opt_params=True)
    )
    assert (theirs.command, theirs.system_id, theirs.password) == ("bind_transceiver", b"causerie", b"secret")
    assert (theirs.system_type, theirs.interface_version) == (b"WWW", 0x34)


@given(st.binary(min_size=1, max_size=200), st.sampled_from([0, 3, 4, 8, 0x40]), st.binary(max_size=30))
def test_we_read_smpplibs_deliver_as_it_means_it(octets: bytes, esm_class: int, id: bytes) -> None:
    client = smpplib.client.Client("", 0, allow_unknown_opt_params=True)
    theirs = smpplib.smpp.make_pdu(
        "deliver_sm", client=client, source_addr_ton=1, source_addr_npi=1, source_addr="33612345678",
        dest_addr_ton=3, dest_addr_npi=0, destination_addr="36180", esm_class=esm_class, data_coding=8,
        short_message=octets,
    )  # fmt: skip
    raw = theirs.generate()
    head = header(raw[:16])
    ours = decode(raw[16:])
    assert (head.command, head.length) == (DELIVER_SM, len(raw))
    assert (ours.source, ours.destination) == (ANNA, Address(3, 0, "36180"))
    assert (ours.octets, ours.esm_class, ours.data_coding) == (octets, esm_class, 8)


def test_a_long_text_may_come_as_message_payload() -> None:
    body = encode(ShortMessage(ANNA, SHOP, b"", tlvs={MESSAGE_PAYLOAD: b"x" * 1000}))
    assert decode(body).octets == b"x" * 1000


@pytest.mark.parametrize("text", ["x" * 21, "é", "a\0b"])
def test_an_address_that_can_not_travel_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        encode(ShortMessage(SHOP, Address(1, 1, text), b""))


def test_a_text_that_can_not_travel_is_refused() -> None:
    with pytest.raises(Malformed):
        encode(ShortMessage(SHOP, ANNA, b"x" * 255))


# -- parts


@pytest.mark.parametrize(
    ("octets", "part", "text"),
    [(b"\x05\x00\x03\xff\x02\x01Bon", Part(255, 2, 1), b"Bon"),
     (b"\x06\x08\x04\x01\x02\x03\x02Bon", Part(258, 3, 2), b"Bon"),
     (b"\x09\x24\x01\x01\x00\x03\x07\x02\x02\x00Bon", Part(7, 2, 2), b"\x00Bon"[1:]),
     (b"\x03\x24\x01\x01Bon", None, b"Bon"),
     (b"\x05\x00\x03\x07\x02\x00Bon", None, b"Bon"), (b"\x05\x00\x03\x07\x02\x03Bon", None, b"Bon"),
     (b"\x05\x00\x03\x07\x01\x01Bon", None, b"Bon"), (b"\x05\x00\xff\x07\x01\x01Bon", None, b"Bon"), (b"\xff", None, b"")],
)  # fmt: skip
def test_a_header_says_which_part_it_is(octets: bytes, part: Part | None, text: bytes) -> None:
    assert unwrap(ShortMessage(ANNA, SHOP, octets, UDHI)) == (part, text)


def test_parts_may_be_numbered_by_tlvs() -> None:
    tlvs = {0x020C: b"\x01\x00", 0x020E: b"\x02", 0x020F: b"\x01"}
    assert unwrap(ShortMessage(ANNA, SHOP, b"Bon", tlvs=tlvs)) == (Part(256, 2, 1), b"Bon")
    assert unwrap(ShortMessage(ANNA, SHOP, b"Bon", tlvs={0x020C: b"\x01"})) == (None, b"Bon")


# -- texts


@pytest.mark.parametrize(
    ("octets", "coding", "text"),
    [(b"\x05t\x05 \x1b\x65", 0, "été €"[:3] + " €"), (b"\x00\xe9\x00t\x00\xe9", 8, "été"), (b"\xe9t\xe9", 3, "été"),
     (b"abc", 1, "abc"), (b"\x05t\x05", 0xF0, "été"), (b"\x00\xe9", 0x18, "é"), (b"\x05", 0x10, "é"), (b"\xe9", 0xF4, "é"),
     (b"\x00", 8, "\ufffd"), (b"\xd8\x3d", 8, "\ufffd"), (b"\xe9", 1, "\ufffd"), (b"\xe9", 2, "é"), (b"\x05", 0xC0, "é")],
)  # fmt: skip
def test_a_text_is_read_in_its_alphabet(octets: bytes, coding: int, text: str) -> None:
    assert text_of(octets, coding) == text


def test_an_smsc_may_call_latin1_its_default() -> None:
    assert text_of("été".encode("latin-1"), 0, default="latin1") == "été"


@given(st.binary(max_size=150), st.integers(0, 255))
def test_any_octets_are_some_text_in_any_alphabet(octets: bytes, coding: int) -> None:
    assert isinstance(text_of(octets, coding), str)


@pytest.mark.parametrize(
    ("body", "id"), [(b"abc-1\0", "abc-1"), (b"", ""), (b"\0", ""), (b"abc", "abc"), (b"x" * 999, "x" * 65)]
)
def test_a_message_id_is_read_to_its_end(body: bytes, id: str) -> None:
    assert message_id(body) == id
