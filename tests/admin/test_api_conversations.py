"""Conversations through the API: read without the agents' notes, and spoken to as the shop."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from admin.inbox import Row, Wanted
from admin.pages import render
from admin.texts import texts
from profiles.append import heard, noted, said
from profiles.conversation import Conversation, take
from profiles.personal_links import PersonalLinks
from profiles.profile import Suppression
from profiles.snapshot import Changes, Work
from profiles.timeline import Attachment, Button, Content
from tests.admin.api_client import Caller, caller_on
from tests.world import NOON, person

THREAD = Conversation("telegram:42", "P1", "telegram", "42", NOON)


@pytest.fixture
async def caller(mongo_url: str, database_name: str) -> AsyncIterator[Caller]:
    async with caller_on(mongo_url, database_name) as caller:
        yield caller


async def talk(caller: Caller, thread: Conversation = THREAD) -> None:
    """Put a conversation there: hello, an answer with a button, a private note, a picture."""
    known = {"now": NOON}
    thread, hello = heard(thread, Content("hello"), id="telegram:1", **known)
    thread, answer = said(
        thread, Content("hi", (Button("Hours", "/hours"),)), id="telegram:1:1", author="bot", to=thread.id, **known
    )
    thread, note = noted(thread, "difficult customer", id="note:1", author="agent:7", **known)
    picture = Content("", attachments=(Attachment("image", "cat.png", "image/png", 12, remote="secret-file-id"),))
    thread, sent = heard(thread, picture, id="telegram:2", **known)
    changes = Changes(conversations=(thread,), messages=(hello, answer, note, sent))
    await caller.add(person("P1", "telegram:42"))
    await caller.desk.writer.commit(Work(lambda snapshot: changes))


async def test_messages_are_read_in_order_and_notes_stay_with_the_agents(caller: Caller) -> None:
    await talk(caller)
    _, answer = await caller.ask("GET", "/conversations/telegram:42/messages")
    assert [(message["seq"], message["author"], message["text"]) for message in answer["items"]] == [
        (1, "customer", "hello"), (2, "bot", "hi"), (4, "customer", ""),
    ]  # fmt: skip
    assert answer["items"][1]["buttons"] == [{"title": "Hours", "payload": "/hours", "url": None}]
    assert answer["items"][2]["attachments"] == [{"kind": "image", "name": "cat.png", "mime": "image/png", "size": 12}]
    assert "secret-file-id" not in str(answer)
    assert (await caller.ask("GET", "/messages/note:1"))[0] == 404
    assert (await caller.ask("GET", "/messages/telegram:1:1"))[1]["delivery"]["state"] == "queued"


async def test_who_reads_messages_is_not_shown_what_acts_for_the_contact(caller: Caller) -> None:
    link = PersonalLinks(b"s" * 32, "https://shop.example").preferences("P1", NOON)
    content = Content(f"Yours: {link}", (Button("Choose", url=link),))
    thread, offer = said(THREAD, content, id="telegram:9", author="bot", to=THREAD.id, now=NOON)
    await caller.add(person("P1", "telegram:42"))
    await caller.desk.writer.commit(Work(lambda snapshot: Changes(conversations=(thread,), messages=(offer,))))
    for path in (
        "/conversations",
        "/conversations/telegram:42",
        "/conversations/telegram:42/messages",
        "/messages/telegram:9",
    ):
        status, answer = await caller.ask("GET", path)
        assert status == 200
        assert "https://shop.example/p/…" in str(answer)
        assert link not in str(answer)
    row = render(
        "_row.html",
        texts("en"),
        row=Row(thread, person("P1", "telegram:42")),
        wanted=Wanted("all"),
        agents={},
        current=None,
    )
    assert "https://shop.example/p/…" in row
    mail = replace(
        offer, channel="email", direction="inbound", author="customer", metadata={"whole": f"> Yours: {link}"}
    )
    item = render("_item.html", texts("en"), item=mail, agents={}, profile=None, read_seq=0, words=None)
    assert item.count("https://shop.example/p/…") == 2  # what it says, and the whole mail
    assert 'href="https://shop.example/p/' not in item
    assert link not in row + item


async def test_messages_go_on_after_a_seq(caller: Caller) -> None:
    await talk(caller)
    _, first = await caller.ask("GET", "/conversations/telegram:42/messages?limit=2")
    _, second = await caller.ask("GET", f"/conversations/telegram:42/messages?limit=2&after={first['after']}")
    assert [message["seq"] for message in first["items"] + second["items"]] == [1, 2, 4]
    assert second["after"] is None


async def test_conversations_are_listed_latest_first_each_once(caller: Caller) -> None:
    threads = [
        replace(THREAD, id=f"telegram:{n}", address=str(n), active_at=NOON + timedelta(minutes=n // 2),
                status="resolved" if n % 2 else "open", profile="P1" if n < 4 else "P2")
        for n in range(8)
    ]  # fmt: skip
    await caller.add(person("P1", "telegram:42"), *threads)
    await caller.add(person("P2", "telegram:43"))

    async def listed(query: str) -> list[str]:
        seen, after = [], ""
        while True:
            _, answer = await caller.ask("GET", f"/conversations?limit=3&{query}{after}")
            seen += [item["id"].removeprefix("telegram:") for item in answer["items"]]
            if answer["after"] is None:
                return seen
            after = f"&after={answer['after']}"

    assert await listed("") == ["6", "7", "4", "5", "2", "3", "0", "1"]
    assert await listed("status=open") == ["6", "4", "2", "0"]
    assert await listed("profile=P1&status=resolved") == ["3", "1"]
    assert await listed("channel=twilio") == []


@pytest.mark.parametrize(
    "query", ["status=all", "status[$ne]=open", "owner=me", "after=x", "after=1~", "channel=$where"]
)
async def test_a_filter_that_is_none_is_refused(caller: Caller, query: str) -> None:
    await talk(caller)
    status, _ = await caller.ask("GET", f"/conversations?{query}")
    assert status == (200 if query == "after=1~" else 422)


async def test_what_the_shop_says_is_committed_once_and_due_to_be_sent(caller: Caller) -> None:
    await talk(caller)
    heard_of: list[Any] = []
    caller.desk.writer.listen(lambda group: heard_of.extend(m for changes in group for m in changes.messages))
    body = {"text": "Your order has left", "buttons": [{"title": "Follow it", "url": "https://shop.example/42"}]}
    headers = {"Idempotency-Key": "order-42-left"}
    answers = await asyncio.gather(
        *(caller.ask("POST", "/conversations/telegram:42/messages", body, headers=headers) for _ in range(5))
    )
    assert {status for status, _ in answers} == {201}
    message = answers[0][1]
    assert (message["author"], message["seq"], message["delivery"]["state"]) == ("system", 5, "queued")
    assert [said.id for said in heard_of] == [message["id"]], "the back door hears of it once"
    assert heard_of[0].delivery.to == "telegram:42"
    assert heard_of[0].delivery.leased_by == "p1"
    assert heard_of[0].metadata["by"] == f"key:{caller.key.split('_')[1]}"
    status, stored = await caller.ask("GET", f"/messages/{message['id']}")
    assert (status, stored["text"]) == (200, "Your order has left")


async def test_the_shop_does_not_take_the_conversation_from_its_agent(caller: Caller) -> None:
    await talk(caller, take(THREAD, "7"))
    await caller.ask("POST", "/conversations/telegram:42/messages", {"text": "hello"})
    _, answer = await caller.ask("GET", "/conversations/telegram:42")
    assert (answer["owner"], answer["assignee"]) == ("agent", "7")


async def test_an_sms_is_addressed_in_the_space_of_all_phones(caller: Caller) -> None:
    thread = Conversation("twilio:+33612345678", "P1", "twilio", "+33612345678", NOON)
    await caller.add(person("P1", "sms:+33612345678"), thread)
    await caller.ask("POST", "/conversations/twilio:%2B33612345678/messages", {"text": "hello"})
    stored = await caller.desk.store.first("messages", {"conversation": thread.id})
    assert stored is not None
    assert stored["delivery"]["to"] == "sms:+33612345678"


async def test_who_said_stop_is_not_written_to(caller: Caller) -> None:
    profile = person("P1", "telegram:42")
    ban = replace(profile.identities[0], suppression=Suppression("opted_out", NOON))
    await caller.add(replace(profile, identities=(ban,)), THREAD)
    status, answer = await caller.ask("POST", "/conversations/telegram:42/messages", {"text": "Sale!"})
    assert (status, answer["type"].split("#")[1], answer["detail"]) == (409, "suppressed", "opted_out")
    assert await caller.desk.store.count("messages", {}) == 0


async def test_a_channel_that_is_not_connected_can_not_send(caller: Caller) -> None:
    thread = replace(THREAD, id="line:1", channel="line", address="1")
    await caller.add(person("P1", "line:1"), thread)
    assert (await caller.ask("POST", "/conversations/line:1/messages", {"text": "hello"}))[0] == 409


@pytest.mark.parametrize(
    "body",
    [{}, {"text": ""}, {"text": {"$gt": ""}}, {"text": "x" * 16_001}, {"text": "a", "author": "agent:7"},
     {"text": "a", "conversation": "telegram:43"}, {"text": "a", "buttons": [{"title": "x", "url": "javascript:alert(1)"}]},
     {"text": "a", "buttons": [{"title": "x"}] * 11}],
)  # fmt: skip
async def test_a_message_that_can_not_be_taken_is_refused(caller: Caller, body: Any) -> None:
    await caller.add(person("P1", "telegram:42"), THREAD)
    status, _ = await caller.ask("POST", "/conversations/telegram:42/messages", body)
    assert status == 422
    assert await caller.desk.store.count("messages", {}) == 0


async def test_what_is_not_there_says_so(caller: Caller) -> None:
    for method, path in (("GET", ""), ("GET", "/messages"), ("POST", "/messages")):
        body = {"text": "a"} if method == "POST" else None
        assert (await caller.ask(method, f"/conversations/telegram:0{path}", body))[0] == 404
