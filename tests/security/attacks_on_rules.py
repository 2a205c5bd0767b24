"""Attacks by those who write rules, texts and bot files, or who reach what runs them."""

import contextlib
import json
import pickle
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from aiohttp import web

from bot.answering import BotOptions, folder_of
from bot.finders import Here
from bot.live import load_live
from bot.models import Models
from bot.patterns import compiled
from channels.wallet import TRY_OUT_TYPE
from profiles.calendar import utc_now
from profiles.expression import Expression, parse
from profiles.findings import ContentErrors, Findings
from profiles.passes import Wish, serial_of, token_of
from profiles.personalize import Rendered, Text, compile_text
from profiles.snapshot import Changes
from profiles.strict_yaml import read_strictly
from profiles.timeline import Event
from rules.bookcase import digest
from tests.channels.wallet_stage import shop_cards
from tests.profiles.test_personalize_attacks import REFUSED
from tests.security.fortress import PUBLIC_URL, Fortress
from tests.waiting import until

HOSTILE = (
    "{{ contact.__class__ }}", "{{ ''|attr('x') }}", "{% include 'topics.yml' %}", "{{ lipsum() }}",
    "{{ self._TemplateReference__context }}",
    "{{ '{0.x}'.format(contact) }}", "{% for x in range(999999) %}x{% endfor %}", "{% import 'os' as os %}",
)  # fmt: skip
UNKNOWN = (
    "{{ env.HOME }}",
    "{{ config.secret }}",
    "{{ cycler }}",
    "{{ os.environ }}",
    "{{ secret }}",
    "{{ desk }}",
    "{{ request }}",
)
"""Names that nothing here has: they are missing fields like any other, and a text with one is not sent."""


async def attack_12(castle: Fortress) -> None:
    """A value that would be a piece of a query where the database compares it: in an attribute and in a segment's condition."""
    program = await castle.key("profiles:write", "rules:read")
    for value in ({"$gt": 0}, {"$date": "2020"}, [{"$gt": 0}], {"instant": {"$gt": 0}}):
        body = {"attributes": {"points": value}}
        assert (await castle.ask("PATCH", "/api/v1/profiles/anna", by=program, json=body)).status == 422, value
    shows = await castle.signed_in(await castle.agent("admin"))
    (castle.book / "segments.yml").write_text(
        'odd: contact.city == "$attributes.name.value"\nparisians: contact.city == "Paris"\n'
    )
    assert castle.desk.rules
    await castle.desk.rules.bookcase.look(at_once=True)
    for who, city in (("anna", "Lyon"), ("boris", "$attributes.name.value")):
        attributes = {"attributes": {"city": city, "name": city}}
        assert (await castle.ask("PATCH", f"/api/v1/profiles/{who}", by=program, json=attributes)).status == 200
    members = await castle.ask("GET", "/api/v1/segments/odd/members", by=program)
    assert members.status == 200, members.text
    assert "boris" in members.text and "anna" not in members.text  # compared as words, not looked up as a field
    assert (await castle.ask("GET", "/console/rules", by=shows)).status == 200


async def attack_18() -> None:
    """An expression of a bot's file, and words of a customer, that keep a core busy."""
    for written in ("(a+)+$", r"^(\w+\s?)*$", "(a|a)*b"):
        with pytest.raises(ValueError, match="busy"):
            compiled(written)
    brain, here = load_live(folder_of(BotOptions(), None), None, clock=utc_now), Here(utc_now().date())
    for words in (
        "a" * 1_000 + "!",
        "a@" * 500,
        "1 " * 500,
        "06" * 500,
        "é" * 1_000,
        "/" * 1_000,
        "((((" * 250,
        "-a" * 500,
    ):
        began = time.thread_time()
        brain.current.understanding.hear(words, None, 0, here)
        assert time.thread_time() - began < 1, words[:10]
    await brain.close()


async def attack_20(castle: Fortress) -> None:
    """A text that reads the environment, the configuration, another contact, another file."""
    shows = await castle.signed_in(await castle.agent("marketer"))
    file = castle.book / "templates" / "cart_1.yml"
    for hostile in HOSTILE:
        text = f"about: x\nfr:\n  text: {hostile!r}\n"
        path = "/console/rule-files/templates%2Fcart_1.yml"
        checked = await castle.ask("POST", f"{path}/check", by=shows, json={"text": text})
        assert checked.status == 200 and checked.json["mistakes"], hostile
        saved = {"text": text, "seen": digest(file.read_text())}
        assert (await castle.ask("POST", path, by=shows, json=saved)).status == 422, hostile
    assert "env" not in file.read_text()


async def attack_22() -> None:
    """A theme that is a program: the HTML of a mail with tags of the template language, and with scripts."""
    for hostile in HOSTILE:
        assert not isinstance(compile_text(f"<html><body>{hostile}</body></html>", html=True), Text), hostile
    for unknown in UNKNOWN:
        text = compile_text(unknown)
        assert isinstance(text, Text)
        assert text.render({"contact": {}}, language="fr") == Rendered("", (unknown.strip("{} "),)), unknown
    text = compile_text("<p>{{ contact.first_name }}</p>", html=True)
    assert isinstance(text, Text)
    rendered: Any = text.render({"contact": {"first_name": "<script>alert(1)</script>{{ 7*7 }}"}}, language="fr")
    assert "<script>" not in rendered.text and "49" not in rendered.text and "&lt;script&gt;" in rendered.text


async def attack_23() -> None:
    """The ways out of Jinja's own sandbox that were found so far."""
    for hostile in REFUSED:
        assert not isinstance(compile_text(hostile), Text), hostile
    assert len(REFUSED) >= 40


async def attack_25(folder: Path) -> None:
    """A model file, or a bot's or a rule's YAML, that runs code when it is read."""
    ran = folder / "ran"
    models = Models(folder)
    array = np.array([_Runs(ran)], dtype=object)
    np.savez(folder / "evil.npz", a=array)
    found = models.get("evil")
    assert found is None or "a" not in found
    (folder / "worse.npz").write_bytes(pickle.dumps(_Runs(ran)))
    assert models.get("worse") is None
    for text in (
        f"rule: !!python/object/apply:os.system ['touch {ran}']", "a: &a [*a]", "a: &x 1\nb: *x",
        "!!python/name:os.system x: 1",
        "a: !!binary aGk=", "<<: {a: 1}", "%TAG ! tag:yaml.org,2002:python/\n---\na: !object/apply:os.system ['id']",
    ):  # fmt: skip
        findings = Findings()
        read_strictly(text, "x.yml", findings)
        assert findings.errors or text.startswith("<<"), text
    bomb = "a: &a [x, x]\n" + "".join(
        f"{b}: &{b} [*{a}, *{a}]\n" for a, b in zip("abcdefghijklm", "bcdefghijklmn", strict=True)
    )
    findings, began = Findings(), time.thread_time()
    read_strictly(bomb, "x.yml", findings)
    assert findings.errors and time.thread_time() - began < 2
    (folder / "bot").mkdir()
    (folder / "bot" / "domain.yml").write_text(f"intents: !!python/object/apply:os.system ['touch {ran}']\n")
    (folder / "bot" / "nlu.yml").write_text(bomb + "nlu: *n\n")
    began = time.thread_time()
    with contextlib.suppress(ContentErrors):
        await load_live(folder / "bot", None, clock=utc_now).close()
    assert time.thread_time() - began < 5
    assert not ran.exists()


async def attack_27(castle: Fortress) -> None:
    """A condition that is a query or a program, where marketers write conditions."""
    vocabulary = castle.desk.rules.bookcase.book.names.vocabulary  # type: ignore[union-attr]
    for text in (
        '__import__("os").system("id")', "contact.$where == 1", "contact['__class__']", "(lambda: 1)()",
        "[x for x in contact]",
        'contact.city == {"$gt": ""}', "contact.city == f'{contact}'", "exec('1')", "contact.city; drop", "contact.__dict__",
        "contact.city == `id`", "(" * 500 + "1" + ")" * 500, "not " * 5_000 + "true", "9" * 5_000 + " > 1",
        "contact.city ** 9 ** 9",
    ):  # fmt: skip
        began = time.thread_time()
        assert not isinstance(parse(text, vocabulary), Expression), text[:60]
        assert time.thread_time() - began < 2
    program = await castle.key("rules:read")
    for name in ("$where", "parisians%7C%7Cx", "..%2Ftopics", "%7B%7D"):
        assert (await castle.ask("GET", f"/api/v1/segments/{name}/members", by=program)).status == 404


async def attack_28(castle: Fortress) -> None:
    """A rule's webhook, or a browser's push service, at an address inside our network: given up, or refused, untried."""
    asked: list[str] = []

    async def inside(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response()

    runner = web.ServerRunner(web.Server(inside))  # type: ignore[arg-type]
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    now = utc_now()
    targets = [f"http://127.0.0.1:{port}/", f"https://127.0.0.1:{port}/", f"https://localhost:{port}/", "https://localhost/",
               "https://169.254.169.254/latest/", "https://[::1]/", "https://2130706433/",
               f"https://a@127.0.0.1:{port}/"]  # fmt: skip
    for number, target in enumerate(targets):
        await castle.store.insert("errands", {
            "_id": f"e{number}", "kind": "webhook", "target": target, "profile": "anna",
            "fields": {}, "rule": "tell", "run": "r",
            "start": {"name": "api", "at": now}, "at": now, "due_at": now, "attempts": 0,
        })  # fmt: skip

    async def all_dead() -> bool:
        return await castle.store.count("errands", {"state": "dead"}) == len(targets)

    for target in (
        *targets,
        "https://evil.example/push",
        "https://fcm.googleapis.com@127.0.0.1/",
        "https://fcm.googleapis.com:22/x",
    ):
        assert await _subscribed(castle, target) == 422, target
    assert await _subscribed(castle, "https://fcm.googleapis.com/fcm/send/abc") == 200
    await until(all_dead)
    reasons = {row["reason"] for row in await castle.store.find("errands", {})}
    await runner.cleanup()
    assert asked == [] and reasons <= {"not_public", "not_https", "bad_address"}


async def attack_29(castle: Fortress) -> None:
    """Addresses that somebody with a key may store: a code's target, a button's link; only harmless ones are kept."""
    program = await castle.key("rules:write", "messages:write")
    for target in (
        "http://shop.example", "javascript:alert(1)", "https://u:p@shop.example", "//evil.example",
        "data:text/html,x", "https://", "",
        "https://shop.example\r\nX: y", "file:///etc/passwd",
    ):  # fmt: skip
        answer = await castle.ask("POST", "/api/v1/codes", by=program, json={"campaign": "x", "target": target})
        assert answer.status == 422, target
        button = {"text": "x", "buttons": [{"title": "x", "url": target}]}
        mark = {**program, "Idempotency-Key": f"k{len(target)}"}
        sent = await castle.ask("POST", "/api/v1/conversations/telegram%3A7003/messages", by=mark, json=button)
        assert sent.status in ((202, 201, 200, 422) if target.startswith("http") and len(target) > 8 else (422,)), (
            target,
            sent.status,
        )
    made = await castle.ask(
        "POST", "/api/v1/codes", by=program, json={"campaign": "x", "target": "https://shop.example/a?b=c"}
    )
    followed = await castle.ask("GET", f"/q/{made.json['code']}")
    assert followed.headers["Location"].startswith("https://shop.example/a?b=c")


async def attack_34(castle: Fortress) -> None:
    """A cell that a spreadsheet would run: nothing that this server gives out is a spreadsheet or a CSV.

    The one CSV is a command's file: tests/causerie/test_export_commands.py.
    """
    program = await castle.key("profiles:write")
    await castle.ask("PATCH", "/api/v1/profiles/anna", by=program, json={"attributes": {"city": '=cmd|"/c calc"!A1'}})
    shows = await castle.signed_in(await castle.agent("admin"))
    kinds = set()
    for route in castle.app.router.routes():
        if route.method == "GET" and route.resource and "{" not in route.resource.canonical:
            kinds.add((await castle.ask("GET", route.resource.canonical, by=shows)).headers.get("Content-Type", ""))
    link = castle.links.preferences("anna", castle.desk.clock())
    data = await castle.ask("GET", f"{link}/data.json")
    assert data.headers["Content-Type"].startswith("application/json") and "=cmd" in data.text
    assert not [kind for kind in kinds if "csv" in kind or "spreadsheet" in kind or "excel" in kind]


async def attack_49(castle: Fortress) -> None:
    """A condition or a text that ends the process or formats an object; a bot's action is proved by its own tests."""
    vocabulary = castle.desk.rules.bookcase.book.names.vocabulary  # type: ignore[union-attr]
    for text in (
        "exit()",
        "quit()",
        "raise SystemExit",
        "contact.city.format(contact)",
        '"{0.__class__}".format(1)',
        "SystemExit",
        "KeyboardInterrupt",
    ):
        assert not isinstance(parse(text, vocabulary), Expression), text
        assert not isinstance(compile_text("{{ " + text + " }}"), Text) or "(" not in text
    assert (await castle.ask("GET", "/health")).status == 200


async def attack_64(castle: Fortress) -> None:
    """A rule that begins itself, and two that begin each other: the chain ends and says so."""
    shared = "owner: crm@example.org\nstate: live\nclass: service\ntopic: offers\n"
    for name, hears, tells in (("selfish", "a.one", "a.one"), ("ping", "b.one", "b.two"), ("pong", "b.two", "b.one")):
        text = f"rule: {name}\nabout: x\n{shared}when: {{event: {hears}}}\nsteps:\n  - emit: {{event: {tells}}}\n"
        (castle.book / f"{name}.yml").write_text(text)
    assert castle.desk.rules
    await castle.desk.rules.bookcase.look(at_once=True)
    living = castle.desk.rules.bookcase.book.rules
    assert {"selfish", "ping", "pong"} <= set(living)
    now = utc_now()
    await castle.commit(Changes(events=(Event("x1", "anna", "a.one", now), Event("x2", "boris", "b.one", now))))

    async def both_ended() -> bool:
        return await castle.store.count("decisions", {"reason": "loop"}) >= 2

    await until(both_ended)
    await castle.desk.rules.engine.settled()
    assert await castle.store.count("events", {"name": {"$in": ["a.one", "b.one", "b.two"]}}) < 40


async def attack_65(castle: Fortress) -> None:
    """A pass asked for, changed or registered with another pass's token, by a serial counted up, by another's link."""
    wallet, shop = castle.channels["wallet"], shop_cards()
    wallet.passes.cards.known, wallet.passes.cards.images = shop.known, shop.images
    serials = {}
    for who in ("anna", "boris"):
        assert await wallet.passes.keep(Wish(who, "loyalty")) == "changed"
        serials[who] = serial_of(castle.desk.secret, who, "loyalty")
    hers, his = (f"ApplePass {token_of(castle.desk.secret, serials[who])}" for who in ("anna", "boris"))
    latest = f"/channels/wallet/v1/passes/{TRY_OUT_TYPE}/"
    assert (await castle.ask("GET", latest + serials["anna"], by={"Authorization": hers})).status == 200
    last = serials["anna"][-1]
    counted = serials["anna"][:-1] + ("0" if last != "0" else "1")
    registered = f"/channels/wallet/v1/devices/{'d' * 32}/registrations/{TRY_OUT_TYPE}"
    for serial, token in (
        (serials["anna"], his),
        (serials["anna"], hers[:-1]),
        (serials["anna"], ""),
        (counted, hers),
        ("1", hers),
    ):
        shows = {"Authorization": token} if token else {}
        assert (await castle.ask("GET", latest + serial, by=shows)).status == 401, (serial, token)
        push = {"pushToken": "a" * 64}
        assert (await castle.ask("POST", f"{registered}/{serial}", by=shows, json=push)).status == 401
        assert (await castle.ask("DELETE", f"{registered}/{serial}", by=shows)).status == 401
    assert (await castle.ask("GET", registered)).status == 204  # a device that nobody registered has nothing
    held = await wallet.passes.get(serials["anna"])
    assert held and held.devices == 0
    page = castle.links.wallet("anna", castle.desk.clock())
    assert (await castle.ask("GET", page)).status == 200
    assert (await castle.ask("GET", page.replace("/w/", "/p/"))).status == 404  # signed for another purpose
    assert (await castle.ask("GET", f"{page[:-1]}{'A' if page[-1] != 'A' else 'B'}/loyalty.pkpass")).status == 404


async def _subscribed(castle: Fortress, endpoint: str) -> int:
    """Let a browser say that its push service is here; return what it is answered."""
    key = "BNcRdreALRFXTkOOUHK1EtK2wtaz5Ry4YfYCA_0QTpQtUbVlUls0VJXg7A8u-Ts1XbjhazAkj7I99e8QcYP7DkM"  # of RFC 8291
    subscription = {"endpoint": endpoint, "keys": {"p256dh": key, "auth": "tBHItJI5svbpez7KI4CCXg"}}
    page = {"Origin": PUBLIC_URL, "Content-Type": "text/plain"}
    body = json.dumps({"subscription": subscription, "language": "fr"})
    return (await castle.ask("POST", "/channels/webpush/subscriptions", by=page, data=body)).status


class _Runs:
    """What runs code when it is unpickled."""

    def __init__(self, leaves: Path) -> None:
        self._leaves = leaves

    def __reduce__(self) -> Any:
        return (Path.touch, (self._leaves,))
