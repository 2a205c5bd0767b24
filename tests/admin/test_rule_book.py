"""The rule book's pages: what each rule did, files with mistakes, and a state that changes in the file and nowhere else."""

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import cast
from zoneinfo import ZoneInfo

import pytest

from admin.rule_book import next_firing
from admin.rule_files import digest
from admin.timeline import place_of, stretch
from channels.channel import Channel, Outbound
from profiles.consents import Said
from profiles.findings import Findings
from profiles.personal_links import PersonalLinks
from profiles.profile import Profile
from profiles.record import from_document
from profiles.timeline import Message
from rules.file_reading import Names
from rules.reasons import BESIDE_GATES
from rules.rule_file import read_rule
from tests.admin.market import BIRTHDAY, CART, WEEKLY, happens, learned, live_in, passes, sent_to, shelve
from tests.admin.office import SECRET, Office, QuietChannel, close_office, open_office

PARIS = ZoneInfo("Europe/Paris")


@pytest.mark.parametrize("manual", ["docs/marketers.md", "docs/fr/marketers.md"])
def test_every_reason_that_a_rule_itself_gives_is_in_the_manual(manual: str) -> None:
    text = (Path(__file__).parents[2] / manual).read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)) == set(BESIDE_GATES)
    assert all(set(said) == {"en", "fr"} for said in BESIDE_GATES.values())


async def test_marketers_come_in_at_the_rules_and_find_them_in_the_audit(market: Office) -> None:
    marketer = await market.signed_in(await market.agent(role="marketer"))
    assert (await marketer.get("/")).headers["Location"] == "/console/rules"
    await marketer.post("/rules/cart/state", form={"state": "paused"})
    admin = await market.signed_in(await market.agent("Samir Haddad", role="admin"))
    assert 'href="/console/rules/cart"' in await admin.page("/audit")


async def test_the_list_says_what_each_rule_did_and_when_it_fires(market: Office) -> None:
    await live_in(market, "chloe", "FR")
    await happens(market, "cart.updated", "chloe", cart_id="c1", total=80)
    marketer = await market.signed_in(await market.agent(role="marketer"))
    page = await marketer.page("/rules")
    assert "Bring back a cart left for an hour" in page and "crm@example.org" in page
    assert "<dd>1</dd>" in page
    assert "next" in page  # weekly has a clock
    only = await marketer.page("/rules?q=news")
    assert "News on Monday morning" in only and "Bring back" not in only
    assert "Nothing found" in await marketer.page("/rules?state=paused")


async def test_a_rule_is_called_by_its_title_in_the_readers_language(market: Office, tmp_path: Path) -> None:
    titled = CART.replace("rule: cart\n", "rule: cart\ntitle: {fr: Rappel d'un panier, en: Zealous reminder}\n")
    (tmp_path / "cart.yml").write_text(
        titled.replace("about: Bring", "about:\n  fr: Revoilà\n  en: Bring"), encoding="utf-8"
    )
    assert market.desk.rules
    await market.desk.rules.bookcase.look(at_once=True)
    reader = await market.signed_in(await market.agent(role="marketer", language="fr"))
    pages = [await reader.page(path) for path in ("/rules", "/rules/cart", "/rule-files")]
    assert all("Rappel d’un panier" in page and "Revoilà" in page and "Bring" not in page for page in pages)
    english = await (await market.signed_in(await market.agent("Ann Lee", role="marketer"))).page("/rules")
    assert english.index("Bring back a cart") > english.index("News on Monday")  # by what it is called
    await reader.post("/rule-files", form={"name": "spring", "from": "cart.yml"})
    assert "title:" not in (tmp_path / "spring.yml").read_text(encoding="utf-8")


async def test_a_list_longer_than_a_page_goes_on_behind_its_last_name(
    mongo_url: str, database_name: str, tmp_path: Path
) -> None:
    more = {f"r{number:03d}": CART.replace("rule: cart", f"rule: r{number:03d}") for number in range(45)}
    office = await open_office(mongo_url, database_name, book=shelve(tmp_path, **more))
    caller = await office.signed_in(await office.agent(role="marketer"))
    first = await caller.page("/rules")
    assert "r039" not in first and "after=r038" in first
    answer = await caller.get("/rules?after=r038", headers={"X-Fragment": "1"})
    rest = await answer.text()
    assert "r039" in rest and "weekly" in rest and "r038<" not in rest
    await close_office(office)


async def test_a_broken_file_is_told_with_line_and_column_while_the_one_before_goes_on(
    market: Office, tmp_path: Path
) -> None:
    (tmp_path / "cart.yml").write_text(CART.replace("again: restart", "again: sometimes"), encoding="utf-8")
    assert market.desk.rules
    await market.desk.rules.bookcase.look(at_once=True)
    page = await (await market.signed_in(await market.agent(role="marketer"))).page("/rules")
    assert "cart.yml:9:" in page and "The version before is still used." in page
    assert "Bring back a cart" in page


async def test_pausing_a_rule_changes_one_line_of_its_file_and_is_audited(market: Office, tmp_path: Path) -> None:
    caller = await market.signed_in(await market.agent(role="marketer"))
    answer = await caller.post("/rules/cart/state", form={"state": "paused"})
    assert answer.status == 303
    assert (tmp_path / "cart.yml").read_text(encoding="utf-8") == CART.replace("state: live", "state: paused")
    assert market.desk.rules and market.desk.rules.bookcase.book.rules["cart"].state == "paused"
    rows = await market.desk.store.find("audit", {"act": "rule.state"})
    assert [(row["about"], row["details"]) for row in rows] == [("rule:cart", {"before": "live", "after": "paused"})]


async def test_who_only_reads_the_book_changes_no_state(market: Office) -> None:
    caller = await market.signed_in(await market.agent(role="supervisor"))
    assert "Bring back" in await caller.page("/rules")
    assert (await caller.post("/rules/cart/state", form={"state": "paused"})).status == 403
    agent = await market.signed_in(await market.agent("Samir Haddad"))
    assert (await agent.get("/rules")).status == 403


async def test_one_rule_shows_its_words_its_tree_and_who_is_inside(market: Office) -> None:
    await live_in(market, "chloe", "FR")
    await happens(market, "cart.updated", "chloe", cart_id="c1", total=80)
    page = await (await market.signed_in(await market.agent(role="marketer"))).page("/rules/cart")
    assert 'class="tree-count"' in page and "<title id=" in page
    assert "Wait 1 hour." in page
    assert "Variant" in page and "Held out" not in page


async def test_why_somebody_did_not_get_it_is_answered_though_nothing_was_stored(market: Office) -> None:
    caller = await market.signed_in(await market.agent(role="marketer"))
    never = await caller.page("/rules/cart/decisions?contact=chloe")
    assert "What begins this rule never happened to them" in never
    await happens(market, "cart.updated", "chloe", cart_id="c1", total=10)
    small = await caller.page("/rules/cart/decisions?contact=chloe")
    assert "It happened to them, but not as the rule asks" in small
    await happens(market, "cart.updated", "chloe", cart_id="c1", total=80)
    abroad = await caller.page("/rules/cart/decisions?contact=chloe")
    assert "Not among those the rule is for." in abroad and "This is not true of them" in abroad
    assert "the contact&#39;s country is" in abroad or "country" in abroad
    assert await market.desk.store.find("messages", {"metadata.rule": "cart"}) == []  # asking sent nothing


async def test_why_names_the_limit_that_stands_against_a_message_now(market: Office) -> None:
    caller = await market.signed_in(await market.agent(role="marketer"))
    await live_in(market, "boris", "FR")
    await happens(market, "cart.updated", "boris", cart_id="c1", total=80)  # Boris has no Telegram
    page = await caller.page("/rules/cart/decisions?contact=boris")
    assert "No address on this channel" in page  # stored
    assert "Already inside the rule." in page or "would not leave" in page  # and what holds now


async def test_the_search_for_a_contact_leads_to_their_decisions(market: Office) -> None:
    caller = await market.signed_in(await market.agent(role="marketer"))
    page = await caller.page("/rules/cart/decisions?q=Chlo%C3%A9")
    assert "contact=chloe" in page


async def test_versions_are_listed_and_compared(market: Office, tmp_path: Path) -> None:
    assert market.desk.rules
    await market.desk.rules.bookcase.save("cart.yml", CART.replace("wait: 1h", "wait: 2h"), by="maya")
    caller = await market.signed_in(await market.agent(role="marketer"))
    known = await market.desk.rules.bookcase.versions("cart")
    assert len(known) == 2
    page = await caller.page(f"/rules/cart/versions?version={known[1].id}")
    assert "wait: 1h" in page and "wait: 2h" in page and "Maya Lindqvist" in page


@pytest.mark.parametrize(
    ("trigger", "expected"),
    [
        ("{schedule: mon 09:00}", datetime(2026, 11, 23, 9, tzinfo=PARIS)),
        ("{schedule: day 1 10:00}", datetime(2026, 12, 1, 10, tzinfo=PARIS)),
        ("{once: 2027-06-01 08:00}", datetime(2027, 6, 1, 8, tzinfo=PARIS)),
        ("{event: a.b}", None),
    ],
)
def test_the_next_firing_is_found_within_a_day_or_a_year(trigger: str, expected: datetime | None) -> None:
    text = WEEKLY.replace("{schedule: mon 09:00}", trigger)
    rule = read_rule(text, "r.yml", Names(), Findings())
    assert rule
    assert next_firing(rule, PARIS, datetime(2026, 11, 22, 12, tzinfo=PARIS)) == expected


async def test_a_message_has_a_page_with_its_states_and_why_it_left(market: Office) -> None:
    await live_in(market, "chloe", "FR")
    await happens(market, "cart.updated", "chloe", cart_id="c1", total=80)
    [message] = await sent_to(market, "chloe")
    await happens(market, "message.clicked", "chloe", message=message.id, url="https://shop.example/cart")
    caller = await market.signed_in(await market.agent(role="marketer"))
    page = await caller.page(f"/deliveries/{message.id}")
    assert "Bonjour Chloé, votre panier vous attend." in page
    assert "Clicked" in page and "https://shop.example/cart" in page and 'href="/console/rules/cart"' in page
    assert "first" in page and "telegram:7003" in page
    assert '<div class="letter" lang="fr">' in page and "<dt>Language</dt><dd>French</dd>" in page
    assert "<dt>It needed</dt><dd>that they have not said no</dd>" in page and "not_withdrawn" not in page
    assert (await caller.get("/deliveries/nobody")).status == 404


async def test_a_message_s_page_shows_what_its_channel_told_beside_the_words(market: Office) -> None:
    await live_in(market, "chloe", "FR")
    await happens(market, "cart.updated", "chloe", cart_id="c1", total=80)
    [message] = await sent_to(market, "chloe")
    caller = await market.signed_in(await market.agent(role="marketer"))
    assert "Its header" not in await caller.page(f"/deliveries/{message.id}")
    channels = cast(dict[str, Channel], market.desk.channels)
    channels["telegram"] = Telling("telegram", "telegram")
    page = await caller.page(f"/deliveries/{message.id}")
    assert "Its header" in page and "<dt>X-Urgency</dt><dd><code>to 7003 &lt;b&gt;</code>" in page


async def test_a_message_s_page_says_that_its_link_ended_the_topic(market: Office) -> None:
    await live_in(market, "chloe", "FR")
    await happens(market, "cart.updated", "chloe", cart_id="c1", total=80)
    [message] = await sent_to(market, "chloe")
    caller = await market.signed_in(await market.agent(role="marketer"))
    assert "They asked us to stop writing" not in await caller.page(f"/deliveries/{message.id}")
    assert market.desk.consents
    said = Said("one_click", evidence={"message": message.id})
    await market.desk.consents.withdraw("chloe", "telegram", "offers", said, now=market.desk.clock())
    page = await caller.page(f"/deliveries/{message.id}")
    assert "<b>They asked us to stop writing</b> <span>Offers</span>" in page


class Telling(QuietChannel):
    """A channel that tells one field."""

    async def told(self, outbound: Outbound, at: datetime) -> list[tuple[str, str]]:
        return [("X-Urgency", f"to {outbound.address} <b>")]


async def test_an_email_is_shown_in_a_frame_that_can_do_nothing(market: Office) -> None:
    await live_in(market, "chloe", "FR")
    await happens(market, "cart.updated", "chloe", cart_id="c1", total=80)
    [message] = await sent_to(market, "chloe")
    html = "<script>alert(1)</script><img src=https://track.example/o.gif><p>Bonjour"
    await market.desk.store.change("messages", {"_id": message.id}, {"$set": {"content.html": html}})
    caller = await market.signed_in(await market.agent(role="marketer"))
    page = await caller.get(f"/deliveries/{message.id}")
    assert 'sandbox=""' in await page.text() and "frame-src 'self'" in page.headers["Content-Security-Policy"]
    body = await caller.get(f"/deliveries/{message.id}/body")
    policy = body.headers["Content-Security-Policy"]
    assert "sandbox" in policy and "script-src" not in policy and "default-src 'none'" in policy
    assert "https:" not in policy  # no picture is fetched: it would count as opened


async def test_a_mail_made_of_a_text_and_a_button_is_shown_as_the_page_that_it_was(market: Office) -> None:
    await live_in(market, "chloe", "FR")
    await happens(market, "cart.updated", "chloe", cart_id="c1", total=80)
    [message] = await sent_to(market, "chloe")
    ends = PersonalLinks(SECRET, "https://crm.shop.example").preferences("chloe", market.clock())
    button = {"title": "Vos choix", "url": ends}
    mailed = {"$set": {"content.buttons": [button], "delivery.to": "email:chloe@example.org"}}
    await market.desk.store.change("messages", {"_id": message.id}, mailed)
    caller = await market.signed_in(await market.agent(role="marketer"))
    page, body = [await caller.page(f"/deliveries/{message.id}{part}") for part in ("", "/body")]
    assert '<a href="https://crm.shop.example/p/…">Vos choix</a>' in body and 'lang="fr"' in body
    assert "https://crm.shop.example/p/…" in page and ends not in page + body, "nobody here acts for her"


async def test_the_timeline_tells_messages_of_rules_and_why_others_did_not_come(market: Office) -> None:
    await live_in(market, "chloe", "FR")
    await live_in(market, "boris", "FR")
    await happens(market, "cart.updated", "chloe", cart_id="c1", total=80)
    await happens(market, "cart.updated", "boris", cart_id="c2", total=80)
    caller = await market.signed_in(await market.agent(role="marketer"))
    hers = await caller.page("/people/chloe")
    assert "Rule cart" in hers and "votre panier vous attend" in hers and "/console/deliveries/rule%3A" in hers
    his = await caller.page("/people/boris")
    assert "Rule cart: no address on this channel" in his
    shown = await market.desk.store.get("messages", (await sent_to(market, "chloe"))[0].id)
    assert shown and from_document(Message, shown).author == "rule:cart"
    await passes(market, hours=2)
    assert "votre panier vous attend" in await caller.page("/people/chloe/timeline")


async def test_the_timeline_tells_on_which_of_all_channels_nothing_went_out(market: Office) -> None:
    row = {"rule": "cart", "version": "x", "profile": "chloe", "at": market.clock()}
    await market.desk.store.insert(
        "decisions", {**row, "_id": "d1", "reason": "capped:channel:sms", "channel": "twilio"}
    )
    await market.desk.store.insert("decisions", {**row, "_id": "d2", "reason": "capped:channel:sms"})
    shown = await (await market.signed_in(await market.agent(role="marketer"))).page("/people/chloe")
    assert "Rule cart, SMS: the limit is reached (channel sms)" in shown
    assert "Rule cart: the limit is reached (channel sms)" in shown


async def test_why_says_when_a_clock_strikes_for_this_contact(market: Office, tmp_path: Path) -> None:
    (tmp_path / "birthday.yml").write_text(BIRTHDAY, encoding="utf-8")
    assert market.desk.rules
    await market.desk.rules.bookcase.look(at_once=True)
    caller = await market.signed_in(await market.agent(role="marketer"))
    unknown = await caller.page("/rules/birthday/decisions?contact=chloe")
    assert "The date it hangs on is not known of them: born_on." in unknown
    day = (market.clock() + timedelta(days=40)).date()
    await learned(market, "chloe", "born_on", f"1990-{day:%m-%d}")
    known = await caller.page("/rules/birthday/decisions?contact=chloe")
    assert f"Its clock strikes next for them on {day.day} {day:%B} {day.year}, 10:00." in known


async def test_decisions_are_paged_on_a_timeline_without_loss_or_repetition(market: Office) -> None:
    at = market.clock().replace(microsecond=0)
    rows = [{"_id": f"{number:03d}", "rule": "cart", "version": "x", "profile": "chloe", "reason": "capped:all", "at": at}
            for number in range(130)]  # fmt: skip
    await market.desk.store.insert_missing("decisions", rows)
    for number in range(70):  # of the same instant, on both sides of "decision:" in the order of ids
        await happens(
            market, f"{'a' if number % 2 else 'z'}{number}.happened", "chloe", at=at - timedelta(seconds=number // 30)
        )
    document = await market.desk.store.get("profiles", "chloe")
    assert document
    profile, before, seen = from_document(Profile, document), None, list[str]()
    for _ in range(20):
        found = await stretch(market.desk.store, profile, before=before)
        assert list(found.items) == sorted(found.items, key=place_of)
        seen = [item.id for item in found.items] + seen
        before = found.before
        if before is None:
            break
    assert len(seen) == len(set(seen))
    assert len([id for id in seen if id.startswith("decision:")]) == 130
    assert len([id for id in seen if ".happened-" in id]) == 70


async def test_a_state_is_written_over_what_the_file_says_now(market: Office, tmp_path: Path) -> None:
    (tmp_path / "cart.yml").write_text(
        CART.replace("wait: 1h", "wait: 5h"), encoding="utf-8"
    )  # a moment ago, elsewhere
    caller = await market.signed_in(await market.agent(role="marketer"))
    await caller.post("/rules/cart/state", form={"state": "paused"})
    text = (tmp_path / "cart.yml").read_text(encoding="utf-8")
    assert "wait: 5h" in text and "state: paused" in text


async def test_a_folder_that_can_not_be_written_is_told(market: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, text: str, instead_of: object) -> None:
        raise PermissionError(13, "read-only", str(path))

    monkeypatch.setattr("rules.bookcase.write", refuse)
    caller = await market.signed_in(await market.agent(role="marketer"))
    answer = await caller.post("/rules/cart/state", form={"state": "paused"})
    assert answer.status == 409 and "can not be written here" in await answer.text()
    saved = await caller.post("/rule-files/cart.yml", {"text": CART + "# more", "seen": digest(CART)})
    assert saved.status == 409 and (await saved.json())["reason"] == "book_read_only"
