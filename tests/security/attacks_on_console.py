"""Attacks on agents and their console: scripts in what others wrote, paths, ids, filters, what may be assigned."""

import json
from typing import Any

from yarl import URL

from profiles.append import heard
from profiles.snapshot import Changes, Snapshot, Work
from profiles.timeline import Content
from tests.security.fortress import IDENTITY_SECRET, RASA_TOKEN, Fortress

SCRIPT = "<script>alert(1)</script>"
IMAGE = '"><img src=x onerror=alert(2)>'
CHAT = "/console/inbox/all/telegram%3A7003"


async def attack_11(castle: Fortress) -> None:
    """A filter's operator, field or value made of a query of its own, in the API and the console."""
    program = await castle.key("conversations:read", "profiles:read", "rules:read")
    for query in (
        "status[$ne]=open",
        "status=%7B%22%24ne%22%3A1%7D",
        "query_operator=OR",
        "status=open%20OR%201",
        "$where=1",
        "limit[$gt]=1",
    ):
        answer = await castle.ask("GET", "/api/v1/conversations?" + query, by=program)
        assert answer.status == 422, (query, answer.status)
    found = await castle.ask("GET", "/api/v1/profiles/by-identity?space[$ne]=x&address[$gt]=", by=program)
    assert found.status == 422
    shows = await castle.signed_in(await castle.agent("admin"))
    for path in (
        "/console/inbox/%7B%22$ne%22:1%7D", "/console/rows/all?channel[$ne]=x", "/console/audit?by[$ne]=x",
        "/console/people?q=%7B%22$gt%22:%22%22%7D", "/console/search?q=$where&channel[$ne]=x", "/console/audit?by=$where",
        "/console/people?q=" + "%28" * 200, "/console/people?q=.*",
    ):  # fmt: skip
        answer = await castle.ask("GET", path, by=shows)
        assert answer.status in (200, 404) and "alert" not in answer.text, path
    everybody = await castle.ask("GET", "/console/people?q=.%2A", by=shows)
    assert "Chlo" not in everybody.text  # a pattern finds nobody: it is words


async def attack_13(castle: Fortress) -> None:
    """Bodies that name what is not theirs to name: brand, account, id, version, role."""
    program = await castle.key("profiles:write", "events:write")
    for extra in (
        "account_id",
        "brand",
        "_id",
        "id",
        "version",
        "merged_into",
        "created_at",
        "identities_verified",
        "$set",
    ):
        body = {"attributes": {"city": "Lyon"}, extra: "anna"}
        assert (await castle.ask("POST", "/api/v1/profiles", by=program, json=body)).status == 422, extra
    event = {"id": "1", "name": "cart.updated", "profile": "anna", "by": "agent:maya", "source": "till"}
    assert (await castle.ask("POST", "/api/v1/events", by=program, json=event)).status == 422
    shows = await castle.signed_in(await castle.agent())
    fields = {
        "csrf": shows["X-CSRF"],
        "name": "Maya",
        "language": "en",
        "role": "admin",
        "capacity": "99",
        "is_active": "yes",
    }
    assert (await castle.ask("POST", "/console/settings", by=shows, data=fields)).status == 303
    agent = await castle.store.get("agents", "agent")
    assert agent and (agent["role"], agent.get("capacity", 5)) == ("agent", 5)


async def attack_21(castle: Fortress) -> None:
    """What somebody of a low role stored, opened by an admin: names, canned replies, taught sentences, notes."""
    shows = await castle.signed_in(await castle.agent(name="Maya Lindqvist"))
    form = {"csrf": shows["X-CSRF"]}
    named = {"name": SCRIPT, "language": "en", "signature": IMAGE}
    taught = {"title": SCRIPT, "en": SCRIPT, "fr": IMAGE, "examples": SCRIPT, "text": SCRIPT, "language": "en"}
    answers = [
        await castle.ask("POST", "/console/settings", by=shows, data={**form, **named}),
        await castle.ask("POST", "/console/learning/answers", by=shows, data={**form, **taught}),
        await castle.ask("POST", "/console/conversations/telegram%3A7003/note", by=shows,
                         json={"id": "0123456789abcdef0123456789abcdef", "text": SCRIPT + IMAGE}),
    ]  # fmt: skip
    assert answers[0].status == 303 and answers[2].status == 200, [answer.text for answer in answers]
    lead = await castle.agent("supervisor")
    theirs = await castle.signed_in(lead)
    canned = {"csrf": theirs["X-CSRF"], "shortcut": "x", "text": SCRIPT + IMAGE}
    assert (await castle.ask("POST", "/console/canned", by=theirs, data=canned)).status == 303
    admin = await castle.signed_in(await castle.agent("admin"))
    seen = ""
    for path in ("/console/team", "/console/audit", "/console/canned", "/console/learning", CHAT, "/console/settings"):
        page = await castle.ask("GET", path, by=admin)
        assert page.status == 200 and SCRIPT not in page.text and "<img src=x" not in page.text, path
        seen += page.text
    assert "&lt;script&gt;alert(1)" in seen


async def attack_24(castle: Fortress) -> None:
    """File names that lead out of their folder, at every place where a name of a file is taken."""
    shows = await castle.signed_in(await castle.agent("admin"))
    outside = castle.book.parent / "evil.yml"
    names = ["..%2Fevil.yml", "..%2F..%2Fevil.yml", "%2Fetc%2Fpasswd", "templates%2F..%2F..%2Fevil.yml", "..%5Cevil.yml",
             ".hidden.yml", "%2e%2e%2fevil.yml", "templates%2F.x.yml", "x.yml%00.txt", "evil.yml%2F..%2F..%2Fevil.yml"]  # fmt: skip
    for name in names:
        saved = await castle.ask(
            "POST", f"/console/rule-files/{name}", by=shows, json={"text": "rule: evil", "seen": "", "over": True}
        )
        assert saved.status in (400, 404), (name, saved.status)
        assert (await castle.ask("GET", f"/console/rule-files/{name}", by=shows)).status == 404
        made = await castle.ask(
            "POST", "/console/rule-files", by=shows, data={"csrf": shows["X-CSRF"], "name": "../evil", "from": name}
        )
        assert made.status == 422
    assert not outside.exists()
    for path in (
        "/console/static/1/..%2F..%2F..%2Fconfig.toml", "/console/static/1/..%2froutes.py",
        "/console/static/..%2f..%2f/config.toml",
        "/channels/webchat/static/1/..%2f..%2f..%2fwebchat.py", "/channels/webchat/static/1/../../../../config.toml",
        "/channels/webchat/demo/..%2f..%2fwebchat.py", "/channels/webchat/demo/%2e%2e%2fwebchat.py",
    ):  # fmt: skip
        answer = await castle.http.get(URL(castle.url + path, encoded=True), allow_redirects=False)
        assert answer.status == 404, path


async def attack_26(castle: Fortress) -> None:
    """Sorting, paging and fields chosen by whoever asks."""
    program = await castle.key("profiles:read", "conversations:read", "rules:read")
    for query in (
        "sort=$where",
        "order=-password",
        "fields=ledger",
        "sort[attributes.x]=1",
        "after[$gt]=",
        "limit=-1",
        "limit=1e9",
        "limit=NaN",
    ):
        for path in ("profiles", "conversations", "segments/parisians/members", "webhooks"):
            answer = await castle.ask("GET", f"/api/v1/{path}?{query}", by=program)
            assert answer.status in (404, 422), (path, query, answer.status)
    shows = await castle.signed_in(await castle.agent("admin"))
    for key in ("%7B%22$gt%22:1%7D", "$where", "9999-99-99T00:00:00Z~x", "1~1~1", "%00", "~", "x" * 3_000):
        for path in (
            "/console/audit",
            "/console/keys",
            "/console/rows/all",
            "/console/people/anna/timeline",
            "/console/rules/cart/decisions",
        ):
            answer = await castle.ask("GET", f"{path}?after={key}&before={key}&ended={key}&sort={key}", by=shows)
            assert answer.status in (200, 400, 404), (path, key, answer.status)


async def attack_30(castle: Fortress) -> None:
    """Ids of things that are another's: a key's, an invitation's, a session's, a webhook's, a merge's."""
    shows = await castle.signed_in(await castle.agent("admin"))
    form = {"csrf": shows["X-CSRF"]}
    invited = await castle.ask(
        "POST", "/console/team/invitations", by=shows, data={**form, "role": "agent", "email": ""}
    )
    assert invited.status == 200
    (invitation,) = await castle.store.find("invitations", {"by": "admin"})
    assert (
        await castle.ask("GET", f"/console/welcome/{invitation['_id']}")
    ).status == 410  # the hash that is kept is no link
    (key,) = [row["_id"] for row in await castle.store.find("keys", {})] or [(await _key_id(castle))]
    guessed = {"Authorization": f"Bearer ck_{key}_{'0' * 43}"}
    assert (await castle.ask("GET", "/api/v1/profiles", by=guessed)).status == 401
    other = await castle.key("rules:write")
    for id in ("nobody", key, "anna", "telegram:7003"):
        assert (await castle.ask("POST", f"/api/v1/webhooks/{id}/retry", by=other)).status == 404
        assert (await castle.ask("POST", f"/console/merges/{id}/undo", by=shows, data=form)).status in (
            303,
            400,
            404,
            409,
        )
    profiles = await castle.store.find("profiles", {})
    assert {row["_id"] for row in profiles} >= {"anna", "boris", "chloe"} and not any(
        "merged_into" in row for row in profiles
    )


async def attack_32(castle: Fortress) -> None:
    """A contact's name with a script, where it is listed, in a title, in an attribute, over their picture."""
    program = await castle.key("profiles:write", "identities:write")
    for attribute in ("first_name", "last_name", "name", "city"):
        body = {"attributes": {attribute: SCRIPT + IMAGE}, "source": "declared"}
        for who in ("anna", "chloe"):
            assert (await castle.ask("PATCH", f"/api/v1/profiles/{who}", by=program, json=body)).status == 200
    shows = await castle.signed_in(await castle.agent("supervisor"))
    for path in (
        "/console/people?q=alert", "/console/people/anna", "/console/people/chloe", "/console/people/chloe/merge?other=anna",
        "/console/people/anna/timeline", CHAT, "/console/rows/all", "/console/search?q=bonjour", "/console/pressure",
    ):  # fmt: skip
        page = await castle.ask("GET", path, by=shows)
        assert page.status in (200, 303) and SCRIPT not in page.text and "<img src=x" not in page.text, path
        assert 'onerror=alert(2)>"' not in page.text
    own = await castle.ask("GET", castle.links.preferences("anna", castle.desk.clock()))
    assert own.status == 200 and SCRIPT not in own.text and "<img src=x" not in own.text


async def attack_40(castle: Fortress) -> None:
    """A first message whose words, or subject, are a script, in the list of conversations and in what live pages are told."""

    def think(snapshot: Snapshot) -> Changes:
        thread, message = heard(
            snapshot.conversations["telegram:7003"], Content(SCRIPT + IMAGE), id="x:1", now=snapshot.now
        )
        message = type(message)(**{**_fields(message), "metadata": {"subject": SCRIPT + IMAGE}})
        return Changes(conversations=(thread,), messages=(message,))

    shows = await castle.signed_in(await castle.agent("supervisor"))
    async with castle.socket("/console/live", **shows) as page:
        await page.send_json({"view": "all", "profiles": ["chloe"], "begins": True})
        await castle.writer.commit(Work(think, conversations=("telegram:7003",)))
        told, kind = "", ""
        while kind != "item":
            frame = json.loads((await page.receive(timeout=10)).data)
            kind, told = frame["kind"], told + frame.get("html", "")  # all else is shown as text by the page's script
    assert SCRIPT not in told and "<img src=x" not in told and "&lt;script&gt;" in told
    for path in ("/console/rows/all", CHAT, "/console/conversations/telegram%3A7003", "/console/search?q=alert"):
        shown = await castle.ask("GET", path, by=shows)
        assert SCRIPT not in shown.text and "<img src=x" not in shown.text, path


async def attack_41(castle: Fortress) -> None:
    """The configuration, the source, the database's address: asked for without a session, and at pages that are open."""
    secrets = [IDENTITY_SECRET, RASA_TOKEN, "mongodb://", *(value for value in _values(castle))]
    for path in (
        "/config.toml", "/.env", "/.git/config", "/server-status", "/debug", "/admin", "/api/v1/config", "/console/config",
        "/setup", "/health", "/metrics", "/api/docs", "/api/v1/openapi.json", "/t/tracker.js", "/channels/webchat/widget.js",
        "/channels/email", "/rules/schema.json",
    ):  # fmt: skip
        answer = await castle.ask("GET", path)
        assert answer.status in (200, 401, 404), (path, answer.status)
        assert [secret for secret in secrets if secret in answer.text] == [], path
        assert answer.headers["Server"] == "Causerie", path
    for method in ("PUT", "DELETE", "TRACE", "CONNECT", "PROPFIND"):
        assert (await castle.ask(method, "/console/sign-in")).status in (400, 404, 405), method


def _values(castle: Fortress) -> list[str]:
    return [json.dumps(castle.desk.secret.hex()), castle.options.channels["twilio"].auth_token.reveal()]


def _fields(record: Any) -> dict[str, Any]:
    return {name: getattr(record, name) for name in type(record).__slots__}


async def _key_id(castle: Fortress) -> str:
    await castle.key("profiles:read")
    return str((await castle.store.find("keys", {}))[0]["_id"])
