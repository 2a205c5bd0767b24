"""How the API says that something went wrong: application/problem+json (RFC 9457), one type per kind of problem."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from admin.schema import Field, ListOf, Problem, Shape, Text, Whole

PLACE = "/api/docs"


@dataclass(frozen=True, slots=True)
class Sort:
    """One kind of problem."""

    status: int
    title: str
    title_fr: str


SORTS: Mapping[str, Sort] = {
    "malformed": Sort(400, "The request can not be read", "La requête ne peut pas être lue"),
    "unauthorized": Sort(401, "A good API key is missing", "Il manque une clé d'API valable"),
    "forbidden": Sort(403, "This key may not do this", "Cette clé ne permet pas cela"),
    "bad_identity": Sort(403, "The signed identity is not good", "L'identité signée n'est pas valable"),
    "unknown_route": Sort(404, "There is no such address", "Cette adresse n'existe pas"),
    "unknown_profile": Sort(404, "There is no such profile", "Ce profil n'existe pas"),
    "unknown_identity": Sort(404, "The profile has no such identity", "Le profil n'a pas cette identité"),
    "unknown_conversation": Sort(404, "There is no such conversation", "Cette conversation n'existe pas"),
    "unknown_message": Sort(404, "There is no such message", "Ce message n'existe pas"),
    "unknown_rule": Sort(404, "There is no such rule", "Cette règle n'existe pas"),
    "unknown_segment": Sort(404, "There is no such segment", "Ce segment n'existe pas"),
    "unknown_webhook": Sort(404, "There is no such webhook", "Ce webhook n'existe pas"),
    "method": Sort(405, "This address does not know this method", "Cette adresse ne connaît pas cette méthode"),
    "slow": Sort(408, "The body came too slowly", "Le corps est arrivé trop lentement"),
    "identity_taken": Sort(409, "Another profile has this identity", "Un autre profil a cette identité"),
    "another_user": Sort(409, "The profile is another user", "Le profil est un autre utilisateur"),
    "suppressed": Sort(409, "They do not want to be written to here", "Cette personne ne veut pas être contactée ici"),
    "suppressed_identity": Sort(409, "A banned identity stays", "Une identité bloquée reste"),
    "no_channel": Sort(409, "The channel is not connected", "Le canal n'est pas connecté"),
    "not_callable": Sort(409, "This rule is not begun by the API", "Cette règle ne se déclenche pas par l'API"),
    "not_ended": Sort(409, "It is still being tried", "La livraison est encore en cours"),
    "no_rules": Sort(409, "This server has no rule book", "Ce serveur n'a pas de livre de règles"),
    "withdrawn_before": Sort(409, "They have refused; an import undoes no refusal",
                             "Cette personne a refusé ; un import n'annule aucun refus"),
    "not_sent_here": Sort(409, "The topic is not sent on this channel", "Ce sujet n'est pas envoyé sur ce canal"),
    "in_progress": Sort(409, "The same request is under way", "La même requête est en cours"),
    "too_large": Sort(413, "The body is too large", "Le corps est trop grand"),
    "media_type": Sort(415, "The body is not plain JSON", "Le corps n'est pas du JSON simple"),
    "invalid": Sort(422, "The request says something we do not take", "La requête contient quelque chose d'inacceptable"),
    "key_reused": Sort(422, "This Idempotency-Key was used for another request",
                       "Cette Idempotency-Key a servi à une autre requête"),
    "too_many": Sort(422, "There are too many", "Il y en a trop"),
    "rate": Sort(429, "Too many requests", "Trop de requêtes"),
    "internal": Sort(500, "We made a mistake", "Nous avons fait une erreur"),
    "unavailable": Sort(503, "Not confirmed; the same request may be sent again",
                        "Non confirmé ; la même requête peut être renvoyée"),
}  # fmt: skip

SHAPE = Shape("Problem", {
    "type": Field(Text(400), "Address of this kind of problem in the documentation."),
    "title": Field(Text(200), "What went wrong, in the language of Accept-Language.", True),
    "status": Field(Whole(400, 599), "The HTTP status.", True),
    "detail": Field(Text(2000), "What of it concerns this request."),
    "errors": Field(ListOf(Shape("Fault", {
        "pointer": Field(Text(500), "Where in the body: a JSON pointer (RFC 6901)."),
        "parameter": Field(Text(100), "Which query parameter."),
        "detail": Field(Text(500), "What was expected there.", True),
    })), "Everything that is wrong with the request, up to 20."),
    "profile": Field(Text(40), "The profile that has the identity, when the key may read profiles."),
}, "RFC 9457.")  # fmt: skip

# refusals of the thinking whose slug is another
_SLUGS = {"too_many_identities": "too_many", "bad_subject": "invalid", "same_profile": "identity_taken",
          "bad_name": "invalid", "reserved_name": "invalid", "bad_value": "invalid"}  # fmt: skip


def slug_of(reason: str) -> str:
    """Return the problem that a Refusal's reason is to the outside."""
    slug = _SLUGS.get(reason, reason)
    return slug if slug in SORTS else "invalid"


def problem(
    slug: str,
    *,
    language: str,
    base: str,
    detail: str = "",
    faults: tuple[Problem, ...] = (),
    in_query: bool = False,
    **more: Any,
) -> web.Response:
    """Return the problem as an answer. `base` is the server's public address."""
    sort = SORTS[slug]
    where = "parameter" if in_query else "pointer"
    body: dict[str, Any] = {
        "type": f"{base}{PLACE}#{slug}",
        "title": sort.title_fr if language == "fr" else sort.title,
        "status": sort.status,
    }
    if detail:
        body["detail"] = detail
    if faults:
        body["errors"] = [{where: fault.pointer, "detail": fault.detail} for fault in faults]
    body |= {name: value for name, value in more.items() if value is not None}
    response = web.Response(
        text=json.dumps(body, ensure_ascii=False), status=sort.status, content_type="application/problem+json"
    )
    if sort.status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="causerie"'
    return response
