"""Whose is a browser? An anonymous subscriber's own profile, the visitor's who chats on the same page, or a known person's.

What a subscription belongs to follows the last proof: who signs in on a browser gets its messages, and who signs out takes
nothing of theirs with them, so a shared computer shows nobody what is another's.
"""

from profiles import people
from profiles.devices import keys_of, register
from profiles.identity import USER
from profiles.identity import key as key_of
from profiles.ids import new_id
from profiles.people import Claimed
from profiles.profile import Identity, Profile
from profiles.record import replace
from profiles.snapshot import Changes, Refusal, Snapshot, Work
from profiles.timeline import CUSTOMER, Event

SPACE = "webpush"
SUBSCRIBED = "identity.subscribed"
"""The event of a new subscription; rules may begin with it."""


def subscribed(id: str, *, visitor: str | None, language: str | None, also: Changes) -> Work:
    """Return the Work that gives this browser to somebody, with what must be on disk with it; `answer` is the profile.

    A browser that is known stays whose it is; a new one goes to the visitor with this web-chat address, else to a new profile.
    Refused: too_many_identities.
    """
    key, chat = key_of(SPACE, id), key_of("webchat", visitor) if visitor else ""

    def think(snapshot: Snapshot) -> Changes | Refusal:
        given = whose(snapshot)
        return given if isinstance(given, Refusal) else given.then(replace(also, answer=given.answer))

    def whose(snapshot: Snapshot) -> Changes | Refusal:
        now = snapshot.now
        if not visitor or snapshot.holder(key) is not None:
            return register(snapshot, key, None, locale=language, now=now)
        who = Identity("webchat", visitor, added_at=now)
        profile, claims = people.resolve(snapshot, chat, who, language=language, declared={}, now=now)
        made = Changes(profiles=(profile,), claims=claims)
        held = register(snapshot.after(made), key, profile.id, locale=language, now=now)
        return held if isinstance(held, Refusal) else made.then(held)

    return Work(think, identities=(key, *((chat,) if chat else ())))


def proved(id: str, who: Claimed) -> Work:
    """Return the Work that joins this browser to the person who proved who they are, and to nobody else any more.

    Refused: bad_subject, too_many_identities.
    """
    key = key_of(SPACE, id)
    return Work(lambda snapshot: register(snapshot, key, who, now=snapshot.now), identities=keys_of(key, who))


def renewed(old: str, new: str, *, also: Changes) -> Work:
    """Return the Work that puts a browser's new subscription in the place of its old one, with the ban that stands on it, and
    with what must be on disk with it.
    """
    gone, key = key_of(SPACE, old), key_of(SPACE, new)

    def think(snapshot: Snapshot) -> Changes | Refusal:
        profile = snapshot.holder(gone)
        known = profile.identity(gone) if profile else None
        if profile is None or known is None:
            return Refusal("unknown_identity")
        if snapshot.holder(key) is not None:
            return Refusal("known_identity")
        ban = known.suppression if known.suppression and known.suppression.reason != "unreachable" else None
        identity = replace(known, address=new, added_at=snapshot.now, suppression=ban)
        profile = profile.without(gone).with_identity(identity)
        taken = Changes(profiles=(profile,), claims={key: profile.id}, releases=(gone,))
        return taken.then(replace(also, answer=profile))

    return Work(think, identities=(gone, key))


def leaves(id: str) -> Work:
    """Return the Work that takes this browser from the person who signed out, to a profile of its own that agreed to nothing.

    An anonymous one stays where it is.
    """
    key = key_of(SPACE, id)

    def think(snapshot: Snapshot) -> Changes:
        holder = snapshot.holder(key)
        identity = holder.identity(key) if holder else None
        if holder is None or identity is None or not _is_signed_in(holder):
            return Changes(answer=holder)
        nobody = Profile(new_id(snapshot.now), snapshot.now, (identity,), language=holder.language)
        return Changes(profiles=(nobody, holder.without(key)), moves={key: nobody.id}, answer=nobody)

    return Work(think, identities=(key,))


def told(id: str, origin: str) -> Work:
    """Return the Work that tells once of a new subscription, for rules to answer."""
    key, event = key_of(SPACE, id), f"{SPACE}:{id}:subscribed"

    def think(snapshot: Snapshot) -> Changes | Refusal:
        holder = snapshot.holder(key)
        if holder is None:
            return Refusal("unknown_identity")
        properties = {"identity": key, "channel": SPACE, "origin": origin}
        return Changes(events=(Event(event, holder.id, SUBSCRIBED, snapshot.now, None, CUSTOMER, SPACE, properties),))

    return Work(think, identities=(key,), key=event, key_in="events")


def _is_signed_in(profile: Profile) -> bool:
    return any(known.channel == USER and known.verified_at for known in profile.identities)
