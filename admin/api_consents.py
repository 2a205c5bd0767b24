"""The API's routes about consent: what a person said about being written to, and what the shop's own server heard them say.

An import can never turn in somebody who had refused, and a yes needs evidence of its own: what the person saw or signed, and where.
"""

from collections.abc import Mapping
from typing import Any

from admin import api_answers as answers
from admin import consenting
from admin.agents import audit_row
from admin.api_route import Call, Refused, Reply, Route
from admin.api_work import refused
from admin.consenting import topics_of
from admin.people import read_profile
from admin.schema import Choice, Field, Instant, ListOf, OrNull, Problem, Shape, Text
from profiles.consent import Proof
from profiles.consents import Consents, Said
from profiles.profile import Profile
from profiles.snapshot import Refusal
from profiles.topics import EVERY, Topic

NAME = Text(40, 1, r"\*|[a-z0-9_-]{1,40}", "email")
SOURCES = ("form", "paper", "phone", "shop", "import")
CHANGES = ("given", "withdrawn", "asked", "confirmed", "restored", "paused", "resumed", "limited")

PROOF = Shape("ConsentProof", {
    "id": Field(Text(200), "The proof's id.", True),
    "change": Field(Choice(CHANGES), "What was said; asked: a yes that waits for its confirmation.", True),
    "channel": Field(NAME, "The channel; * for all.", True),
    "topic": Field(NAME, "The topic; * for all.", True),
    "at": Field(Instant(), "When it was kept.", True),
    "source": Field(Text(200), "Where it came from: preference_centre, one_click, keyword, agent:maya, key:abc form ...", True),
    "version": Field(Text(40), "The version of the wording that was shown.", True),
    "wording": Field(Text(4000), "The wording that was shown, or what they wrote.", True),
    "ip": Field(Text(100), "From where, when it is known.", True),
})  # fmt: skip
STANDING = Shape("Consent", {
    "channel": Field(NAME, "The channel; * for all.", True),
    "topic": Field(NAME, "The topic; * for all.", True),
    "state": Field(Choice(("given", "withdrawn", "asked")), "What holds; asked: waits for its confirmation.", True),
    "at": Field(OrNull(Instant()), "Since when.", True),
})  # fmt: skip
CONSENTS = Shape("Consents", {
    "items": Field(ListOf(STANDING, 2_000), "What holds now; what is wider comes first.", True),
    "proofs": Field(ListOf(PROOF, 1_000), "All that was said, the newest first.", True),
})  # fmt: skip
CONSENT_IN = Shape("ConsentIn", {
    "channel": Field(NAME, "The channel; for a no also * for all.", True),
    "topic": Field(NAME, "A topic of the rule book; for a no also * for all.", True),
    "state": Field(Choice(("given", "withdrawn")), "What the person said.", True),
    "source": Field(Choice(SOURCES), "Where they said it. An import never undoes a no.", True),
    "language": Field(Choice(("fr", "en")), "In which language the wording was shown; en unless you say otherwise."),
    "ip": Field(Text(100), "The address of the browser that sent the form."),
    "evidence": Field(Text(2_000), "What shows it: the form's address, the file and line, who heard it. A yes needs it."),
})  # fmt: skip


async def list_consents(call: Call) -> Reply:
    """Answer what a person agreed to and refused, with the proofs."""
    profile, _ = await _whose(call)
    heard = await consenting.heard_of(call.desk, profile)
    assert heard is not None
    items = [
        {"channel": one.channel, "topic": one.topic, "state": one.state, "at": answers.at(one.at)}
        for one in heard.standings
    ]
    return Reply(200, {"items": items, "proofs": [_shown(proof) for proof in heard.said]})


async def change_consent(call: Call) -> Reply:
    """Keep what a person said. A no is answered when it holds: nothing is under way against it."""
    profile, consents = await _whose(call)
    body: Mapping[str, Any] = call.body
    evidence = {"note": body["evidence"]} if body.get("evidence") else {}
    source = "import" if body["source"] == "import" else f"{call.key.actor} {body['source']}"
    said = Said(source, body.get("language", "en"), body.get("ip", ""), {**evidence, "key": call.key.id})
    known = topics_of(call.desk).get(body["topic"])
    if body["state"] == "given":
        kept = await _yes(call, consents, profile, known, said, has_evidence=bool(evidence))
    else:
        kept = await consents.withdraw(profile.id, body["channel"], body["topic"], said, now=call.now, shown=known)
    if isinstance(kept, Refusal):
        raise refused(kept, call)
    act = "consent.recorded" if body["state"] == "given" else "consent.refused"
    row = audit_row(
        act, by=call.key.actor, about=profile.id, at=call.now, topic=kept.topic, channel=kept.channel, proof=kept.id
    )
    await call.desk.store.insert("audit", row)
    return Reply(200, _shown(kept))


async def _yes(
    call: Call, consents: Consents, profile: Profile, topic: Topic | None, said: Said, *, has_evidence: bool
) -> Proof | Refusal:
    faults = []
    if topic is None:
        faults.append(
            Problem("/topic", f"expected one of {', '.join(topics_of(call.desk)) or 'none, there is no book'}")
        )
    if call.body["channel"] == EVERY:
        faults.append(Problem("/channel", "expected one channel: a yes is to one"))
    if not has_evidence:
        faults.append(Problem("/evidence", "expected what shows that they agreed"))
    if faults or topic is None:
        raise Refused("invalid", faults=tuple(faults))
    return await consenting.give(
        consents, call.desk.writer, profile.id, topic, call.body["channel"], said, now=call.now
    )


async def _whose(call: Call) -> tuple[Profile, Consents]:
    profile = await read_profile(call.desk, call.path["id"])
    if profile is None:
        raise Refused("unknown_profile")
    if call.desk.consents is None:
        raise Refused("no_rules")
    return profile, call.desk.consents


def _shown(proof: Proof) -> dict[str, Any]:
    return {
        "id": proof.id, "change": proof.change, "channel": proof.channel, "topic": proof.topic, "at": answers.at(proof.at),
        "source": proof.source, "version": proof.version, "wording": proof.wording, "ip": proof.ip,
    }  # fmt: skip


ROUTES = (
    Route("GET", "/profiles/{id}/consents", list_consents, "consents:read",
          "Read what a person agreed to and refused, with the proofs.",
          "Lire ce qu'une personne a accepté et refusé, avec les preuves.", CONSENTS,
          problems=("unknown_profile", "no_rules")),
    Route("POST", "/profiles/{id}/consents", change_consent, "consents:write",
          "Keep a yes or a no that a person said to you.",
          "Garder le oui ou le non qu'une personne vous a dit.", PROOF, body=CONSENT_IN, repeats_safely=True,
          problems=("unknown_profile", "no_rules", "withdrawn_before", "not_sent_here")),
)  # fmt: skip
