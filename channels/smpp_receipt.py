"""What became of a message we submitted, as an SMSC tells it: by TLVs, or by the text that appendix B of SMPP 3.4 suggests."""

import re
from dataclasses import dataclass
from typing import Literal

from channels.smpp_wire import MESSAGE_STATE, RECEIPTED_ID, ShortMessage

State = Literal["delivered", "failed"]

_STATES = {
    1: "ENROUTE",
    2: "DELIVRD",
    3: "EXPIRED",
    4: "DELETED",
    5: "UNDELIV",
    6: "ACCEPTD",
    7: "UNKNOWN",
    8: "REJECTD",
}
_REASONS = {"EXPIRED": "unreachable", "DELETED": "deleted", "UNDELIV": "undelivered", "REJECTD": "rejected"}
_FIELD = re.compile(r"\b(id|stat|err):\s*([^\s]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SmscReceipt:
    """The fate of one segment. `state` is None while it is still on its way, or the SMSC does not know."""

    id: str
    state: State | None
    reason: str | None = None


def read_receipt(message: ShortMessage, ids: str) -> SmscReceipt | None:
    """Return what it says, or None when it names no message. `ids` as in `canonical`."""
    told = _told(message.octets)
    tlv = message.tlvs.get(RECEIPTED_ID, b"").split(b"\0")[0].decode("latin-1")
    id = canonical(tlv, ids) if tlv else canonical(told.get("id", ""), ids, receipt=True)
    if not id:
        return None
    number = message.tlvs.get(MESSAGE_STATE, b"")
    word = _STATES.get(number[0], "UNKNOWN") if len(number) == 1 else told.get("stat", "UNKNOWN").upper()
    if word == "DELIVRD":
        return SmscReceipt(id, "delivered")
    if word in _REASONS:
        code = told.get("err", "000")
        return SmscReceipt(id, "failed", _REASONS[word] if code.strip("0") == "" else f"{_REASONS[word]} {code}"[:60])
    return SmscReceipt(id, None)


def canonical(id: str, ids: str, *, receipt: bool = False) -> str:
    """Return the one spelling of an id that a submit answer and its receipt share.

    `ids`: same (they are spelled alike), hex (the answer says it in hexadecimal, the text of a receipt in decimal) or
    decimal (the other way round). What is no such number stays as it is.
    """
    if ids == "same":
        return id
    base = 16 if (ids == "hex") != receipt else 10
    try:
        return str(int(id, base))
    except ValueError:
        return id


def _told(octets: bytes) -> dict[str, str]:
    """The fields before `text:`, which repeats the message and so is not to be believed."""
    head = re.split(r"\btext:", octets.decode("latin-1"), maxsplit=1, flags=re.IGNORECASE)[0]
    told: dict[str, str] = {}
    for name, value in _FIELD.findall(head):
        told.setdefault(name.lower(), value)
    return told
