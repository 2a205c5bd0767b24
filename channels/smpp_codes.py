"""What an SMSC's refusal of a submit_sm means for us (SMPP 3.4, 5.1.3). A refusal proves that it did not take it."""

from channels.channel import Failed, Later

THROTTLED = 0x58
_LATER = {
    THROTTLED: Later(2.0, "throttled"),
    0x14: Later(10.0, "its queue is full"),
    0x04: Later(5.0, "not bound"),
    0x08: Later(30.0, "system error"),
    0x64: Later(30.0, "temporary trouble"),
    0xFF: Later(30.0, "unknown error"),
}
_FAILED = {
    0x0B: Failed("dead", "no such destination"),
    0x65: Failed("dead", "permanently refused"),
    0x0A: Failed("config", "the sender is not allowed"),
    0x0D: Failed("config", "bind failed"),
    0x0E: Failed("config", "wrong password"),
    0x0F: Failed("config", "wrong system id"),
    0x45: Failed("config", "submit refused; the operator knows why"),
    0x01: Failed("content", "wrong message length"),
    0x02: Failed("content", "wrong command length"),
    0x43: Failed("content", "wrong esm class"),
    0x66: Failed("content", "rejected"),
}


def refusal(status: int) -> Failed | Later:
    """Return what to do after this status. An operator's own codes (0x400 and up) need a person to look them up."""
    known = _LATER.get(status) or _FAILED.get(status) or Failed("config", "look it up in the operator's table")
    if isinstance(known, Later):
        return Later(known.seconds, f"smpp 0x{status:02x}: {known.detail}")
    return Failed(known.reason, f"smpp 0x{status:02x}: {known.detail}")
