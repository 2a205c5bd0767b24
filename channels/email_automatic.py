"""Did a machine write this mail? Then no machine of ours answers it, or the two would write to each other for ever. Pure.

RFC 3834 section 2, RFC 2919, RFC 2369; and what programs say that know none of these: Precedence, Microsoft's own header.
"""

import re
from email.message import Message
from typing import Literal

from channels.email_bounces import is_holiday_note
from channels.email_charset import field

By = Literal["person", "machine", "holiday note"]

_LISTS = ("List-Id", "List-Unsubscribe", "List-Post", "X-Mailing-List", "Feedback-ID", "X-Loop")
_PRECEDENCE = frozenset({"bulk", "list", "junk", "auto_reply"})
_SUPPRESSED = frozenset({"all", "oof", "autoreply", "dr", "rn", "nrn"})
_NOBODY = ("mailer-daemon", "postmaster", "noreply", "no-reply", "ne-pas-repondre", "nepasrepondre", "donotreply", "do-not-reply",
           "bounce", "bounces")  # fmt: skip


def written_by(mail: Message, *, sender: str, path: str | None) -> By:
    """Return who wrote it. `sender` is the address of From; `path` the envelope's: `` is nobody, None is not known."""
    if is_holiday_note(mail):
        return "holiday note"
    said = re.split(r"[\s;(]", field(mail, "Auto-Submitted").strip().lower())[0]
    if said not in ("", "no") or path == "" or field(mail, "Return-Path").replace(" ", "") == "<>":
        return "machine"
    if field(mail, "Precedence").lower() in _PRECEDENCE or any(field(mail, name) for name in _LISTS):
        return "machine"
    if {word.strip().lower() for word in field(mail, "X-Auto-Response-Suppress").split(",")} & _SUPPRESSED:
        return "machine"
    local = sender.rpartition("@")[0].partition("+")[0]
    return "machine" if local in _NOBODY else "person"
