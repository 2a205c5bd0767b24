"""What Duckling says of an amount, a day or a number beside its value, for custom actions that read `additional_info`.

Rasa's bots of note do (`parse_duckling_currency`, `parse_duckling_time`); without it a form never gets its amount. Format:
facebook/duckling's answer as Rasa's DucklingEntityExtractor hands it on. Only the names that Duckling itself gives get it.
"""

from datetime import date, datetime, time, tzinfo
from typing import Any

NAMES = ("amount-of-money", "time", "number")
_UNITS = (("€", "EUR"), ("eur", "EUR"), ("$", "$"), ("dollar", "$"), ("£", "£"), ("pound", "£"))


def additional_info(name: str, value: Any, words: str, zone: tzinfo) -> dict[str, Any]:
    """Return what Duckling adds to an entity of this name with this value; `words`: as it was written."""
    if name == "time":
        instant = datetime.combine(date.fromisoformat(value), time(), zone).isoformat(timespec="milliseconds")
        moment = {"value": instant, "grain": "day", "type": "value"}
        return {**moment, "values": [moment]}
    info = {"value": value, "type": "value"}
    if name == "amount-of-money":
        info["unit"] = next((unit for sign, unit in _UNITS if sign in words.casefold()), "unknown")
    return info
