"""A pass as Google Wallet takes it: its class, its object, the address that saves it. Pure.

https://developers.google.com/wallet/reference/rest . The first two fields at the top of a loyalty card are its points, all others
are text modules; texts go in both languages, so that the phone chooses.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from channels.wallet_face import LANGUAGES, Face, Shown, Spoken
from profiles.passes import MESSAGE, Card

Json = dict[str, Any]
SAVE = "https://pay.google.com/gp/v/save/"
KINDS = {"loyalty": "loyalty", "coupon": "offer", "event ticket": "eventTicket", "generic": "generic"}
"""kind of card -> how Google's kinds begin: loyaltyClass, loyaltyObject ..."""
FORMATS = {"qr": "QR_CODE", "pdf417": "PDF_417", "aztec": "AZTEC", "code128": "CODE_128"}
MOST_MODULES = 10
LONGEST_HEADER = 60  # characters of a message's title


@dataclass(frozen=True, slots=True)
class Seller:
    """Who issues objects at Google, and where Google fetches pictures from."""

    issuer: str
    organisation: str
    pictures: str
    """https://... of the folder of pictures, without a slash at the end."""
    callback: str = ""
    """https://... where Google tells of saving and deleting; empty: it does not."""


def class_of(card: Card, seller: Seller, language: str) -> Json:
    """Return the class: what all passes of a card share."""
    title = spoken({name: card.title.get(name, card.id) for name in LANGUAGES}, language)
    told: Json = {"id": class_id(card.id, seller)}
    if seller.callback:
        told["callbackOptions"] = {"url": seller.callback}
    if card.kind == "generic":
        return told
    told |= {"issuerName": seller.organisation, "reviewStatus": "UNDER_REVIEW"}
    if "background" in card.colours:
        told["hexBackgroundColor"] = card.colours["background"]
    name = card.title.get(language, card.id)
    match card.kind:
        case "loyalty":
            told |= {"programName": name, "localizedProgramName": title, "programLogo": _logo(card, seller)}
        case "coupon":
            told |= {
                "title": name, "localizedTitle": title, "provider": seller.organisation, "redemptionChannel": "BOTH",
                "titleImage": _logo(card, seller),
            }  # fmt: skip
        case "event ticket":
            told |= {"eventName": title, "logo": _logo(card, seller)}
    return told


def object_of(face: Face, card: Card, seller: Seller) -> Json:
    """Return the object: one person's pass."""
    told: Json = {
        "id": object_id(face.serial, seller),
        "classId": class_id(face.card, seller),
        "state": "EXPIRED" if face.is_over else "ACTIVE",
    }
    points = face.at("header")[:2] if face.kind == "loyalty" else ()
    for name, one in zip(("loyaltyPoints", "secondaryLoyaltyPoints"), points, strict=False):
        told[name] = _points(one, face.language)
    others = [one for one in face.fields if one not in points and one.id != MESSAGE]
    told["textModulesData"] = [_module(one, face.language) for one in others][:MOST_MODULES] + _places(face)
    if face.code:
        shown = {"alternateText": face.code_text} if face.code_text else {}
        told["barcode"] = {"type": FORMATS[face.format], "value": face.code, **shown}
    if face.link:
        told["linksModuleData"] = {"uris": [{"uri": face.link, "id": "link"}]}
    if face.expires:
        told["validTimeInterval"] = {"end": {"date": _instant(face.expires)}}
    match face.kind:
        case "loyalty":
            told |= {"accountId": face.number, **({"accountName": face.holder} if face.holder else {})}
            if any(any(one.changed.values()) for one in points):  # for this change alone, in words of Google's own
                told["notifyPreference"] = "NOTIFY_ON_UPDATE"
        case "event ticket":
            told |= {"ticketNumber": face.number, **({"ticketHolderName": face.holder} if face.holder else {})}
        case "generic":
            title = spoken(face.title, face.language)
            told |= {"cardTitle": spoken(dict.fromkeys(LANGUAGES, seller.organisation), face.language), "header": title}
            told |= {"logo": _logo(card, seller)}
            if "background" in face.colours:
                told["hexBackgroundColor"] = face.colours["background"]
    return told


def save_claims(face: Face, seller: Seller, *, email: str, origin: str, now: datetime) -> Json:
    """Return what the signed save link says: an object that Google knows by its id, so the link stays short."""
    objects = {
        f"{KINDS[face.kind]}Objects": [{"id": object_id(face.serial, seller), "classId": class_id(face.card, seller)}]
    }
    return {
        "iss": email, "aud": "google", "typ": "savetowallet", "iat": int(now.timestamp()), "origins": [origin],
        "payload": objects,
    }  # fmt: skip


def message_of(face: Face, text: str, id: str, *, notifies: bool) -> Json:
    """Return a message for the object; Google shows the one of an id once."""
    return {
        "message": {
            "id": hashlib.sha256(id.encode()).hexdigest()[:32],
            "header": face.title[face.language][:LONGEST_HEADER],
            "body": text,
            "messageType": "TEXT_AND_NOTIFY" if notifies else "TEXT",
        }
    }


def class_id(card: str, seller: Seller) -> str:
    """Return a class's id at Google."""
    return f"{seller.issuer}.{card}"


def object_id(serial: str, seller: Seller) -> str:
    """Return an object's id at Google."""
    return f"{seller.issuer}.{serial}"


def spoken(texts: Spoken, language: str) -> Json:
    """Return a text in its languages, the one for everybody else first. Google refuses empty ones."""
    said = {name: text for name, text in texts.items() if text}
    first = language if language in said else next(iter(said))
    others = [{"language": name, "value": text} for name, text in said.items() if name != first]
    return {
        "defaultValue": {"language": first, "value": said[first]},
        **({"translatedValues": others} if others else {}),
    }


def _points(one: Shown, language: str) -> Json:
    return {**_label("localizedLabel", "label", one.label, language), "balance": {"string": one.value[language]}}


def _module(one: Shown, language: str) -> Json:
    label = _label("localizedHeader", "header", one.label, language)
    return {"id": one.id, **label, "body": one.value[language], "localizedBody": spoken(one.value, language)}


def _places(face: Face) -> list[Json]:
    named: tuple[tuple[str, Spoken | None, Mapping[str, str]], ...] = (
        ("place", face.place, {"fr": "Lieu", "en": "Place"}),
        ("address", face.address, {"fr": "Adresse", "en": "Address"}),
    )
    return [
        _module(Shown(id, "back", label, said, {}), face.language)
        for id, said, label in named
        if said and any(said.values())
    ]


def _label(localized: str, plain: str, label: Spoken, language: str) -> Json:
    if not any(label.values()):
        return {}
    said = spoken(label, language)
    return {plain: said["defaultValue"]["value"], localized: said}


def _logo(card: Card, seller: Seller) -> Json:
    file = card.images.get("logo") or card.images["icon"]
    return {"sourceUri": {"uri": f"{seller.pictures}/{file}"}}


def _instant(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
