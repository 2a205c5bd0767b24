"""The API's routes about people: find, make, describe, link and unlink. The rules of who is who are profiles/people.py's."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from admin import api_answers as answers
from admin import api_bodies as bodies
from admin import api_kinds as kinds
from admin import api_schemas as shapes
from admin.agents import audit_row
from admin.api_route import Call, Refused, Reply, Route
from admin.api_work import do, identity_key
from admin.idempotency import Known
from admin.people import read_profile
from admin.schema import Field, Whole
from profiles import people
from profiles.calendar import is_zone
from profiles.ids import new_id
from profiles.profile import Identity, Profile
from profiles.record import from_document
from profiles.snapshot import Changes, Refusal, Snapshot, Work
from rules.reading import ZONE

PAGE = 50
LIMIT = Field(Whole(1, 100), f"How many at most; {PAGE} unless you say otherwise.")


async def list_profiles(call: Call) -> Reply:
    """Answer profiles, the newest first; merged ones are not listed."""
    limit = call.query.get("limit", PAGE)
    where: dict[str, Any] = {"merged_into": None}
    if "after" in call.query:
        where["_id"] = {"$lt": call.query["after"]}
    documents = await call.desk.store.find("profiles", where, sort=[("_id", -1)], limit=limit + 1)
    items = [answers.profile(from_document(Profile, document)) for document in documents[:limit]]
    return Reply(200, {"items": items, "after": items[-1]["id"] if len(documents) > limit else None})


async def get_profile(call: Call) -> Reply:
    """Answer one profile; of one that was merged, the profile it became."""
    return Reply(200, answers.profile(await _found(call, call.path["id"])))


async def find_profile(call: Call) -> Reply:
    """Answer the profile that holds an identity."""
    claim = await call.desk.store.get("identities", identity_key(call, call.query, ""))
    if claim is None:
        raise Refused("unknown_profile")
    return Reply(200, answers.profile(await _found(call, str(claim["profile"]))))


async def create_profile(call: Call) -> Reply:
    """Make a profile; refused when another holds one of its proved identities."""
    wanted = call.body.get("identities", [])
    if any(named.get("verified") for named in wanted):
        call.must_have("identities:verify")
    keys = {
        identity_key(call, named, f"/identities/{n}"): bool(named.get("verified")) for n, named in enumerate(wanted)
    }

    def think(snapshot: Snapshot) -> Changes | Refusal:
        profile = Profile(new_id(snapshot.now), snapshot.now)
        changes = Changes(profiles=(profile,), answer=profile)
        for key, verified in keys.items():
            if verified and (holder := snapshot.holder(key)):
                return Refusal("identity_taken", holder.id)
            identity = _identity(key, verified, snapshot.now)
            step = people.link(snapshot.after(changes), changes.answer, identity, by=call.key.actor, now=snapshot.now)
            if isinstance(step, Refusal):
                return step
            changes = changes.then(step)
        described = _described(changes.answer, call, snapshot.now)
        return described if isinstance(described, Refusal) else changes.then(described)

    def shown(changes: Changes) -> Known:
        return Known(201, answers.profile(changes.answer), f"/profiles/{changes.answer.id}")

    return await do(call, Work(think, identities=_to_read(*keys)), shown)


async def change_profile(call: Call) -> Reply:
    """Learn and forget attributes, or change the language."""
    id = call.path["id"]

    def think(snapshot: Snapshot) -> Changes | Refusal:
        profile = snapshot.profile(id)
        return _described(profile, call, snapshot.now) if profile else Refusal("unknown_profile")

    return await do(call, Work(think, profiles=(id,)), lambda changes: Known(200, answers.profile(changes.answer)))


async def add_identity(call: Call) -> Reply:
    """Give a profile an identity: claimed when proved, else noted; proved by two, the two merge or a person decides."""
    verified = bool(call.body.get("verified"))
    if verified:
        call.must_have("identities:verify")
    id, key = call.path["id"], identity_key(call, call.body, "")
    threads = await _threads(call, id, key)

    def think(snapshot: Snapshot) -> Changes | Refusal:
        profile = snapshot.profile(id)
        if profile is None:
            return Refusal("unknown_profile")
        linked = people.link(
            snapshot, profile, _identity(key, verified, snapshot.now), by=call.key.actor, now=snapshot.now
        )
        return (
            linked
            if isinstance(linked, Refusal)
            else linked.then(_audited("identity.added", linked, call, snapshot.now))
        )

    def shown(changes: Changes) -> Known:
        return Known(200, {"profile": answers.profile(changes.answer), "outcome": _came_to(changes, key)})

    return await do(call, Work(think, profiles=(id,), identities=_to_read(key), conversations=threads), shown)


async def remove_identity(call: Call) -> Reply:
    """Take an identity off a profile; a banned one stays."""
    id, key = call.path["id"], call.path["key"]

    def think(snapshot: Snapshot) -> Changes | Refusal:
        profile = snapshot.profile(id)
        if profile is None:
            return Refusal("unknown_profile")
        freed = people.unlink(snapshot, profile, key, now=snapshot.now)
        return (
            freed if isinstance(freed, Refusal) else freed.then(_audited("identity.removed", freed, call, snapshot.now))
        )

    return await do(
        call, Work(think, profiles=(id,), identities=_to_read(key)),
        lambda changes: Known(200, answers.profile(changes.answer)),
    )  # fmt: skip


async def named_profile(call: Call, named: Mapping[str, Any], at: str) -> str:
    """Return the id of the profile that {profile} or {identity} names, of a merged one what it became. Raises Refused."""
    if "profile" in named:
        return (await _found(call, named["profile"])).id
    claim = await call.desk.store.get("identities", identity_key(call, named["identity"], f"{at}/identity"))
    if claim is None:
        raise Refused("unknown_profile")
    return (await _found(call, str(claim["profile"]))).id


async def _found(call: Call, id: str) -> Profile:
    profile = await read_profile(call.desk, id)
    if profile is None:
        raise Refused("unknown_profile")
    return profile


async def _threads(call: Call, id: str, key: str) -> tuple[str, ...]:
    """Return the conversations that a merge would move: of the profile, and of who holds the key."""
    claim = await call.desk.store.get("identities", key)
    whose = [id, str(claim["profile"])] if claim else [id]
    rows = await call.desk.store.find("conversations", {"profile": {"$in": whose}}, limit=100, only=["_id"])
    return tuple(str(row["_id"]) for row in rows)


def _described(profile: Profile, call: Call, now: datetime) -> Changes | Refusal:
    described, source = profile, call.body.get("source", "declared")
    for name, value in call.body.get("attributes", {}).items():
        if name == ZONE and value is not None and not is_zone(value):
            return Refusal("bad_value", f"{ZONE}: expected a time zone such as Europe/Paris")
        learned = people.edit(described, name, value, source=source, by=call.key.actor, now=now)
        if isinstance(learned, Refusal):
            return learned
        described = learned
    if "language" in call.body:
        described = replace(described, language=call.body["language"])
    return Changes(profiles=(described,) if described != profile else (), answer=described)


def _identity(key: str, verified: bool, now: datetime) -> Identity:
    space, _, address = key.partition(":")
    return Identity(space, address, added_at=now, verified_at=now if verified else None)


def _to_read(*keys: str) -> tuple[str, ...]:
    return tuple(name for key in keys for name in people.keys_for(key))


def _audited(act: str, changes: Changes, call: Call, now: datetime) -> Changes:
    row = audit_row(act, by=call.key.actor, about=changes.answer.id, at=now)
    return Changes(records=(("audit", row),) if changes else ())


def _came_to(changes: Changes, key: str) -> str:
    identity: Identity | None = changes.answer.identity(key)
    if any(collection == "merges" for collection, _ in changes.records):
        return "merged"
    if any(amend.collection == "conflicts" for amend in changes.amends):
        return "conflict"
    if not changes:
        return "unchanged"
    return "claimed" if identity and identity.is_claimed else "noted"


_BY_IDENTITY: Mapping[str, Field] = {
    "space": Field(kinds.SPACE, "The space: email, sms, telegram, user ...", True),
    "address": Field(kinds.ADDRESS, "The address; phones and e-mails are normalised.", True),
}

ROUTES = (
    Route("GET", "/profiles", list_profiles, "profiles:read", "List profiles, the newest first.",
          "Lister les profils, du plus récent au plus ancien.", shapes.PROFILES,
          query={"limit": LIMIT, "after": Field(kinds.ID, "The `after` of the page before.")}),
    Route("POST", "/profiles", create_profile, "profiles:write", "Make a profile.", "Créer un profil.", shapes.PROFILE,
          status=201, body=bodies.PROFILE_IN, problems=("identity_taken", "too_many", "too_large")),
    Route("GET", "/profiles/by-identity", find_profile, "profiles:read", "Find the profile that holds an identity.",
          "Trouver le profil qui détient une identité.", shapes.PROFILE, query=_BY_IDENTITY, problems=("unknown_profile",)),
    Route("GET", "/profiles/{id}", get_profile, "profiles:read", "Read one profile.", "Lire un profil.", shapes.PROFILE,
          problems=("unknown_profile",)),
    Route("PATCH", "/profiles/{id}", change_profile, "profiles:write", "Learn or forget attributes.",
          "Apprendre ou oublier des attributs.", shapes.PROFILE, body=bodies.PROFILE_PATCH,
          problems=("unknown_profile", "too_many", "too_large")),
    Route("POST", "/profiles/{id}/identities", add_identity, "identities:write", "Add an identity, said or proved.",
          "Ajouter une identité, dite ou prouvée.", shapes.LINKED, body=bodies.IDENTITY_IN,
          problems=("unknown_profile", "another_user", "too_many")),
    Route("DELETE", "/profiles/{id}/identities/{key}", remove_identity, "identities:write",
          "Remove an identity, named space:address.", "Retirer une identité, nommée espace:adresse.", shapes.PROFILE,
          problems=("unknown_profile", "unknown_identity", "suppressed_identity")),
)  # fmt: skip
