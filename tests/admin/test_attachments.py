"""Files: what an agent may send, and under which headers anybody's file is shown."""

import uuid

from yarl import URL

from profiles.append import heard
from profiles.snapshot import Changes, Snapshot, Work
from profiles.timeline import Attachment, Content
from tests.admin.office import Caller, Office

PNG = b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR" + b"\0\0\0\x10\0\0\0\x10" + b"\x08\x06\0\0\0" + b"\0" * 40
CHAT, SMS = "telegram:7003", "twilio:+33600000003"


async def test_a_picture_is_uploaded_sent_and_shown_to_agents_only(shop: Office) -> None:
    caller = await shop.signed_in(await shop.agent())
    file = await (await _upload(caller, CHAT, PNG, "../../photo.exe")).json()
    assert file["name"] == "photo.png"
    said = {"id": uuid.uuid4().hex, "text": "", "files": [file["file"]]}
    answer = await caller.post("/conversations/telegram%3A7003/reply", said)
    assert answer.status == 200, await answer.text()
    said = (await answer.json())["said"]
    path = f"/messages/{said['id'].replace(':', '%3A')}/files/0"
    shown = await caller.get(path)
    assert (shown.status, shown.content_type, await shown.read()) == (200, "image/png", PNG)
    assert shown.headers["Content-Disposition"].startswith("attachment")
    assert (
        "sandbox" in shown.headers["Content-Security-Policy"] and shown.headers["X-Content-Type-Options"] == "nosniff"
    )
    assert (await shop.stranger().get(path)).status == 401


async def test_what_runs_in_a_browser_is_not_let_in_and_never_given_out_as_such(shop: Office) -> None:
    caller = await shop.signed_in(await shop.agent())
    for content in (b"\x7fELF" + b"\0" * 50, b"PK\x03\x04" + b"\0" * 50):
        assert (await _upload(caller, CHAT, content, "a.png")).status == 415
    svg = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
    await shop.desk.store.insert(
        "files", {"_id": "evil", "name": "a.svg", "mime": "image/svg+xml", "size": 9, "bytes": svg}
    )

    def think(snapshot: Snapshot) -> Changes:
        content = Content(attachments=(Attachment("image", "a.svg", "image/svg+xml", 9, file="evil"),))
        thread, message = heard(snapshot.conversations[CHAT], content, id="telegram:evil", now=snapshot.now)
        return Changes(conversations=(thread,), messages=(message,))

    await shop.do(Work(think, conversations=(CHAT,)))
    answer = await caller.get("/messages/telegram%3Aevil/files/0")
    assert (answer.status, answer.content_type) == (200, "application/octet-stream")


async def test_a_file_that_is_too_large_is_refused_while_it_comes(shop: Office) -> None:
    caller = await shop.signed_in(await shop.agent())
    assert (await _upload(caller, CHAT, PNG + b"\0" * 10_500_000, "big.png")).status == 413
    assert await shop.desk.store.count("files", {}) == 0


async def test_a_channel_that_carries_no_files_says_so_before_and_after(shop: Office) -> None:
    caller = await shop.signed_in(await shop.agent())
    assert 'id="file" disabled' in await caller.page("/conversations/twilio%3A%2B33600000003")
    file = (await (await _upload(caller, SMS, PNG, "photo.png")).json())["file"]
    path = "/conversations/twilio%3A%2B33600000003/reply"
    assert (await caller.post(path, {"id": uuid.uuid4().hex, "text": "voici", "files": [file]})).status == 422


async def test_a_file_of_another_conversation_can_not_be_sent(shop: Office) -> None:
    caller = await shop.signed_in(await shop.agent())
    file = (await (await _upload(caller, CHAT, PNG, "photo.png")).json())["file"]
    path = "/conversations/webchat%3Aa1b2c3d4e5f6a7b8/reply"
    assert (await caller.post(path, {"id": uuid.uuid4().hex, "text": "", "files": [file]})).status == 422


async def _upload(caller: Caller, id: str, content: bytes, name: str):  # type: ignore[no-untyped-def]
    headers = {"X-CSRF": caller.csrf, "Origin": caller.base.removesuffix("/console"), "X-File-Name": name}
    path = f"{caller.base}/conversations/{id.replace(':', '%3A').replace('+', '%2B')}/files"
    return await caller.http.post(URL(path, encoded=True), data=content, headers=headers)
