"""What Twilio's error codes mean for us: is the address dead, did they refuse, is it our set-up, may we try again?

https://www.twilio.com/docs/api/errors, read 2026-11-21.
"""

from channels.channel import Failed, Later, Sending, Unknown

_AGAIN_SECONDS = 30.0
_UNREACHABLE_SECONDS = 1_800.0  # the phone is off or out of reach: minutes would not change that

_FAILED: dict[int, Failed] = {
    21610: Failed("opted_out", "they replied STOP"),
    **dict.fromkeys((21211, 21214, 21217, 21614, 30005, 30006), Failed("dead", "no phone that could take it")),
    **dict.fromkeys((20003, 20005, 20403, 20404), Failed("config", "account or key refused")),
    21408: Failed("config", "this country is not enabled in the account"),
    **dict.fromkeys((21210, 21212, 21603, 21606, 21612, 21659), Failed("config", "the sender may not send this")),
    21608: Failed("config", "a trial account writes to verified numbers only"),
    21609: Failed("config", "Twilio can not call our status address"),
    **dict.fromkeys((21701, 21703, 21704, 21705), Failed("config", "the messaging service is missing or empty")),
    30002: Failed("config", "the account is suspended"),
    **dict.fromkeys((30032, 30034), Failed("config", "the sender is not registered or verified")),
    **dict.fromkeys((21602, 21604, 21617, 21619, 21620, 21623), Failed("content", "Twilio refuses the text")),
    30004: Failed("opted_out", "blocked by the person or their carrier"),
    30007: Failed("content", "filtered by a carrier"),
}
_LATER: dict[int, Later] = {
    **dict.fromkeys((20429, 21611, 30001, 30022), Later(_AGAIN_SECONDS, "too fast")),
    **dict.fromkeys((20500, 20503, 30008), Later(_AGAIN_SECONDS, "trouble at Twilio or a carrier")),
    30003: Later(_UNREACHABLE_SECONDS, "the phone can not be reached now"),
}


def refusal(status: int, code: int | None, retry_after: float | None) -> Sending:
    """Return what an answer other than success proves. Twilio takes no idempotency key, so doubt stays doubt."""
    detail = f"twilio {code}" if code else f"http {status}"
    if code in _FAILED:
        known = _FAILED[code]
        return Failed(known.reason, f"{detail}: {known.detail}")
    if code in _LATER:
        asked = _LATER[code]
        return Later(retry_after or asked.seconds, f"{detail}: {asked.detail}")
    if status in (429, 503):
        return Later(retry_after or _AGAIN_SECONDS, detail)
    if status >= 500:
        # Twilio's own words (they carry a code) prove that it did not take it; a gateway's page proves nothing
        return Later(_AGAIN_SECONDS, detail) if code else Unknown(detail)
    if status in (401, 403, 404):
        return Failed("config", detail)
    if 400 <= status < 500:
        return Failed("content", detail)
    return Unknown(detail)


def reason(code: int | None) -> str:
    """Return why a message that Twilio had taken did not arrive: one word, and Twilio's code."""
    known = _FAILED.get(code or 0)
    word = known.reason if known else "unreachable" if code == 30003 else "undelivered"
    return f"{word} {code}" if code else word
