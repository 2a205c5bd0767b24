"""How a page or a piece of one is made: Jinja2 templates that escape everything, the same ones for pages and live updates."""

import functools
import hashlib
import json
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from admin import speech
from admin.agents import initials
from admin.desk import DESK, PREFIX
from admin.guard import AGENT, CSRF, texts_of
from admin.prose import prose
from admin.texts import Texts, texts, typeset
from profiles.tracking import for_agents, impersonal

HERE = Path(__file__).parent


def page(request: web.Request, template: str, *, status: int = 200, **known: Any) -> web.Response:
    """Return a whole page in the language of whoever asks."""
    agent = request.get(AGENT)
    html = render(
        template, texts_of(request), agent=agent, csrf=request[CSRF], here=request.path, **_called(request), **known
    )
    return web.Response(text=html, content_type="text/html", status=status)


def fragment(request: web.Request, template: str, **known: Any) -> web.Response:
    """Return a piece of a page, for a script that puts it in its place."""
    html = render(
        template, texts_of(request), agent=request.get(AGENT), csrf=request[CSRF], **_called(request), **known
    )
    return web.Response(text=html, content_type="text/html")


def _called(request: web.Request) -> dict[str, Any]:
    """Return what the house and the bot's files call their things."""
    desk = request.config_dict[DESK]
    return {"words": desk.words, "titles": desk.titles}


def render(template: str, speaks: Texts, **known: Any) -> str:
    """Return the HTML of a template in one language."""
    return _environment(speaks.language).get_template(template).render(known)


def at(*parts: str, **query: str | None) -> str:
    """Return the address of a console page: each part quoted, empty query values left out."""
    path = "/".join([PREFIX, *(quote(part, safe="") for part in parts)])
    asked = "&".join(f"{name}={quote(value, safe='')}" for name, value in query.items() if value)
    return f"{path}?{asked}" if asked else path


@functools.cache
def version() -> str:
    """Return a word that changes with any static file, so that browsers may keep them for ever."""
    digest = hashlib.sha256()
    for file in sorted((HERE / "static").rglob("*")):
        if file.is_file():
            digest.update(file.name.encode() + file.read_bytes())
    return digest.hexdigest()[:12]


@functools.cache
def _environment(language: str) -> Environment:
    speaks = texts(language)
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.globals |= {
        "_": speaks, "language": language, "at": at, "static": f"{PREFIX}/static/{version()}", "prefix": PREFIX,
        "says": speech.bound(speaks),
    }  # fmt: skip
    made.filters |= {
        "prose": prose, "moment": _moment, "initials": initials, "as_json": _as_json, "hue": _hue, "browser": _browser,
        "typeset": functools.partial(typeset, language=language), "capitalize_first": _capitalized,
        "as_written": for_agents, "impersonal": impersonal,
    }  # fmt: skip
    drawings: Any = made.get_template("icons.html").module
    made.globals |= {"icon": drawings.icon, "avatar": drawings.avatar}
    return made


def _moment(instant: datetime | None, style: str = "time") -> Markup:
    """Return an instant for the page's script to show in the reader's own time zone: time, day, short, ago or full."""
    if instant is None:
        return Markup("")
    iso = instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return Markup('<time datetime="{}" data-style="{}">{}</time>').format(iso, style, instant.strftime("%H:%M"))


def _as_json(value: Any) -> str:
    """Return JSON for an attribute; the template escapes it like any other text."""
    return json.dumps(value, ensure_ascii=False)


def _hue(id: str) -> str:
    """Return one of six names, the same for the same id: the shade of a person's initials."""
    return f"hue-{sum(id.encode()) % 6}"


def _capitalized(text: str) -> str:
    """Return the text with its first letter large, the rest as it is."""
    return text[:1].upper() + text[1:]


def _browser(agent: str) -> str:
    """Return which browser and system a User-Agent line names, as far as people care."""
    browsers = (
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    )
    systems = (("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"), ("Mac OS", "macOS"),
               ("Linux", "Linux"))  # fmt: skip
    named = [next((name for sign, name in known if sign in agent), None) for known in (browsers, systems)]
    return ", ".join(filter(None, named)) or agent[:40] or "?"
