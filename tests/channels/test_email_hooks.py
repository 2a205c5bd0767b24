"""Providers that report by webhook: the same facts on disk as a report by mail, and nothing from whoever only claims to be one."""

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from channels import email_sns
from channels.email_sendgrid import INSTANT, SIGNATURE
from channels.email_unsigned import REPORTERS
from channels.email_verp import bounce_path, token_of
from profiles.brakes import BRAKES
from profiles.calendar import utc_now
from profiles.secret import Secret
from profiles.store import Unavailable
from tests.channels import test_email_sendgrid as email_sendgrid
from tests.channels import test_email_unsigned as unsigned
from tests.channels.email_stage import SECRET, PostOffice, post_office
from tests.channels.test_email_mailgun import KEY, event, failed, signed
from tests.channels.test_email_reports import MARKETING
from tests.channels.test_email_ses import bounce

TOPIC = "arn:aws:sns:eu-west-1:123456789012:causerie-mail"
HOST = "https://sns.eu-west-1.amazonaws.com"
CERTIFICATE = f"{HOST}/SimpleNotificationService-{'0' * 32}.pem"
CONFIRM = f"{HOST}/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=t"


@dataclass
class Sns:
    """Amazon SNS: it signs, and gives its certificate."""

    key: rsa.RSAPrivateKey = field(
        default_factory=lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048)
    )
    days: int = 30
    asked: list[str] = field(default_factory=list)
    is_away: bool = False

    async def gives(self, address: str) -> bytes:
        self.asked.append(address)
        if self.is_away:
            raise OSError("away")
        return self.certificate if address.endswith(".pem") else b"<ConfirmSubscriptionResponse/>"

    @property
    def certificate(self) -> bytes:
        now, name = utc_now(), x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sns.amazonaws.com")])
        builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(self.key.public_key())
        builder = builder.serial_number(1).not_valid_before(now - timedelta(days=60))
        made = builder.not_valid_after(now + timedelta(days=self.days)).sign(self.key, hashes.SHA256())
        return made.public_bytes(serialization.Encoding.PEM)

    def says(self, message: Any, *, version: str = "2", **changed: Any) -> dict[str, Any]:
        """A notification, signed over the fields and in the order of Amazon's manual."""
        said = {
            "Type": "Notification", "MessageId": "m1", "TopicArn": TOPIC, "Message": json.dumps(message),
            "Timestamp": "2026-11-22T09:00:00.000Z", "SignatureVersion": version, "SigningCertURL": CERTIFICATE, **changed,
        }  # fmt: skip
        order = ["Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
        if said["Type"] == "Notification":
            order = [name for name in order if name not in ("SubscribeURL", "Token")]
        text = "".join(f"{name}\n{said[name]}\n" for name in order if name in said)
        digest = hashes.SHA256() if version == "2" else hashes.SHA1()  # noqa: S303 (as SNS does)
        proof = self.key.sign(text.encode(), padding.PKCS1v15(), digest)
        return {**said, "Signature": base64.b64encode(proof).decode()}


@dataclass
class Counter:
    """Where providers post, and what they are told."""

    office: PostOffice
    sns: Sns
    http: TestClient[Any, Any]

    async def hears(self, way: str, said: Any) -> int:
        async with self.http.post(f"/{way}", data=said if isinstance(said, bytes) else json.dumps(said)) as answer:
            return answer.status


KEYS = Sns().key
"""One key for all tests: making one takes a while."""


@asynccontextmanager
async def counter(mongo_url: str, database: str, **changed: Any) -> AsyncIterator[Counter]:
    options = {"sns_topic": TOPIC, "mailgun_key": Secret(KEY), "soft_bounces": 2, "complaint_mails": 1, **changed}
    async with post_office(mongo_url, database, **options) as office:
        sns, app = Sns(KEYS), web.Application()
        office.channel._hooks._fetch = sns.gives
        app.add_routes(office.channel.routes())
        async with TestClient(TestServer(app)) as http:
            yield Counter(office, sns, http)


@pytest.fixture
async def desk(mongo_url: str, database_name: str) -> AsyncIterator[Counter]:
    async with counter(mongo_url, database_name) as opened:
        yield opened


def of(id: str) -> dict[str, Any]:
    """How SES names the mail of this message."""
    return {"source": bounce_path(SECRET, "bounces@shop.example", token_of(SECRET, id))}


def gone(id: str) -> dict[str, Any]:
    return {"notificationType": "Bounce", "mail": of(id), "bounce": bounce("Permanent", "General", status="5.1.1")}


def at_mailgun(told: dict[str, Any], id: str) -> dict[str, Any]:
    return {**told, "message": {"headers": {"message-id": f"{token_of(SECRET, id)}@shop.example"}}}


@pytest.mark.parametrize("version", ["1", "2"])
async def test_a_bounce_by_ses_fails_the_delivery_and_bans_the_mailbox_once(desk: Counter, version: str) -> None:
    await desk.office.notice("n1")
    for _ in range(2):
        assert await desk.hears("sns", desk.sns.says(gone("n1"), version=version, Subject="Amazon SES")) == 200
    delivery = await desk.office.delivery("n1")
    assert (delivery.state, delivery.reason) == ("failed", "dead 5.1.1 General")
    suppression = (await desk.office.identity()).suppression
    assert suppression and suppression.reason == "bounced"
    assert len(await desk.office.events("message.bounced")) == 1
    assert desk.sns.asked == [CERTIFICATE], "its certificate is asked for once"


async def test_soft_bounces_count_by_whatever_way_they_come(desk: Counter) -> None:
    for id in ("n1", "n2"):
        await desk.office.notice(id)
        assert (await desk.office.identity()).suppression is None
        full = at_mailgun(failed("old", code=452, message="4.2.2 full"), id)
        told = {**gone(id), "bounce": bounce("Transient", "MailboxFull", status="4.2.2")}
        if id == "n1":
            assert await desk.hears("mailgun", signed(full, at=utc_now())) == 200
        else:
            assert await desk.hears("sns", desk.sns.says(told)) == 200
    suppression = (await desk.office.identity()).suppression
    assert suppression and suppression.reason == "bounced"


async def test_a_complaint_bans_withdraws_and_pulls_the_brake(desk: Counter) -> None:
    await desk.office.notice("n1", **MARKETING)
    assert await desk.hears("mailgun", signed(at_mailgun(event("complained"), "n1"), at=utc_now())) == 200
    suppression = (await desk.office.identity()).suppression
    assert suppression and suppression.reason == "complained"
    assert {one["_id"] for one in await desk.office.store.find(BRAKES, {})} == {"email:shop.example", "rule:cart"}


async def test_a_request_of_sendgrid_is_taken_whole_or_not_at_all(mongo_url: str, database_name: str) -> None:
    async with counter(mongo_url, database_name, sendgrid_key=email_sendgrid.SHOWN) as desk:
        for id in ("n1", "n2"):
            await desk.office.notice(id)
        events = [
            email_sendgrid.event(
                name, **{"smtp-id": f"<{token_of(SECRET, id)}@shop.example>", "reason": "550 5.1.1 gone"}
            )
            for name, id in (("bounce", "n1"), ("spamreport", "n2"))
        ]
        body = json.dumps(events).encode()
        proof = {SIGNATURE: email_sendgrid.signed(body), INSTANT: "1732262400"}
        for headers, status in (({}, 403), ({**proof, INSTANT: "1"}, 403), (proof, 200), (proof, 200)):
            async with desk.http.post("/sendgrid", data=body, headers=headers) as answer:
                assert answer.status == status
        assert (await desk.office.delivery("n1")).reason == "dead 550 5.1.1 gone"
        assert (
            len(await desk.office.events("message.bounced")) == len(await desk.office.events("message.complained")) == 1
        )


@pytest.mark.parametrize(
    ("by", "events"),
    [
        ("brevo", lambda one, two: [[unsigned.brevo("hard_bounce", "550 5.1.1 gone", **{"X-Mailin-custom": one}),
                                     unsigned.brevo("spam", **{"X-Mailin-custom": two})]]),
        ("mailjet", lambda one, two: [[unsigned.mailjet("bounce", "user unknown", True, comment="550 5.1.1 gone", CustomID=one),
                                       unsigned.mailjet("spam", CustomID=two)]]),
        ("postmark", lambda one, two: [unsigned.postmark("Bounce", "HardBounce", "550 5.1.1 gone", Metadata={"causerie": one}),
                                       unsigned.postmark("SpamComplaint", Metadata={"causerie": two})]),
    ],
)  # fmt: skip
async def test_who_does_not_sign_is_believed_for_the_secret_and_knows_a_mail_by_our_mark(
    mongo_url: str, database_name: str, by: str, events: Any
) -> None:
    new, old = Secret("the-new-one-0123456789"), Secret("the-old-one-0123456789")
    changed: dict[str, Any] = {"reporter": by, "reporter_secret": new, "previous_reporter_secret": old}
    async with counter(mongo_url, database_name, **changed) as desk:
        for id in ("n1", "n2"):
            await desk.office.notice(id)
        marks = [str(one.mail[REPORTERS[by].mark]) for one in desk.office.server.taken]
        assert marks == [token_of(SECRET, id) for id in ("n1", "n2")]
        told = [json.dumps(one).encode() for one in events(*marks)]
        for shown in ({}, {"Authorization": unsigned.basic("causerie", "another-one-0123456789")}):
            async with desk.http.post(f"/{by}", data=told[0], headers=shown) as refused:
                assert refused.status == 401 and refused.headers["WWW-Authenticate"].startswith("Basic")
        assert (await desk.office.delivery("n1")).state == "sent"
        for shown in (unsigned.basic("causerie", new.reveal()), f"Bearer {old.reveal()}"):
            for body, status in (*((one, 200) for one in told), (b"[[]]", 200), (b"{" + b" " * 1_500_000, 413)):
                async with desk.http.post(f"/{by}", data=body, headers={"Authorization": shown}) as answer:
                    assert answer.status == status
        assert (await desk.office.delivery("n1")).reason == "dead 550 5.1.1 gone"
        suppression = (await desk.office.identity()).suppression
        assert suppression and suppression.reason == "complained"
        assert [len(await desk.office.events(f"message.{one}")) for one in ("bounced", "complained")] == [1, 1]
        others = [one for one in (*REPORTERS, "sendgrid") if one != by]
        assert [await desk.hears(other, b"{}") for other in others] == [404] * 3


async def test_a_mailgun_word_counts_once_whatever_it_comes_with(desk: Counter) -> None:
    await desk.office.notice("n1")
    nothing = signed(event("delivered"), at=utc_now())
    assert await desk.hears("mailgun", nothing) == 200
    replayed = {**nothing, "event-data": at_mailgun(event("complained"), "n1")}
    assert await desk.hears("mailgun", replayed) == 200
    assert await desk.office.events("message.complained") == []


async def test_what_was_not_stored_is_told_again_and_taken(desk: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    await desk.office.notice("n1")
    told, writer = signed(at_mailgun(event("complained"), "n1"), at=utc_now()), desk.office.writer
    commit = writer.commit

    async def away(*_: Any, **__: Any) -> Any:
        raise Unavailable("told to")

    monkeypatch.setattr(writer, "commit", away)
    assert await desk.hears("mailgun", told) == 503
    assert await desk.hears("sns", desk.sns.says(gone("n1"))) == 503
    monkeypatch.setattr(writer, "commit", commit)
    assert await desk.hears("mailgun", told) == 200
    assert len(await desk.office.events("message.complained")) == 1


async def test_a_subscription_of_our_topic_is_confirmed_where_sns_is_and_nowhere_else(desk: Counter) -> None:
    asks = {"Type": "SubscriptionConfirmation", "Token": "t", "Message": "You have chosen to subscribe"}
    assert await desk.hears("sns", desk.sns.says("", **asks, SubscribeURL=CONFIRM)) == 200
    assert desk.sns.asked == [CERTIFICATE, CONFIRM]
    elsewhere = (
        "https://evil.example/",
        f"{HOST}.evil.example/",
        f"http{HOST[5:]}/",
        f"{HOST}:444/",
        f"https://x@{HOST[8:]}/",
    )
    for address in elsewhere:
        assert await desk.hears("sns", desk.sns.says("", **asks, SubscribeURL=address)) == 403
    assert len(desk.sns.asked) == 2


@pytest.mark.parametrize(
    "changed",
    [
        {"Message": json.dumps(gone("n2"))}, {"Timestamp": "2027-01-01T00:00:00.000Z"}, {"Subject": "slipped in"},
        {"Signature": "AAAA"}, {"Signature": "no base64"}, {"SignatureVersion": "3"}, {"Type": "Other"},
        {"TopicArn": TOPIC.replace("123456789012", "999999999999")},
        {"SigningCertURL": CERTIFICATE.replace("eu-west-1", "us-east-1")},
    ],
    ids=lambda changed: "-".join(changed),
)  # fmt: skip
async def test_what_sns_did_not_sign_of_our_topic_changes_nothing(desk: Counter, changed: dict[str, Any]) -> None:
    await desk.office.notice("n1")
    assert await desk.hears("sns", {**desk.sns.says(gone("n1")), **changed}) == 403
    assert (await desk.office.delivery("n1")).state == "sent"
    assert set(desk.sns.asked) <= {CERTIFICATE}


def test_only_the_very_host_of_the_topics_region_gives_certificates() -> None:
    right, sns = CERTIFICATE.removeprefix(HOST), Sns(KEYS)
    wrong = (
        f"http{HOST[5:]}{right}", f"https://sns.s3-us-west-2.amazonaws.com{right}", f"{HOST}.evil.example{right}",
        f"https://evil.example/{HOST[8:]}{right}", f"https://evil.example@{HOST[8:]}{right}", f"{HOST}:8443{right}",
        f"{HOST}/../x{right}", f"{HOST}/key.pem", f"{HOST}{right}/..", "", "https://[",
    )  # fmt: skip
    for address in wrong:
        assert email_sns.read(json.dumps(sns.says("", SigningCertURL=address)).encode(), TOPIC) is None, address
    china = "arn:aws-cn:sns:cn-north-1:123456789012:mail"
    there = f"https://sns.cn-north-1.amazonaws.com.cn{right}"
    assert email_sns.read(json.dumps(sns.says("", TopicArn=china, SigningCertURL=there)).encode(), china)
    assert not any(
        map(email_sns.is_topic, ("", "arn:aws:sns:s3:123456789012:x", TOPIC + "\n", TOPIC.replace("sns", "sqs")))
    )


async def test_a_certificate_that_ended_or_can_not_be_had_proves_nothing(desk: Counter) -> None:
    desk.sns.is_away = True
    assert await desk.hears("sns", desk.sns.says(gone("n1"))) == 503, "SNS tells it again"
    desk.sns.is_away, desk.sns.days = False, -1
    assert await desk.hears("sns", desk.sns.says(gone("n1"))) == 403


async def test_who_names_ever_new_certificates_makes_us_ask_for_few(desk: Counter) -> None:
    for number in range(30):
        other = f"{HOST}/SimpleNotificationService-{number:032x}.pem"
        await desk.hears("sns", {**desk.sns.says("x"), "SigningCertURL": other})
    assert 10 < len(desk.sns.asked) < 25


async def test_mailgun_is_refused_with_another_key_and_too_late(desk: Counter) -> None:
    await desk.office.notice("n1")
    told = at_mailgun(event("complained"), "n1")
    assert await desk.hears("mailgun", signed(told, at=utc_now(), key="another")) == 403
    assert await desk.hears("mailgun", signed(told, at=utc_now() - timedelta(days=1))) == 406
    for odd in (b"", b"[]", b"\xff", b'{"signature": 7}'):
        assert await desk.hears("mailgun", odd) == 403
        assert await desk.hears("sns", odd) == 403
    assert await desk.hears("mailgun", b"{" + b" " * 400_000) == 413
    assert await desk.office.events("message.complained") == []


async def test_a_provider_that_is_not_set_up_has_no_door(mongo_url: str, database_name: str) -> None:
    async with counter(mongo_url, database_name, sns_topic="", mailgun_key=Secret()) as desk:
        assert await desk.hears("sns", b"{}") == 404
        assert await desk.hears("mailgun", b"{}") == 404
