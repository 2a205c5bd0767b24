"""What agents do in a conversation, over HTTP and down to the records: once, in turn, audited, and shown as text."""

import asyncio
import re
import uuid
from datetime import timedelta
from typing import Any

import pytest

from admin.people import read_profile
from profiles.append import begin, heard
from profiles.profile import Suppression
from profiles.record import replace
from profiles.snapshot import Changes, Snapshot, Work
from profiles.timeline import Content
from tests.admin.office import Caller, Office, person

CHAT, SMS, ANNA = "telegram:7003", "twilio:+33600000003", "webchat:a1b2c3d4e5f6a7b8"


async def test_a_reply_is_queued_for_the_customer_and_takes_the_conversation_over(shop: Office) -> None:
    samir = await shop.agent("Samir Haddad")
    answer = await _say(await shop.signed_in(samir), ANNA, "Je regarde tout de suite.")
    said = (await answer.json())["said"]
    assert "Je regarde tout de suite." in said["html"]
    conversation = await shop.conversation(ANNA)
    assert (conversation.owner, conversation.assignee, conversation.unread) == ("agent", "samir", 0)
    message = await shop.desk.store.get("messages", said["id"])
    assert message and message["delivery"]["to"] == "webchat:a1b2c3d4e5f6a7b8" and message["author"] == "agent:samir"
    assert await shop.desk.store.count("audit", {"about": ANNA, "act": "conversation.replied"}) == 1


async def test_an_impatient_double_click_is_one_message(shop: Office) -> None:
    caller = await shop.signed_in(await shop.agent())
    id = uuid.uuid4().hex
    before = await shop.desk.store.count("messages", {"conversation": CHAT})
    answers = await asyncio.gather(*(_say(caller, CHAT, "Une seule fois", client_id=id) for _ in range(5)))
    assert {answer.status for answer in answers} == {200}
    assert await shop.desk.store.count("messages", {"conversation": CHAT}) == before + 1


async def test_two_agents_who_write_at_once_both_are_kept_and_one_has_it(shop: Office) -> None:
    maya, samir = await shop.agent(), await shop.agent("Samir Haddad")
    callers = [await shop.signed_in(maya), await shop.signed_in(samir)]
    await asyncio.gather(*(_say(caller, ANNA, f"Message {n}") for n, caller in enumerate(callers)))
    conversation = await shop.conversation(ANNA)
    seqs = [row["seq"] for row in await shop.desk.store.find("messages", {"conversation": ANNA}, sort=[("seq", 1)])]
    assert seqs == list(range(1, len(seqs) + 1)) and conversation.assignee in ("maya", "samir")


async def test_who_opted_out_is_not_written_to_but_noted(shop: Office) -> None:
    def stop(snapshot: Snapshot) -> Changes:
        profile = snapshot.profiles["chloe"]
        identity = profile.identity("telegram:7003")
        assert identity
        banned = replace(identity, suppression=Suppression("opted_out", snapshot.now))
        return Changes(profiles=(profile.with_identity(banned),))

    await shop.do(Work(stop, profiles=("chloe",)))
    caller = await shop.signed_in(await shop.agent())
    answer = await _say(caller, CHAT, "Bonjour")
    assert answer.status == 409 and "asked not to be written to" in (await answer.json())["error"]
    assert "You can not write to them here" in await caller.page("/conversations/telegram%3A7003")
    assert (await _note(caller, CHAT, "Elle a écrit STOP")).status == 200


async def test_a_note_never_leaves_and_counts_for_whom_it_mentions(shop: Office) -> None:
    maya, samir = await shop.agent(), await shop.agent("Samir Haddad")
    caller, other = await shop.signed_in(maya), await shop.signed_in(samir)
    answer = await _note(caller, CHAT, "@Samir Haddad tu peux regarder ? pas @Samirette")
    note = await shop.desk.store.get("messages", (await answer.json())["said"]["id"])
    assert note and "delivery" not in note and note["direction"] == "note"
    assert 'data-count="mentions" >1<' in await other.page("/inbox/mentions")
    assert "Chloé Rossi" in await other.page("/rows/mentions")
    await other.page("/conversations/telegram%3A7003")
    assert 'data-count="mentions" hidden' in await other.page("/inbox/mentions")


@pytest.mark.parametrize(
    ("act", "body", "owner", "status"),
    [
        ("give-back", {}, "bot", "open"),
        ("resolve", {}, "bot", "resolved"),
        ("assign", {"to": "samir"}, "agent", "open"),
        ("assign", {"to": ""}, "queue", "open"),
        ("snooze", {"until": 4102444800}, "agent", "snoozed"),
    ],
)
async def test_an_act_turns_the_conversation_and_is_audited(
    act: str, body: dict[str, Any], owner: str, status: str, shop: Office
) -> None:
    maya = await shop.agent()
    await shop.agent("Samir Haddad")
    caller = await shop.signed_in(maya)
    assert (await caller.post(_path(CHAT, act), body)).status == 200
    conversation = await shop.conversation(CHAT)
    assert (conversation.owner, conversation.status) == (owner, status)
    events = await shop.desk.store.find("events", {"conversation": CHAT, "by": "agent:maya"})
    audit = await shop.desk.store.find("audit", {"about": CHAT, "by": "maya"})
    assert len(events) == len(audit) == 1 and events[0]["name"] == audit[0]["act"]


async def test_an_act_that_somebody_did_first_is_refused_in_words(shop: Office) -> None:
    caller = await shop.signed_in(await shop.agent(language="fr"))
    await caller.post(_path(CHAT, "resolve"))
    answer = await caller.post(_path(CHAT, "resolve"))
    assert (answer.status, (await answer.json())["error"]) == (409, "Cette conversation est déjà résolue.")
    assert (await caller.post(_path(CHAT, "reopen"))).status == 200
    assert (await shop.conversation(CHAT)).assignee == "maya"


async def test_reading_counts_only_what_was_shown(shop: Office) -> None:
    caller = await shop.signed_in(await shop.agent())
    seen = (await shop.conversation(CHAT)).seq
    await shop.says(CHAT, "Et aussi en 42 ?")
    assert (await shop.conversation(CHAT)).unread == 2
    await caller.post(_path(CHAT, "read"), {"seq": seen})
    assert (await shop.conversation(CHAT)).unread == 1, "what came after the page was drawn is still unread"
    await caller.post(_path(CHAT, "read"), {"seq": seen + 1})
    assert (await shop.conversation(CHAT)).unread == 0


async def test_what_a_customer_or_an_agent_writes_is_shown_as_text(shop: Office) -> None:
    caller = await shop.signed_in(await shop.agent())
    await shop.says(CHAT, '<img src=x onerror=alert(1)> javascript:alert(2) http://a.example/"><script>')
    await _note(caller, CHAT, "<b>gras</b> [lien](javascript:alert(3))")
    page = await caller.page("/inbox/all/telegram%3A7003")
    assert "&lt;img src=x onerror=alert(1)&gt;" in page and "<img src=x" not in page
    assert "&lt;b&gt;gras&lt;/b&gt;" in page
    assert not re.search(r'href="(?!https?://|/console|mailto:|tel:|#)', page)


async def test_the_timeline_goes_across_channels_and_pages_back_without_loss(shop: Office) -> None:
    caller = await shop.signed_in(await shop.agent())
    for number in range(70):
        await shop.says(CHAT, f"message {number:03}")
    page = await caller.page("/conversations/telegram%3A7003")
    shown = re.findall(r"message (\d{3})<", page)
    before = re.search(r'id="timeline" data-before="([^"]+)"', page)
    assert shown == [f"{number:03}" for number in range(20, 70)] and before
    older = await caller.page(f"/people/chloe/timeline?before={before.group(1)}")
    assert re.findall(r"message (\d{3})<", older) == [f"{number:03}" for number in range(20)]
    assert "Ma veste en 38" in older, "what was said by SMS stands on the same timeline"
    assert 'data-before=""' in older


async def test_the_list_pages_by_key_and_each_conversation_comes_once(shop: Office) -> None:
    at = shop.clock() - timedelta(days=3)
    for number in range(90):
        profile = person(f"q{number}", f"Person {number}", at, ("telegram", f"9{number:03}"))
        thread = begin(f"telegram:9{number:03}", profile, channel="telegram", address=f"9{number:03}",
                       identity=f"telegram:9{number:03}", now=at)  # fmt: skip
        # three share each instant: a key that forgot the id would lose or repeat some
        thread, message = heard(thread, Content("hello"), id=f"m{number}", now=at + timedelta(minutes=number // 3))
        await shop.commit(Changes((profile,), (thread,), {f"telegram:9{number:03}": profile.id}, messages=(message,)))
    caller = await shop.signed_in(await shop.agent())
    seen: list[str] = []
    after = ""
    for _ in range(10):
        rows = await caller.page(f"/rows/all?after={after}")
        seen += re.findall(r'<li class="row[^>]*data-id="([^"]+)"', rows)
        found = re.search(r'data-next="([^"]*)"', rows)
        after = found.group(1) if found else ""
        if not after:
            break
    assert len(seen) == len(set(seen)) == 94


async def test_a_page_of_a_conversation_that_does_not_exist_says_so(shop: Office) -> None:
    caller = await shop.signed_in(await shop.agent())
    assert "does not exist any more" in await caller.page("/inbox/all/telegram%3Anobody")
    for path in ("/conversations/nobody", "/people/nobody", "/people/nobody/timeline", "/messages/none/files/0"):
        assert (await caller.get(path)).status == 404
    assert (await caller.post(_path("nobody", "take"))).status == 404


@pytest.mark.parametrize(
    "body",
    [{"text": {"$gt": ""}, "id": "x" * 12}, {"text": "a", "id": "x" * 12, "owner": "bot"}, {"text": 5, "id": "x" * 12},
     {"text": "a", "id": "../../x"}, {"text": "a", "id": "x" * 12, "files": [{"$ne": 1}]}, {"text": "   ", "id": "x" * 12}],
)  # fmt: skip
async def test_a_reply_of_the_wrong_shape_is_refused(body: dict[str, Any], shop: Office) -> None:
    caller = await shop.signed_in(await shop.agent())
    before = await shop.desk.store.count("messages", {})
    assert 400 <= (await caller.post(_path(CHAT, "reply"), body)).status < 500
    assert await shop.desk.store.count("messages", {}) == before


async def test_lone_surrogates_and_nul_do_not_break_the_writer(shop: Office) -> None:
    caller = await shop.signed_in(await shop.agent())
    answer = await _say(caller, CHAT, "a\x00b")
    assert answer.status == 200 and "a\ufffdb" in (await answer.json())["said"]["html"]


async def test_a_merge_keeps_both_timelines_and_is_undone(shop: Office) -> None:
    caller = await shop.signed_in(await shop.agent())
    assert "Anna Martin" in await caller.page("/people/chloe/merge?q=Anna")
    assert (await caller.post("/people/chloe/merge", {"other": "anna"})).status == 200
    page = await caller.page("/people/chloe")
    assert "Ma commande A-1042" in page and "Undo" in page
    assert "Chloé Rossi" in await caller.page("/people/anna"), "the old address leads to the one who stays"
    merge = await shop.desk.store.first("merges", {"kept": "chloe"})
    assert merge
    assert (await caller.post(f"/merges/{merge['_id']}/undo")).status == 200
    anna = await read_profile(shop.desk, "anna")
    assert anna and anna.id == "anna" and anna.identity("email:anna.martin@example.org")
    assert (await caller.post(f"/merges/{merge['_id']}/undo")).status == 409


async def test_an_attribute_is_learned_corrected_and_forgotten(shop: Office) -> None:
    caller = await shop.signed_in(await shop.agent())
    for name, value, status in (("city", "Lyon", 200), ("city", "Nice", 200), ("version", "9", 409), ("$x", "1", 409)):
        assert (await caller.post("/people/chloe/attributes", {"name": name, "value": value})).status == status
    profile = await read_profile(shop.desk, "chloe")
    assert profile and profile.value("city") == "Nice" and profile.attributes["city"].by == "agent:maya"
    await caller.post("/people/chloe/attributes", {"name": "city", "value": None})
    profile = await read_profile(shop.desk, "chloe")
    assert profile and profile.value("city") is None


async def test_a_conversation_opens_with_an_attribute_that_only_the_house_knows(shop: Office) -> None:
    caller = await shop.signed_in(await shop.agent())
    await caller.post("/people/chloe/attributes", {"name": "shoe_size", "value": "39"})
    for path in (
        "/inbox/all/telegram%3A7003",
        "/conversations/telegram%3A7003",
        "/conversations/telegram%3A7003/panel",
    ):
        assert "shoe size" in await caller.page(path), path


async def test_search_finds_words_names_and_the_beginnings_of_addresses(shop: Office) -> None:
    caller = await shop.signed_in(await shop.agent())
    found = {"commande": "Anna Martin", "COMMANDÉ suivi": "Anna Martin", "veste bleu": "Chloé Rossi", "anna.mart": "Anna Martin",
             "0600000002": "Boris Petit", "rossi": "Chloé Rossi"}  # fmt: skip
    for asked, name in found.items():
        assert name in (await caller.page(f"/search?q={asked}")).partition("</nav>")[2], asked
    for asked in ("commande licorne", '" $where', "-commande", ".*"):
        assert (await caller.get(f"/search?q={asked}")).status == 200
    assert "Nothing found" in await caller.page("/search?q=commande%20licorne")


def _path(id: str, act: str) -> str:
    return f"/conversations/{id.replace(':', '%3A').replace('+', '%2B')}/{act}"


async def _say(caller: Caller, id: str, text: str, **more: Any) -> Any:
    return await caller.post(_path(id, "reply"), {"id": more.get("client_id", uuid.uuid4().hex), "text": text})


async def _note(caller: Caller, id: str, text: str) -> Any:
    return await caller.post(_path(id, "note"), {"id": uuid.uuid4().hex, "text": text})
