"""SMS through Twilio: what its webhooks mean, what its answers prove, and what is not believed."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast

import aiohttp
import pytest
from aiohttp import web
from twilio.request_validator import RequestValidator

from channels.channel import Door, Failed, Later, Outbound, Receipt, Sending, Sent, Unknown
from channels.twilio import Options, Twilio, connect
from profiles.secret import Secret
from profiles.timeline import Attachment, Content
from tests.channels.kits.kit import Recorder
from tests.channels.kits.twilio import TwilioKit, play
from tests.peers.twilio_rest import ACCOUNT, FROM, TOKEN, Answer

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
MEDIA = f"/2010-04-01/Accounts/{ACCOUNT}/Messages/MM{1:032x}/Media/ME{1:032x}"


class Line:
    """The channel, its routes served, its provider played; no database is needed here."""

    def __init__(self, kit: TwilioKit, channel: Twilio, recorder: Recorder, server: web.AppRunner) -> None:
        self.kit, self.channel, self.recorder, self.server = kit, channel, recorder, server

    async def send(self, to: str, text: str = "Bonjour") -> Sending:
        return await self.channel.send(Outbound("m1", to, Content(text=text), f"twilio:{to}", 1))


def door(recorder: Recorder, url: str) -> Door:
    nobody = cast(Any, None)  # this channel keeps nothing of its own
    return Door(recorder.receive, url, lambda: NOW, nobody, nobody, nobody)


async def opened(kit: TwilioKit, options: Options, recorder: Recorder, port: int, public_url: str = "") -> Line:
    channel = await connect(options, door(recorder, public_url or f"http://127.0.0.1:{port}"))
    app, mounted = web.Application(), web.Application()
    mounted.add_routes(channel.routes())
    app.add_subapp("/channels/twilio", mounted)
    server = web.AppRunner(app, shutdown_timeout=0.1)
    await server.setup()
    await web.TCPSite(server, "127.0.0.1", port).start()
    return Line(kit, cast(Twilio, channel), recorder, server)


@pytest.fixture
async def line(free_port: int) -> AsyncIterator[Line]:
    recorder = Recorder()
    async with play(door(recorder, f"http://127.0.0.1:{free_port}")) as kit:
        line = await opened(kit, kit.options, recorder, free_port)
        yield line
        await line.channel.close()
        await line.server.cleanup()


# -- what it hears


async def test_a_message_says_who_wrote_to_which_number(line: Line) -> None:
    status, body = await line.kit.post("message", line.kit.message("Une question\nsur deux lignes", id="1"))
    (heard,) = line.recorder.inbound
    assert (status, body) == (200, "<Response/>")
    assert (heard.address, heard.space, heard.id) == ("+33612345678", "sms", "SM" + "1".zfill(32))
    assert heard.content.text == "Une question\nsur deux lignes"
    assert heard.metadata == {"to": FROM}


@pytest.mark.parametrize(
    ("sender", "address"),
    [("+33612345678", "+33612345678"), ("0612345678", "+33612345678"), ("36180", "36180"), ("BANQUE", "BANQUE"),
     ("+1 (500) 555-0006", "+15005550006"), ("Société", "Société")],
)  # fmt: skip
async def test_a_sender_has_one_spelling(line: Line, sender: str, address: str) -> None:
    await line.kit.post("message", line.kit.message("oui", id="1", From=sender))
    assert [heard.address for heard in line.recorder.inbound] == [address]


async def test_pictures_are_kept_as_addresses_and_bounded(line: Line) -> None:
    urls = {f"MediaUrl{number}": f"{line.kit.peer.url}{MEDIA}" for number in range(12)}
    kinds = {"MediaContentType0": "image/jpeg", "MediaContentType1": "text/vcard", "MediaContentType2": "<script>"}
    await line.kit.post("message", line.kit.message("", id="1", NumMedia="12", **urls, **kinds))
    (heard,) = line.recorder.inbound
    assert len(heard.content.attachments) == 10
    assert heard.content.attachments[0] == Attachment("image", mime="image/jpeg", remote=urls["MediaUrl0"])
    assert [(file.kind, file.mime) for file in heard.content.attachments[1:3]] == [
        ("file", "text/vcard"),
        ("file", "application/octet-stream"),
    ]


@pytest.mark.parametrize("count", ["-1", "x", "", "9999999999999999999999", "²"])
async def test_a_nonsense_count_of_pictures_is_none(line: Line, count: str) -> None:
    status, _ = await line.kit.post("message", line.kit.message("oui", id="1", NumMedia=count))
    assert status == 200
    assert line.recorder.inbound[0].content.attachments == ()


async def test_a_stop_that_twilio_answered_is_not_answered_twice(line: Line) -> None:
    await line.kit.post("message", line.kit.message("STOP", id="1", OptOutType="STOP"))
    assert line.recorder.inbound[0].metadata["answered_by_provider"] is True


async def test_a_whatsapp_address_is_not_taken_for_a_phone(line: Line) -> None:
    status, _ = await line.kit.post("message", line.kit.message("oui", id="1", From="whatsapp:+33612345678"))
    assert (status, line.recorder.arrivals) == (200, [])


@pytest.mark.parametrize("missing", ["MessageSid", "From"])
async def test_a_message_without_an_id_or_a_sender_is_refused(line: Line, missing: str) -> None:
    fields = line.kit.message("oui", id="1") | {missing: "", "SmsSid": ""}
    status, _ = await line.kit.post("message", fields)
    assert (status, line.recorder.arrivals) == (400, [])


@pytest.mark.parametrize(
    ("status", "code", "receipt"),
    [("sent", "", Receipt("twilio", "SM1", "sent", NOW)),
     ("delivered", "", Receipt("twilio", "SM1", "delivered", NOW)),
     ("read", "", Receipt("twilio", "SM1", "read", NOW)),
     ("undelivered", "30006", Receipt("twilio", "SM1", "failed", NOW, "dead 30006")),
     ("undelivered", "30003", Receipt("twilio", "SM1", "failed", NOW, "unreachable 30003")),
     ("failed", "30007", Receipt("twilio", "SM1", "failed", NOW, "content 30007")),
     ("failed", "30034", Receipt("twilio", "SM1", "failed", NOW, "config 30034")),
     ("failed", "", Receipt("twilio", "SM1", "failed", NOW, "undelivered")),
     ("failed", "1" * 5_000, Receipt("twilio", "SM1", "failed", NOW, "undelivered")),
     ("failed", "99999", Receipt("twilio", "SM1", "failed", NOW, "undelivered 99999"))],
)  # fmt: skip
async def test_a_status_is_a_receipt(line: Line, status: str, code: str, receipt: Receipt) -> None:
    answer, _ = await line.kit.post("status", {"MessageSid": "SM1", "MessageStatus": status, "ErrorCode": code})
    assert answer == 200
    assert line.recorder.arrivals == [receipt]


@pytest.mark.parametrize("status", ["queued", "accepted", "sending", "scheduled", "something new", ""])
async def test_a_status_that_says_nothing_new_is_thanked(line: Line, status: str) -> None:
    assert (await line.kit.post("status", {"MessageSid": "SM1", "MessageStatus": status}))[0] == 200
    assert line.recorder.arrivals == []


async def test_the_database_coming_back_within_patience_saves_the_message(line: Line, free_port: int) -> None:
    await line.server.cleanup()
    line.recorder.failures = 2
    patient = await opened(line.kit, replace(line.kit.options, patience_seconds=5.0), line.recorder, free_port)
    assert await line.kit.says("gardez-moi", id="1")
    assert len(line.recorder.inbound) == 1
    await patient.channel.close()
    await patient.server.cleanup()


async def test_what_could_not_be_stored_is_refused_with_a_time_to_come_back(line: Line) -> None:
    line.recorder.failures = 1
    status, _ = await line.kit.post("message", line.kit.message("oui", id="1"))
    assert status == 503


# -- whom it believes


@pytest.mark.parametrize(
    "headers",
    [{"X-Twilio-Signature": ""}, {"X-Twilio-Signature": "AAAA"}, {"X-Twilio-Signature": "é"},
     {"X-Twilio-Webhooks-Signature-Settings": "key=x,algorithm=HMAC_SHA1"},
     {"X-Twilio-Webhooks-Signature-Settings": "algorithm=NONE"},
     {"X-Twilio-Signature": "AAAA", "Host": "evil.example", "X-Forwarded-Host": "evil.example"}],
)  # fmt: skip
async def test_a_forged_webhook_is_refused(line: Line, headers: dict[str, str]) -> None:
    status, _ = await line.kit.post("message", line.kit.message("oui", id="1"), headers=headers)
    assert (status, line.recorder.arrivals) == (403, [])


async def test_a_changed_or_cut_webhook_is_refused(line: Line) -> None:
    url = f"{line.kit.door.public_url}/channels/twilio/message"
    fields = line.kit.message("oui", id="1")
    signature = RequestValidator(TOKEN).compute_signature(url, fields)
    for raw in ("Body=non", "", "Body=%FF%FE", "&" * 2000, "a=1&" * 600, "Body=oui&From="):
        headers = {"X-Twilio-Signature": signature, "Content-Type": "application/x-www-form-urlencoded"}
        async with aiohttp.request("POST", url, data=raw, headers=headers) as answer:
            assert answer.status == 403
    assert line.recorder.arrivals == []


async def test_a_webhook_signed_for_another_address_is_refused(line: Line) -> None:
    fields = line.kit.message("oui", id="1")
    assert (await line.kit.post("message", fields, public_url="https://elsewhere.example"))[0] == 403


@pytest.mark.parametrize(
    ("public_url", "signed_for"),
    [("https://shop.example", "https://shop.example"), ("https://shop.example", "https://shop.example:443"),
     ("https://shop.example:443", "https://shop.example"), ("https://shop.example:8443", "https://shop.example:8443"),
     ("http://shop.example", "http://shop.example:80")],
)  # fmt: skip
async def test_the_public_address_counts_behind_a_proxy(
    line: Line, free_port: int, public_url: str, signed_for: str
) -> None:
    await line.server.cleanup()
    behind = await opened(line.kit, line.kit.options, line.recorder, free_port, public_url)
    status, _ = await line.kit.post("message", line.kit.message("oui", id="1"), public_url=signed_for)
    assert status == 200
    await behind.channel.close()
    await behind.server.cleanup()


@pytest.mark.parametrize("algorithm", ["HMAC_SHA1", "HMAC_SHA256"])
async def test_a_shared_key_verifies_in_its_own_algorithm(line: Line, free_port: int, algorithm: str) -> None:
    await line.server.cleanup()
    keyed = await opened(line.kit, replace(line.kit.options, shared_key=Secret("shared")), line.recorder, free_port)
    fields = line.kit.message("oui", id="1")
    url = f"{line.kit.door.public_url}/channels/twilio/message"
    headers = {
        "X-Twilio-Signature": RequestValidator("shared").compute_signature(url, fields, algorithm),
        "X-Twilio-Webhooks-Signature-Settings": f"key=webhooks_sharedkey_1,algorithm={algorithm}",
    }
    assert (await line.kit.post("message", fields, headers=headers))[0] == 200
    await keyed.channel.close()
    await keyed.server.cleanup()


async def test_while_a_secret_is_replaced_the_one_before_is_still_taken(line: Line, free_port: int) -> None:
    await line.server.cleanup()
    options = replace(
        line.kit.options, auth_token=Secret("new"), previous_auth_token=Secret(TOKEN), shared_key=Secret("new key"),
        previous_shared_key=Secret("old key"),
    )  # fmt: skip
    both = await opened(line.kit, options, line.recorder, free_port)
    fields = line.kit.message("oui", id="1")
    url, statuses = f"{line.kit.door.public_url}/channels/twilio/message", []
    for secret, settings in (
        ("new", ""),
        (TOKEN, ""),
        ("older", ""),
        ("new key", "key=k"),
        ("old key", "key=k"),
        (TOKEN, "key=k"),
    ):
        headers = {"X-Twilio-Signature": RequestValidator(secret).compute_signature(url, fields),
                   "X-Twilio-Webhooks-Signature-Settings": settings}  # fmt: skip
        statuses.append((await line.kit.post("message", fields, headers=headers))[0])
    await both.channel.close()
    await both.server.cleanup()
    assert statuses == [200, 200, 403, 200, 200, 403]


async def test_a_secret_that_is_not_set_verifies_nothing(line: Line) -> None:
    fields = line.kit.message("oui", id="1")
    url = f"{line.kit.door.public_url}/channels/twilio/message"
    headers = {
        "X-Twilio-Signature": RequestValidator("").compute_signature(url, fields, "HMAC_SHA256"),
        "X-Twilio-Webhooks-Signature-Settings": "key=webhooks_sharedkey_1,algorithm=HMAC_SHA256",
    }
    assert (await line.kit.post("message", fields, headers=headers))[0] == 403


@pytest.mark.parametrize(("body", "said", "status"), [("{}", "{}", 400), ('["a"]', '["a"]', 400), ("{", "{", 400),
                                                      ("{}", "[]", 403), ("", "", 400)])  # fmt: skip
async def test_a_json_body_needs_its_hash_in_the_address(line: Line, body: str, said: str, status: int) -> None:
    assert await _post_json(line, body, said) == status


async def test_a_json_message_with_its_hash_is_heard(line: Line) -> None:
    body = json.dumps({"MessageSid": "SM1", "From": "+33612345678", "Body": "oui"})
    assert await _post_json(line, body, body) == 200
    assert line.recorder.inbound[0].content.text == "oui"


async def _post_json(line: Line, body: str, said: str) -> int:
    digest = hashlib.sha256(said.encode()).hexdigest()
    url = f"{line.kit.door.public_url}/channels/twilio/message?bodySHA256={digest}"
    validator = RequestValidator(TOKEN)
    signature = validator.compute_signature(url, {})
    assert validator.validate(url, said, signature)  # Twilio's own judge takes it
    headers = {"X-Twilio-Signature": signature, "Content-Type": "application/json"}
    async with aiohttp.request("POST", url, data=body, headers=headers) as answer:
        return answer.status


async def test_a_megabyte_and_more_is_not_read(line: Line) -> None:
    status, _ = await line.kit.post("message", line.kit.message("x" * 1_100_000, id="1"))
    assert (status, line.recorder.arrivals) == (413, [])


# -- what it says


async def test_a_message_asks_for_receipts_at_the_public_address(line: Line) -> None:
    assert await line.send("+33612345678", "Ça arrive") == Sent(f"SM{1:032x}")
    callback = f"{line.kit.door.public_url}/channels/twilio/status"
    assert line.kit.peer.messages == [
        {"To": "+33612345678", "From": FROM, "Body": "Ça arrive", "StatusCallback": callback}
    ]


async def test_a_messaging_service_may_choose_the_sender(line: Line) -> None:
    options = replace(line.kit.options, from_number="", messaging_service_sid="MG1", receipts=False)
    channel = await connect(options, line.kit.door)
    await channel.send(Outbound("m1", "+33612345678", Content(text="oui"), "c", 1))
    await channel.close()
    assert line.kit.peer.messages == [{"To": "+33612345678", "MessagingServiceSid": "MG1", "Body": "oui"}]


FAILS = {
    "opted_out": (21610, 30004), "dead": (21211, 21614, 30005, 30006),
    "config": (20003, 21408, 21606, 21612, 30002, 30032, 30034), "content": (21617, 30007, 12345),
}  # fmt: skip


@pytest.mark.parametrize(("reason", "code"), [(reason, code) for reason, codes in FAILS.items() for code in codes])
async def test_each_refusal_has_its_reason(line: Line, reason: str, code: int) -> None:
    line.kit.peer.answers["+33600000009"] = Answer(400, code)
    result = await line.send("+33600000009")
    assert isinstance(result, Failed)
    assert (result.reason, str(code) in result.detail) == (reason, True)


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [(Answer(429, 20429, {"Retry-After": "7"}), 7.0), (Answer(429), 30.0), (Answer(400, 30001), 30.0),
     (Answer(400, 30022), 30.0), (Answer(400, 30008), 30.0), (Answer(400, 30003), 1800.0), (Answer(503), 30.0),
     (Answer(500, 20500), 30.0), (Answer(429, 20429, {"Retry-After": "soon"}), 30.0),
     (Answer(429, 20429, {"Retry-After": "99999999"}), 3600.0)],
)  # fmt: skip
async def test_trouble_that_proves_nothing_was_taken_comes_later(line: Line, answer: Answer, seconds: float) -> None:
    line.kit.peer.answers["+33600000009"] = answer
    result = await line.send("+33600000009")
    assert isinstance(result, Later)
    assert result.seconds == seconds


@pytest.mark.parametrize("answer", [Answer(502), Answer(500), Answer(504), Answer(200), Answer(201, 1), Answer(302),
                                    Answer(hang=True), Answer(cut=True)])  # fmt: skip
async def test_trouble_that_proves_nothing_stays_unknown(line: Line, answer: Answer) -> None:
    line.kit.peer.answers["+33600000009"] = answer
    assert isinstance(await line.send("+33600000009"), Unknown)


@pytest.mark.parametrize("status", [401, 403, 404])
async def test_a_refused_account_is_our_set_up(line: Line, status: int) -> None:
    line.kit.peer.answers["+33600000009"] = Answer(status)
    result = await line.send("+33600000009")
    assert isinstance(result, Failed)
    assert result.reason == "config"


async def test_an_answer_that_comes_in_halves_is_read_whole(line: Line) -> None:
    line.kit.peer.in_halves = True
    assert isinstance(await line.send("+33612345678"), Sent)


async def test_no_connection_proves_that_nothing_was_taken(line: Line) -> None:
    await line.kit.vanish()
    assert isinstance(await line.send("+33612345678"), Later)


# -- pictures, from our own account only


async def test_a_picture_comes_from_our_account_with_our_credentials(line: Line) -> None:
    line.kit.peer.media[f"ME{1:032x}"] = web.Response(body=b"\xff\xd8jpeg", content_type="image/jpeg")
    assert await line.channel.fetch(line.kit.peer.url + MEDIA) == (b"\xff\xd8jpeg", "image/jpeg")


@pytest.mark.parametrize(
    "remote",
    ["http://169.254.169.254/latest/meta-data", "{url}/2010-04-01/Accounts/AC" + "0" * 32 + "/Messages/x/Media/y",
     "{url}.evil.example" + MEDIA, "{url}@evil.example" + MEDIA, "{url}" + MEDIA + "/../../..", "", "file:///etc/passwd",
     "{url}" + MEDIA + "?x", "{url}" + MEDIA + "\n"],
)  # fmt: skip
async def test_a_picture_from_elsewhere_is_not_fetched(line: Line, remote: str) -> None:
    with pytest.raises(LookupError, match="not a file of this account"):
        await line.channel.fetch(remote.replace("{url}", line.kit.peer.url))


@pytest.mark.parametrize("target", ["http://127.0.0.1:1/", "https://evil.example/", "//evil.example/", "http://mms.twiliocdn.com/",
                                    "https://mms.twiliocdn.com:22/", "", "file:///etc/passwd"])  # fmt: skip
async def test_a_redirect_to_elsewhere_is_not_followed(line: Line, target: str) -> None:
    line.kit.peer.media[f"ME{1:032x}"] = web.Response(status=307, headers={"Location": target})
    with pytest.raises(LookupError, match="not allowed"):
        await line.channel.fetch(line.kit.peer.url + MEDIA)


async def test_a_picture_that_is_gone_or_too_large_is_said_so(line: Line) -> None:
    with pytest.raises(LookupError, match="404"):
        await line.channel.fetch(line.kit.peer.url + MEDIA)
    line.kit.peer.media[f"ME{1:032x}"] = web.Response(body=bytes(5 * 1024 * 1024 + 1))
    with pytest.raises(LookupError, match="larger"):
        await line.channel.fetch(line.kit.peer.url + MEDIA)


# -- its set-up


async def test_all_that_is_missing_is_said_at_once(free_port: int) -> None:
    with pytest.raises(ValueError) as problems:
        await connect(Options(enabled=True), door(Recorder(), f"http://127.0.0.1:{free_port}"))
    for key in ("account_sid", "auth_token", "from_number"):
        assert f"channels.twilio.{key}: expected" in str(problems.value)


async def test_an_api_key_signs_in_instead_of_the_token(line: Line) -> None:
    channel = await connect(replace(line.kit.options, api_key="SK1", api_secret=Secret("x")), line.kit.door)
    result = await channel.send(Outbound("m1", "+33612345678", Content(text="oui"), "c", 1))
    await channel.close()
    assert isinstance(result, Failed)  # the played account knows its token only: the key was really used
    assert result.reason == "config"


async def test_leaving_does_not_wait_for_a_silent_provider(line: Line) -> None:
    line.kit.peer.answers["+33600000009"] = Answer(hang=True)
    sending = asyncio.create_task(line.send("+33600000009"))
    await asyncio.sleep(0)
    await line.channel.close()
    assert isinstance(await asyncio.wait_for(sending, 3), (Unknown, Later))
