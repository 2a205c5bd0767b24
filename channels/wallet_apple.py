"""A pass as Apple's wallet takes it: pass.json, its words in French and English, its pictures, their digests, a signature, zipped.

Pure but for the pictures, which are read from the book's folder. https://developer.apple.com/documentation/walletpasses
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from channels.wallet_face import LANGUAGES, Face, Shown, Spoken
from profiles.passes import Card

MIME = "application/vnd.apple.pkpass"
LARGEST_PICTURE = 2_000_000  # bytes
PNG = b"\x89PNG\r\n\x1a\n"
STYLES = {"loyalty": "storeCard", "coupon": "coupon", "event ticket": "eventTicket", "generic": "generic"}
FORMATS = {
    "qr": "PKBarcodeFormatQR", "pdf417": "PKBarcodeFormatPDF417", "aztec": "PKBarcodeFormatAztec",
    "code128": "PKBarcodeFormatCode128",
}  # fmt: skip
PLACES = {
    "header": "headerFields", "primary": "primaryFields", "secondary": "secondaryFields", "auxiliary": "auxiliaryFields",
    "back": "backFields",
}  # fmt: skip
COLOURS = {"background": "backgroundColor", "text": "foregroundColor", "label": "labelColor"}
SCALES = ("", "@2x", "@3x")
_FIRST_DAY = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip knows: the same pass gives the same bytes


@dataclass(frozen=True, slots=True)
class Issuer:
    """Who issues the passes, and where devices ask for what is new."""

    pass_type: str
    team: str
    organisation: str
    service: str
    """webServiceURL, to which devices add /v1/..."""


class NoPicture(ValueError):
    """A picture of the card is missing, or is no PNG; the text names it."""


def pass_json(face: Face, issuer: Issuer, token: str) -> dict[str, Any]:
    """Return what pass.json says. `token` is what a device shows to register and to fetch."""
    language = face.language
    told: dict[str, Any] = {
        "formatVersion": 1,
        "passTypeIdentifier": issuer.pass_type,
        "teamIdentifier": issuer.team,
        "organizationName": issuer.organisation,
        "serialNumber": face.serial,
        "description": face.title[language],
        "logoText": face.title[language],
        "webServiceURL": issuer.service,
        "authenticationToken": token,
        "voided": face.is_over,
        STYLES[face.kind]: _places(face),
    }
    told |= {COLOURS[name]: _rgb(colour) for name, colour in face.colours.items()}
    if face.code:
        told["barcodes"] = [_barcode(face)]
    if face.expires:
        told["expirationDate"] = _instant(face.expires)
    if face.happens:
        told["relevantDate"] = _instant(face.happens)
    return told


def words_of(face: Face, language: str) -> str:
    """Return pass.strings of a language: each text of pass.json that is said otherwise there, and how.

    Empty for the language that the pass is written in. What has the same words in two places and is not translated the same is
    said as in the first.
    """
    found: dict[str, str] = {}
    for spoken in _spoken(face):
        if spoken[face.language]:
            found.setdefault(spoken[face.language], spoken[language])
    return "".join(f"{_quoted(said)} = {_quoted(other)};\n" for said, other in found.items() if other not in ("", said))


def files_of(face: Face, issuer: Issuer, token: str, pictures: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the files of the pass, but for the manifest and its signature."""
    told = json.dumps(pass_json(face, issuer, token), ensure_ascii=False, separators=(",", ":"))
    files = {"pass.json": told.encode(), **pictures}
    for language in LANGUAGES:
        files[f"{language}.lproj/pass.strings"] = words_of(face, language).encode()
    return files


def packed(files: Mapping[str, bytes], sign: Callable[[bytes], bytes]) -> bytes:
    """Return the .pkpass: the files, manifest.json with the SHA-1 of each (Apple's choice), and its detached signature."""
    digests = {name: hashlib.sha1(content, usedforsecurity=False).hexdigest() for name, content in files.items()}
    manifest = json.dumps(digests, sort_keys=True).encode()
    whole = {**files, "manifest.json": manifest, "signature": sign(manifest)}
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in whole.items():
            archive.writestr(zipfile.ZipInfo(name, _FIRST_DAY), content, zipfile.ZIP_DEFLATED)
    return written.getvalue()


def pictures_of(card: Card, folder: Path) -> dict[str, bytes]:
    """Return the pictures as Apple names them: icon.png, icon@2x.png ... Raises NoPicture for one that is not there."""
    found: dict[str, bytes] = {}
    for role, file in card.images.items():
        stem = file.removesuffix(".png")
        found[f"{role}.png"] = _picture(folder / file)
        for scale in SCALES[1:]:
            if (larger := folder / f"{stem}{scale}.png").is_file():
                found[f"{role}{scale}.png"] = _picture(larger)
    return found


def _picture(path: Path) -> bytes:
    try:
        with path.open("rb") as opened:
            content = opened.read(LARGEST_PICTURE + 1)
    except OSError as error:
        raise NoPicture(f"passes/images/{path.name}: {error.strerror}") from error
    if not content.startswith(PNG) or len(content) > LARGEST_PICTURE:
        raise NoPicture(f"passes/images/{path.name}: expected a PNG of at most {LARGEST_PICTURE:,} bytes")
    return content


def _places(face: Face) -> dict[str, list[dict[str, str]]]:
    places: dict[str, list[dict[str, str]]] = {}
    for one in face.fields:
        places.setdefault(PLACES[one.spot], []).append(_field(one, face.language))
    back = [(f"_{name}", said) for name, said in (("place", face.place), ("address", face.address)) if said]
    for key, said in back:
        if said[face.language]:
            places.setdefault("auxiliaryFields" if key == "_place" else "backFields", []).append(
                {"key": key, "label": _PLACE[key][face.language], "value": said[face.language]}
            )
    if face.link:
        places.setdefault("backFields", []).append(
            {"key": "_link", "label": _PLACE["_link"][face.language], "value": face.link}
        )
    return places


_PLACE: Mapping[str, Spoken] = {
    "_place": {"fr": "Lieu", "en": "Place"},
    "_address": {"fr": "Adresse", "en": "Address"},
    "_link": {"fr": "En savoir plus", "en": "More"},
}


def _field(one: Shown, language: str) -> dict[str, str]:
    told = {"key": one.id, "label": one.label[language], "value": one.value[language]}
    if one.changed[language]:
        told["changeMessage"] = one.changed[language]
    return told


def _spoken(face: Face) -> list[Spoken]:
    """Return every text of the pass that has two languages, in the order in which a reader meets them."""
    fields = [said for one in face.fields for said in (one.label, one.value, one.changed)]
    besides = (("_place", face.place), ("_address", face.address), ("_link", {"": face.link} if face.link else None))
    labels = [_PLACE[key] for key, said in besides if said]
    return [face.title, *fields, *labels, *(said for said in (face.place, face.address) if said)]


def _barcode(face: Face) -> dict[str, str]:
    encoding = "iso-8859-1" if _fits(face.code, "iso-8859-1") else "utf-8"
    told = {"format": FORMATS[face.format], "message": face.code, "messageEncoding": encoding}
    return told | ({"altText": face.code_text} if face.code_text else {})


def _fits(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _rgb(colour: str) -> str:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgb({red}, {green}, {blue})"


def _instant(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\r", "").replace("\n", "\\n")
    return f'"{escaped}"'
