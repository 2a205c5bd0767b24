"""SMPP 3.4 on the wire: the octets of each PDU, and what they say. Pure: no sockets, no clock.

Short Message Peer to Peer Protocol Specification v3.4, 12-Oct-1999 (section numbers in the comments are its own).
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from profiles.gsm import decode_gsm7

HEADER = struct.Struct(">IIII")
LARGEST_PDU = 70_000  # a message_payload of 64 kB and its envelope; more is not SMPP but noise

RESPONSE = 0x80000000
GENERIC_NACK = 0x80000000
SUBMIT_SM = 0x00000004
DELIVER_SM = 0x00000005
UNBIND = 0x00000006
BIND_TRANSCEIVER = 0x00000009
OUTBIND = 0x0000000B
ENQUIRE_LINK = 0x00000015
ALERT_NOTIFICATION = 0x00000102

OK = 0x00
INVALID_COMMAND = 0x03
QUEUE_FULL = 0x14
TEMPORARY = 0x64  # ESME_RX_T_APPN: the SMSC keeps it and delivers again
UNKNOWN_ERROR = 0xFF
PERMANENT = 0x65  # ESME_RX_P_APPN: again would not help

UDHI = 0x40  # esm_class: the text begins with a user data header (5.2.12)
_MESSAGE_TYPE = 0x3C
_SAR_REFERENCE, _SAR_TOTAL, _SAR_NUMBER = 0x020C, 0x020E, 0x020F
RECEIPTED_ID, MESSAGE_STATE, MESSAGE_PAYLOAD = 0x001E, 0x0427, 0x0424
_CODECS = {1: "ascii", 3: "latin-1", 5: "shift_jis", 6: "iso8859-5", 7: "iso8859-8", 8: "utf-16-be", 10: "iso2022_jp",
           14: "euc_kr"}  # fmt: skip


class Malformed(ValueError):
    """These octets are not the PDU they claim to be."""


class Header(NamedTuple):
    """The sixteen octets before every body; `length` counts them too."""

    length: int
    command: int
    status: int
    sequence: int


@dataclass(frozen=True, slots=True)
class Address:
    """An address with its type of number and numbering plan (5.2.5, 5.2.6)."""

    ton: int
    npi: int
    text: str

    def encode(self) -> bytes:
        """Return its octets. Raises Malformed when it is no ASCII or longer than 20."""
        if not self.text.isascii() or len(self.text) > 20 or "\0" in self.text:
            raise Malformed(f"an address is at most 20 ASCII characters, got {len(self.text)}")
        return bytes([self.ton, self.npi]) + self.text.encode() + b"\0"


@dataclass(frozen=True, slots=True)
class ShortMessage:
    """The body of a submit_sm or deliver_sm (4.4.1, 4.6.1)."""

    source: Address
    destination: Address
    octets: bytes
    esm_class: int = 0
    data_coding: int = 0
    registered_delivery: int = 0
    tlvs: Mapping[int, bytes] = field(default_factory=dict)

    @property
    def is_receipt(self) -> bool:
        """Whether it tells of a message that we sent, instead of being one from a person."""
        return self.esm_class & _MESSAGE_TYPE in (0x04, 0x08, 0x10, 0x20)


@dataclass(frozen=True, slots=True)
class Part:
    """Which part of a longer message this is."""

    reference: int
    total: int
    number: int


def pdu(command: int, sequence: int, body: bytes = b"", status: int = OK) -> bytes:
    """Return the octets of one PDU."""
    return HEADER.pack(16 + len(body), command, status, sequence) + body


def header(octets: bytes) -> Header:
    """Return what the sixteen octets say. Raises Malformed when no PDU is that long."""
    found = Header(*HEADER.unpack(octets))
    if not 16 <= found.length <= LARGEST_PDU:
        raise Malformed(f"a PDU of {found.length} octets")
    return found


def bind(system_id: str, password: str, system_type: str) -> bytes:
    """Return the body of a bind (4.1.5) for interface version 3.4 and all addresses of the account."""
    return b"".join(text.encode("latin-1") + b"\0" for text in (system_id, password, system_type)) + b"\x34\0\0\0"


def encode(message: ShortMessage) -> bytes:
    """Return the body. Raises Malformed when an address or the text can not be in one."""
    if len(message.octets) > 254:
        raise Malformed(f"a short message of {len(message.octets)} octets")
    tlvs = b"".join(struct.pack(">HH", tag, len(value)) + value for tag, value in message.tlvs.items())
    return b"".join(
        (
            b"\0", message.source.encode(), message.destination.encode(),
            bytes([message.esm_class, 0, 0]), b"\0\0",  # protocol, priority; no schedule, the SMSC's own validity
            bytes([message.registered_delivery, 0, message.data_coding, 0, len(message.octets)]), message.octets, tlvs,
        )
    )  # fmt: skip


def decode(body: bytes) -> ShortMessage:
    """Return the message in the body of a deliver_sm or submit_sm. Raises Malformed."""
    reader = _Reader(body)
    reader.text(6)
    source = Address(reader.octet(), reader.octet(), reader.text(21))
    destination = Address(reader.octet(), reader.octet(), reader.text(21))
    esm_class, _, _ = reader.octet(), reader.octet(), reader.octet()
    reader.text(17), reader.text(17)
    registered, _, coding, _ = reader.octet(), reader.octet(), reader.octet(), reader.octet()
    octets = reader.take(reader.octet())
    tlvs = reader.tlvs()
    return ShortMessage(
        source, destination, octets or tlvs.get(MESSAGE_PAYLOAD, b""), esm_class, coding, registered, tlvs
    )


def message_id(body: bytes) -> str:
    """Return the id in a submit_sm_resp; empty when there is none."""
    return body.split(b"\0", 1)[0].decode("latin-1")[:65]


def unwrap(message: ShortMessage) -> tuple[Part | None, bytes]:
    """Return which part of a longer message this is, if it is one, and the text's octets without their header."""
    octets, part = message.octets, None
    if message.esm_class & UDHI and octets:
        size = octets[0] + 1
        part, octets = _from_udh(octets[1:size]), octets[size:]
    return part or _from_sar(message.tlvs), octets


def wrap(reference: int, total: int, number: int, octets: bytes) -> bytes:
    """Return the octets behind the header that phones join parts by (3GPP TS 23.040, 9.2.3.24.1)."""
    return bytes([5, 0, 3, reference, total, number]) + octets


def text_of(octets: bytes, data_coding: int, *, default: str = "gsm7") -> str:
    """Return the text; what its alphabet does not know becomes U+FFFD. `default` (gsm7, latin1) is what the SMSC calls 0."""
    coding = _alphabet(data_coding)
    if coding == 0:
        return octets.decode("latin-1") if default == "latin1" else decode_gsm7(octets)
    return octets.decode(_CODECS.get(coding, "latin-1"), "replace")


def _alphabet(data_coding: int) -> int:
    """Return the SMPP coding; values from 16 up are GSM's own (3GPP TS 23.038, 4) with the alphabet in two bits."""
    if data_coding < 0x10:
        return data_coding
    bits = data_coding >> 2 & 3 if data_coding < 0x40 else data_coding >> 2 & 1 if data_coding >= 0xF0 else 0
    return (0, 4, 8, 0)[bits]


def _from_udh(elements: bytes) -> Part | None:
    while len(elements) >= 2:
        tag, size = elements[0], elements[1]
        value, elements = elements[2 : 2 + size], elements[2 + size :]
        if tag == 0x00 and len(value) == 3:
            return _part(value[0], value[1], value[2])
        if tag == 0x08 and len(value) == 4:
            return _part(value[0] << 8 | value[1], value[2], value[3])
    return None


def _from_sar(tlvs: Mapping[int, bytes]) -> Part | None:
    if not all(tag in tlvs for tag in (_SAR_REFERENCE, _SAR_TOTAL, _SAR_NUMBER)):
        return None
    return _part(*(int.from_bytes(tlvs[tag]) for tag in (_SAR_REFERENCE, _SAR_TOTAL, _SAR_NUMBER)))


def _part(reference: int, total: int, number: int) -> Part | None:
    return Part(reference, total, number) if 1 <= number <= total <= 255 and total > 1 else None


class _Reader:
    def __init__(self, octets: bytes) -> None:
        self._octets, self._at = octets, 0

    def octet(self) -> int:
        return self.take(1)[0]

    def take(self, count: int) -> bytes:
        taken = self._octets[self._at : self._at + count]
        if len(taken) != count:
            raise Malformed(f"ends at octet {len(self._octets)}, {count - len(taken)} too early")
        self._at += count
        return taken

    def text(self, longest: int) -> str:
        """A C-octet string; SMSCs exceed the lengths of the standard a little, so they may up to twice."""
        end = self._octets.find(b"\0", self._at, self._at + 2 * longest)
        if end < 0:
            raise Malformed(f"a text without an end at octet {self._at}")
        taken, self._at = self._octets[self._at : end], end + 1
        return taken.decode("latin-1")

    def tlvs(self) -> dict[int, bytes]:
        found: dict[int, bytes] = {}
        while self._at < len(self._octets):
            tag, size = struct.unpack(">HH", self.take(4))
            found[tag] = self.take(size)
        return found
