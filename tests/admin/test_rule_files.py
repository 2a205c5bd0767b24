"""The editor of the rule book: checks while somebody writes, saves what is right, and never over another's change."""

import asyncio
import re
import threading
from datetime import datetime
from html import unescape
from pathlib import Path
from typing import Any, cast

import pytest

from admin import rule_files
from admin.rule_files import digest
from channels.channel import Channel, Outbound
from rules.policy import Reach, Reaches
from tests.admin.market import CART, TEMPLATE, WEEKLY, happens, learned, live_in
from tests.admin.office import Caller, Office, QuietChannel


async def marketer(market: Office) -> Caller:
    return await market.signed_in(await market.agent(role="marketer"))


async def told(caller: Caller, path: str, **fields: Any) -> dict[str, Any]:
    answer = await caller.post(f"/rule-files/{path}", fields)
    found: dict[str, Any] = await answer.json()
    return found


async def test_a_text_is_checked_without_being_saved(market: Office, tmp_path: Path) -> None:
    caller = await marketer(market)
    wrong = await told(caller, "cart.yml/check", text=CART.replace("again: restart", "again: sometimes"))
    assert [(one["line"], one["text"]) for one in wrong["mistakes"]] == [
        (9, 'again: expected restart, ignore or parallel, got "sometimes".')
    ]
    right = await told(caller, "cart.yml/check", text=CART.replace("wait: 1h", "wait: 2h"))
    assert right["mistakes"] == [] and any("Wait 2 hours." in line for line in right["sentences"])
    assert (tmp_path / "cart.yml").read_text(encoding="utf-8") == CART


async def test_a_letter_that_can_not_be_written_is_told_while_it_is_edited(market: Office) -> None:
    caller = await marketer(market)
    broken = "fr: {text: \"Bonjour {{ 'x' + event.cart_id }}\"}\n"
    answer = await told(caller, "templates%2Fcart_1.yml/check", text=broken)
    assert answer["mistakes"] == []
    assert answer["warnings"] == [
        f"cart_1 can not be written for {rule}: SecurityError: expected numbers on both sides"
        for rule in ("cart", "weekly")
    ] + [
        'cart_1 can not be written for weekly: expected a field that this rule has: no event begins it, got "event.cart_id"'
    ]
    assert (await told(caller, "templates%2Fcart_1.yml/check", text=TEMPLATE))["warnings"] == []
    assert (await told(caller, "weekly.yml/check", text=WEEKLY))["warnings"] == []


async def test_what_check_warns_of_in_a_terminal_is_told_while_a_rule_is_edited(market: Office) -> None:
    caller = await marketer(market)
    vain = CART + '  - stop: done\n  - webhook: {url: "http://erp.example/in"}\n'
    answer = await told(caller, "cart.yml/check", text=vain)
    assert answer["mistakes"] == [] and [line.split(":")[0] for line in answer["warnings"]] == [
        "nobody gets here", "webhook", "webhook"]  # fmt: skip
    assert "expected https on port 443" in answer["warnings"][1] and "rules.webhook_secret" in answer["warnings"][2]


async def test_a_saved_text_is_used_at_once_and_audited(market: Office, tmp_path: Path) -> None:
    caller, text = await marketer(market), CART.replace("wait: 1h", "wait: 2h")
    answer = await told(caller, "cart.yml", text=text, seen=digest(CART))
    assert answer == {"ok": True, "seen": digest(text)}
    assert (tmp_path / "cart.yml").read_text(encoding="utf-8") == text
    assert market.desk.rules and market.desk.rules.bookcase.book.rules["cart"].text == text
    [row] = await market.desk.store.find("audit", {"act": "rule.saved"})
    assert (row["by"], row["about"]) == ("maya", "file:cart.yml")


async def test_mistakes_forbid_saving(market: Office, tmp_path: Path) -> None:
    answer = await told(await marketer(market), "cart.yml", text="rule: cart\n", seen=digest(CART))
    assert answer["reason"] == "mistakes" and answer["mistakes"]
    assert (tmp_path / "cart.yml").read_text(encoding="utf-8") == CART


async def test_a_file_that_changed_meanwhile_is_kept_until_its_reader_says_over(market: Office, tmp_path: Path) -> None:
    caller, theirs = await marketer(market), CART.replace("wait: 1h", "wait: 3h")
    (tmp_path / "cart.yml").write_text(theirs, encoding="utf-8")
    mine = CART.replace("wait: 1h", "wait: 2h")
    answer = await told(caller, "cart.yml", text=mine, seen=digest(CART))
    assert (answer["reason"], answer["theirs"], answer["seen"]) == ("changed", theirs, digest(theirs))
    assert (tmp_path / "cart.yml").read_text(encoding="utf-8") == theirs
    third = CART.replace("wait: 1h", "wait: 4h")
    (tmp_path / "cart.yml").write_text(third, encoding="utf-8")  # while mine and theirs were compared
    answer = await told(caller, "cart.yml", text=mine, seen=answer["seen"], over=True)
    assert (answer["reason"], answer["theirs"]) == ("changed", third)
    again = await told(caller, "cart.yml", text=mine, seen=answer["seen"], over=True)
    assert again["ok"] and (tmp_path / "cart.yml").read_text(encoding="utf-8") == mine


async def test_of_those_who_save_or_make_a_file_at_once_one_is_told_that_it_stands(
    market: Office, tmp_path: Path
) -> None:
    caller = await marketer(market)
    texts = [CART.replace("wait: 1h", f"wait: {hours}h") for hours in range(2, 6)]
    answers = await asyncio.gather(*(told(caller, "cart.yml", text=text, seen=digest(CART)) for text in texts))
    [kept] = [text for text, answer in zip(texts, answers, strict=True) if answer["ok"]]
    assert (tmp_path / "cart.yml").read_text(encoding="utf-8") == kept
    assert {answer["reason"] for answer in answers if not answer["ok"]} == {"changed"}
    made = [caller.post("/rule-files", form={"name": "brand-new", "from": "cart.yml"}) for _ in texts]
    assert sorted(answer.status for answer in await asyncio.gather(*made)) == [303, 422, 422, 422]


async def test_no_path_leads_out_of_the_book(market: Office) -> None:
    caller = await marketer(market)
    for file in ("..%2Fx.yml", "templates%2F..%2Fx.yml", ".hidden.yml", "cart.txt", "none.yml"):
        assert (await caller.get(f"/rule-files/{file}")).status == 404, file
        assert (await caller.post(f"/rule-files/{file}", {"text": "a: b", "seen": ""})).status == 404, file


async def test_who_only_reads_the_book_saves_nothing_and_sends_nothing(market: Office) -> None:
    caller = await market.signed_in(await market.agent(role="supervisor"))
    assert "readonly" in await caller.page("/rule-files/cart.yml")
    for act in ("", "/trial"):
        assert (await caller.post(f"/rule-files/cart.yml{act}", {"text": CART})).status == 403


async def test_a_new_rule_is_a_draft_copied_from_one_of_the_book(market: Office, tmp_path: Path) -> None:
    caller = await marketer(market)
    assert "Bring back a cart" in await caller.page("/rule-files")
    answer = await caller.post("/rule-files", form={"name": "spring", "from": "cart.yml"})
    assert answer.status == 303 and answer.headers["Location"].endswith("/rule-files/spring.yml")
    made = (tmp_path / "spring.yml").read_text(encoding="utf-8")
    assert made == CART.replace("rule: cart\n", "rule: spring\n").replace("state: live", "state: draft")
    twice = await caller.post("/rule-files", form={"name": "spring", "from": ""})
    assert twice.status == 422 and "There is a rule of this name already." in await twice.text()
    odd = await caller.post("/rule-files", form={"name": "../x", "from": ""})
    assert odd.status == 422


async def test_nobody_waits_while_what_may_be_copied_is_read(market: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[threading.Thread] = []
    read = rule_files._read

    def noted(*asked: Any) -> Any:
        threads.append(threading.current_thread())
        return read(*asked)

    monkeypatch.setattr(rule_files, "_read", noted)
    await (await marketer(market)).page("/rule-files")
    assert threads and threading.main_thread() not in threads


async def test_an_empty_rule_fits_the_book(market: Office) -> None:
    answer = await (await marketer(market)).post("/rule-files", form={"name": "blank", "from": ""})
    assert answer.status == 303, await answer.text()
    assert market.desk.rules and market.desk.rules.bookcase.book.rules["blank"].state == "draft"


async def test_an_sms_that_a_curly_quote_makes_dear_is_told_with_what_to_write(market: Office) -> None:
    caller = await marketer(market)
    dear = TEMPLATE.replace("votre panier vous attend.", f"votre panier vous attend{' encore' * 12}, c“est dit.")
    (warning,) = (await told(caller, "templates%2Fcart_1.yml/check", text=dear))["warnings"]
    assert warning == 'cart_1: this SMS of cart is 2 segments, 1 if it is written in GSM-7: “ as ".'


async def test_the_preview_counts_the_audience_and_shows_each_message_with_what_is_missing(market: Office) -> None:
    await live_in(market, "chloe", "FR")
    await live_in(market, "anna", "FR")
    caller = await marketer(market)
    answer = await told(caller, "cart.yml/preview", text=CART)
    assert "<b>2 contacts</b>" in answer["html"] and "Bonjour Chloé, votre panier vous attend." in answer["html"]
    other = CART.replace('"FR", "BE"', '"DE"')
    assert "<b>0 contacts</b>" in (await told(caller, "cart.yml/preview", text=other))["html"]
    lacking = TEMPLATE.replace("contact.first_name", "contact.points")
    shown = await told(caller, "templates%2Fcart_1.yml/preview", text=lacking, contact="Chloé")
    assert "contact.points" in shown["html"] and "Missing" in shown["html"]
    assert await market.desk.store.find("messages", {"metadata.rule": {"$gt": ""}}) == []
    assert await market.desk.store.find("runs", {}) == []


async def test_the_preview_shows_a_mail_with_its_way_out_in_each_language(market: Office) -> None:
    """As it will be sent: marketing by e-mail gets the line that its author did not write, and nobody's own link."""
    assert market.desk.rules
    market.desk.rules.gatekeeper.reaches = Reaches([Reach("telegram", "email")])  # as if it were mail
    caller = await marketer(market)

    async def shown(file: str, text: str) -> str:
        return str((await told(caller, f"{file}/preview", text=text, contact="Anna"))["html"])

    french = "Se désabonner"
    for template in (TEMPLATE, TEMPLATE.replace("text: Hello", "text: '{{ links.preferences }}' #")):
        found = await shown("templates%2Fnew.yml", template)  # no rule sends it yet
        assert french in found and ("Unsubscribe: <a" in found) == (template == TEMPLATE)
        assert "<span>French</span>" in found and '<div class="mail" lang="en">' in found
    assert french not in await shown("cart.yml", CART), "service needs none"
    assert french in await shown("cart.yml", CART.replace("class: service", "class: marketing")), "as it is edited"
    await market.desk.rules.bookcase.save("weekly.yml", WEEKLY.replace("class: marketing", "class: service"), by="maya")
    assert french not in await shown("templates%2Fcart_1.yml", TEMPLATE), "every rule that sends it is of service"


class Mailing(QuietChannel):
    """A channel that tells a mail's header."""

    async def told(self, outbound: Outbound, at: datetime) -> list[tuple[str, str]]:
        return [("From", "La boutique <help@shop.example>"), ("Subject", outbound.content.title)]


async def test_the_preview_of_a_mail_is_the_mail_as_it_is_read(market: Office) -> None:
    assert market.desk.rules
    market.desk.rules.gatekeeper.reaches = Reaches([Reach("telegram", "email")])  # as if it were mail
    cast(dict[str, Channel], market.desk.channels)["telegram"] = Mailing("telegram", "email")
    caller = await marketer(market)
    html = '<p style="color: red">Bonjour {{ contact.first_name }} & co</p>'
    drawn = f"fr:\n  title: Votre panier\n  html: |\n    {html}\n  buttons:\n    - {{title: Voir, url: 'https://shop.example/x'}}\n"
    shown = str((await told(caller, "templates%2Fcart_1.yml/preview", text=drawn, contact="Chloé"))["html"])
    assert "<dd>La boutique &lt;help@shop.example&gt;</dd>" in shown and "<b>Votre panier</b>" in shown
    [page] = [unescape(one) for one in re.findall(r'<textarea name="page">(.*?)</textarea>', shown, re.DOTALL)]
    assert (
        page.startswith('<!doctype html>\n<html lang="fr">') and '<p style="color: red">Bonjour Chloé & co</p>' in page
    )
    assert '<a href="https://shop.example/x">Voir</a>' in page, "what is pressed stands in the page"
    assert re.search(r"Voir: <a [^>]*>https://shop.example/x", shown), "and in the text, for who reads no HTML"
    [name] = re.findall(r'<iframe [^>]*name="([^"]+)" sandbox=""', shown)
    assert f'action="/console/mail-body" target="{name}"' in shown
    plain = str((await told(caller, "templates%2Fcart_1.yml/preview", text=TEMPLATE, contact="Chloé"))["html"])
    assert "<iframe" not in plain and "Bonjour Chloé, votre panier" in plain


async def test_a_mails_page_comes_back_for_a_frame_that_can_do_nothing_and_only_to_the_console(market: Office) -> None:
    caller = await marketer(market)
    editor = await caller.get("/rule-files/cart.yml")
    assert "frame-src 'self'" in editor.headers["Content-Security-Policy"]
    page = "<script>alert(1)</script><p>Bonjour"
    answer = await caller.post("/mail-body", form={"page": page})
    assert (answer.status, answer.content_type, await answer.text()) == (200, "text/html", page)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and policy.endswith("; sandbox") and "script-src" not in policy
    assert answer.headers["X-Frame-Options"] == "SAMEORIGIN" and "frame-ancestors 'self'" in policy
    assert (await caller.post("/mail-body", form={"page": page, "csrf": "another"})).status == 403


async def test_the_preview_tells_what_the_sms_come_to(market: Office, tmp_path: Path) -> None:
    await live_in(market, "chloe", "FR")
    caller = await marketer(market)
    by_sms = re.sub(r"channel: (\[[^\]]*\]|[^,}]+)", "channel: sms", CART)
    unpriced = await told(caller, "cart.yml/preview", text=by_sms)
    assert "no price" in unpriced["html"]
    before = (tmp_path / "pressure.yml").read_text(encoding="utf-8")
    prices = before + "\nsms prices: {currency: EUR, other: 0.1}\n"
    assert (await told(caller, "pressure.yml", text=prices, seen=digest(before)))["ok"]
    shown = (await told(caller, "cart.yml/preview", text=by_sms))["html"]
    found = re.search(r"about (\d+) SMS, \1 segments", shown)
    assert found and int(found[1]) > 0 and f"about {int(found[1]) * 0.1:.2f} EUR" in shown


async def test_the_preview_of_one_contact_tells_why_they_would_not_get_it(market: Office) -> None:
    caller = await marketer(market)
    answer = await told(caller, "cart.yml/preview", text=CART, contact="Boris")
    assert "Not among those the rule is for" in answer["html"]


async def test_testers_and_nobody_else_get_the_messages_as_written_now(market: Office) -> None:
    caller = await marketer(market)
    none = await told(caller, "cart.yml/trial", text=CART)
    assert not none["ok"] and "testers" in none["error"]
    await learned(market, "chloe", "country", "FR")
    text = CART.replace("labels: [cart]\n", "labels: [cart]\ntesters: [telegram:7003]\n")
    answer = await told(caller, "cart.yml/trial", text=text)
    assert answer["ok"] and answer["sent"] == 2
    rows = await market.desk.store.find("messages", {"metadata.trial": True}, sort=[("at", 1)])
    assert {row["profile"] for row in rows} == {"chloe"} and {row["channel"] for row in rows} == {"telegram", "twilio"}
    assert {row["metadata"]["language"] for row in rows} == {"fr"}
    assert all(row["metadata"]["class"] == "service" for row in rows)  # consent is asked when it leaves
    assert await market.desk.store.find("runs", {}) == []


async def test_an_event_of_the_contact_fills_what_the_message_says_of_it(market: Office) -> None:
    template = TEMPLATE.replace("contact.first_name", "event.total")
    caller = await marketer(market)
    await told(caller, "templates%2Fcart_1.yml", text=template, seen=digest(TEMPLATE))
    await live_in(market, "chloe", "FR")
    await happens(market, "cart.updated", "chloe", cart_id="c1", total=33)
    answer = await told(caller, "cart.yml/preview", text=CART, contact="Chloé")
    assert "Bonjour 33, votre panier" in answer["html"]
