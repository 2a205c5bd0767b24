"""SMS through an SMSC that is not ours: what it reads of what we say, and what we make of what it delivers."""

import asyncio
import shlex
import shutil
import subprocess
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from channels.channel import Door, Failed, Inbound, Later, Outbound, Receipt, Sending, Sent, Unknown
from channels.smpp import Options, Smpp, connect
from channels.smpp_codes import refusal
from channels.smpp_outgoing import cut
from channels.smpp_wire import wrap
from profiles.calendar import utc_now
from profiles.gsm import segment
from profiles.secret import Secret
from profiles.snapshot import Outcome
from profiles.store import Store
from profiles.timeline import Content
from profiles.writer import Writer
from tests.channels.kits.kit import Recorder
from tests.channels.kits.smpp import SmppKit
from tests.needed import require_peer
from tests.peers.smsc import Smsc, running_smsc
from tests.waiting import until

ANNA = "+33612345678"


class Line:
    """The channel, bound to its SMSC."""

    def __init__(self, smsc: Smsc, door: Door, recorder: Recorder, channel: Smpp) -> None:
        self.smsc, self.door, self.recorder, self.channel = smsc, door, recorder, channel

    async def send(self, text: str, to: str = ANNA) -> Sending:
        return await self.channel.send(Outbound("m1", to, Content(text=text), f"smpp:{to}", 1))

    async def reopened(self, **changes: Any) -> "Line":
        """The same with other options."""
        await self.channel.close()
        return await opened(self.smsc, self.door, self.recorder, **changes)

    @property
    def receipts(self) -> list[tuple[str, str, str | None]]:
        found = [arrival for arrival in self.recorder.arrivals if isinstance(arrival, Receipt)]
        return [(receipt.provider_id, receipt.state, receipt.reason) for receipt in found]

    @property
    def texts(self) -> list[str]:
        return [heard.content.text for heard in self.recorder.inbound]


async def opened(smsc: Smsc, door: Door, recorder: Recorder, **changes: Any) -> Line:
    bound = len(smsc.of("bound"))
    channel = cast(Smpp, await connect(replace(SmppKit(smsc).options, **changes), door))
    await smsc.event("bound", after=bound)
    return Line(smsc, door, recorder, channel)


def door_of(store: Store, recorder: Recorder) -> Door:
    nobody = cast(Any, None)
    return Door(recorder.receive, "http://127.0.0.1:1", utc_now, store, Writer(store, process="p1"), nobody)


@pytest.fixture
async def line(mongo_url: str, database_name: str) -> AsyncIterator[Line]:
    store, recorder = Store(mongo_url, database_name), Recorder()
    async with running_smsc() as smsc:
        line = await opened(smsc, door_of(store, recorder), recorder)
        yield line
        await line.channel.close()
    await store.close()


# -- what it says


@pytest.mark.parametrize(
    ("text", "coding"),
    [("Été : 12 € à gagner ! {}[]~^\\|", 0), ("Ça commence à Noël", 8), ("🙂 שלום", 8), ("a" * 160, 0), ("ê" * 70, 8)],
)
async def test_a_text_that_fits_is_one_segment(line: Line, text: str, coding: int) -> None:
    assert await line.send(text) == Sent("1")
    (submit,) = line.smsc.of("submit")
    assert (submit["text"], submit["coding"], submit["esm"], submit["udh"]) == (text, coding, 0, [])
    assert (submit["to"], submit["ton"], submit["npi"], submit["registered"]) == ("33612345678", 1, 1, 1)


@pytest.mark.parametrize(
    ("text", "count"),
    [("a" * 152 + "€" + "b" * 20, 2), ("ê" * 66 + "🙂" + "ê" * 3, 2), ("Bonjour ! " * 150, 10), ("ça va 🙂 " * 72, 10)],
)
async def test_a_long_text_is_read_whole_by_the_smsc(line: Line, text: str, count: int) -> None:
    assert await line.send(text) == Sent("1")
    submits = line.smsc.of("submit")
    assert len(submits) == count == len(segment(text).parts)
    assert "".join(submit["text"] for submit in submits) == text
    references = {submit["udh"][0][:6] for submit in submits}
    assert len(references) == 1
    headers = [submit["udh"][0][6:] for submit in submits]
    assert headers == [f"{count:02x}{number:02x}" for number in range(1, count + 1)]


@pytest.mark.parametrize(
    ("sender", "ton", "npi", "spelled"),
    [("36180", 3, 0, "36180"), ("+33755550006", 1, 1, "33755550006"), ("BOUTIQUE", 5, 0, "BOUTIQUE")],
)
async def test_the_sender_has_the_type_of_its_form(line: Line, sender: str, ton: int, npi: int, spelled: str) -> None:
    other = await line.reopened(sender=sender, receipts=False)
    await other.send("Bonjour")
    (submit,) = line.smsc.of("submit")
    assert (submit["from"], submit["source_ton"], submit["source_npi"]) == (spelled, ton, npi)
    assert submit["registered"] == 0
    await other.channel.close()


async def test_an_smsc_whose_default_is_latin1_reads_accents() -> None:
    assert cut("Été", "latin1") == (0, ["Été".encode("latin-1")])
    assert cut("Été", "gsm7") == (0, [b"\x1ft\x05"])
    assert cut("12 €", "latin1") == (8, ["12 €".encode("utf-16-be")]), "no € in Latin-1"
    assert [len(piece) for piece in cut("é" * 200, "latin1")[1]] == [153, 47]


@pytest.mark.parametrize(
    ("status", "kind", "reason"),
    [(0x0B, Failed, "dead"), (0x65, Failed, "dead"), (0x0A, Failed, "config"), (0x0D, Failed, "config"), (0x0F, Failed, "config"),
     (0x45, Failed, "config"), (0x401, Failed, "config"), (0x01, Failed, "content"), (0x66, Failed, "content"),
     (0x58, Later, ""), (0x14, Later, ""), (0x08, Later, ""), (0x64, Later, ""), (0x04, Later, "")],
)  # fmt: skip
async def test_each_refusal_has_its_meaning(line: Line, status: int, kind: type, reason: str) -> None:
    await line.smsc.order("behave", to="33600000009", status=status)
    result = await line.send("Bonjour", "+33600000009")
    assert result == refusal(status)
    assert isinstance(result, kind)
    assert getattr(result, "reason", "") == reason


async def test_a_part_throttled_after_others_is_said_again_until_it_is_taken(line: Line) -> None:
    await line.smsc.order("behave", to=ANNA[1:], status=[0, 0x58, 0])
    assert isinstance(await line.send("a" * 200), Sent)
    assert [submit["udh"][0][8:] for submit in line.smsc.of("submit")] == ["01", "02", "02"]


async def test_a_part_refused_after_others_leaves_doubt(line: Line) -> None:
    await line.smsc.order("behave", to=ANNA[1:], status=[0, 0x0B])
    result = await line.send("a" * 200)
    assert isinstance(result, Unknown)
    assert "part 2 of 2" in result.detail


async def test_nobody_is_written_to_by_name(line: Line) -> None:
    assert isinstance(await line.send("Bonjour", "BOUTIQUE"), Failed)
    assert line.smsc.of("submit") == []


async def test_without_a_session_nothing_was_handed_over(line: Line) -> None:
    await line.smsc.order("refuse bind", status=0x0E)
    await line.smsc.order("drop")
    await line.smsc.event("bind refused")
    result = await line.send("Bonjour")
    assert isinstance(result, Later)
    assert "refused" in result.detail


async def test_a_session_lost_in_the_middle_is_bound_again_and_serves(line: Line) -> None:
    await line.smsc.order("drop")
    await line.smsc.event("bound", after=1)
    assert isinstance(await line.send("Bonjour"), Sent)


# -- what became of it


async def test_a_delivered_text_is_told(line: Line) -> None:
    await line.smsc.order("behave", to=ANNA[1:], receipt="DELIVRD")
    await line.send("Bonjour")
    await line.smsc.event("answer", tag="receipt", status=0)
    assert line.receipts == [("1", "delivered", None)]


async def test_an_undelivered_text_is_told_with_the_operators_code(line: Line) -> None:
    await line.smsc.order("behave", to=ANNA[1:], receipt="UNDELIV")
    await line.send("Bonjour")
    await line.smsc.event("answer", tag="receipt", status=0)
    assert line.receipts == [("1", "failed", "undelivered 012")]


async def test_a_receipt_that_overtakes_the_answer_waits_for_it(line: Line) -> None:
    await line.smsc.order("behave", to=ANNA[1:], early="DELIVRD")
    sending = asyncio.create_task(line.send("Bonjour"))
    await line.smsc.event("answer", tag="receipt", status=0)
    assert sending.done() or await sending
    assert line.receipts == [("1", "delivered", None)]


async def test_ids_in_hexadecimal_meet_receipts_in_decimal(line: Line) -> None:
    other = await line.reopened(receipt_ids="hex")
    await line.smsc.order("hex ids")
    await line.smsc.order("behave", to=ANNA[1:], receipt="DELIVRD")
    assert await other.send("Bonjour") == Sent("161")
    await line.smsc.event("answer", tag="receipt", status=0)
    assert line.receipts == [("161", "delivered", None)]
    await other.channel.close()


async def test_a_long_text_is_delivered_when_all_its_parts_are(line: Line) -> None:
    await line.smsc.order("behave", to=ANNA[1:], receipt="DELIVRD")
    assert await line.send("a" * 400) == Sent("1")
    await line.smsc.event("answer", after=2, tag="receipt", status=0)
    assert line.receipts == [("1", "delivered", None)]


async def test_a_long_text_fails_with_one_of_its_parts_even_after_a_restart(line: Line) -> None:
    assert await line.send("a" * 400) == Sent("1")
    other = await line.reopened()
    for id, state in (("3", "DELIVRD"), ("2", "UNDELIV")):
        text = f"id:{id} sub:001 dlvrd:001 submit date:1 done date:2 stat:{state} err:012 text:"
        assert await line.smsc.deliver(source=ANNA[1:], text=text, esm=4) == 0
    assert line.receipts == [("1", "failed", "undelivered 012")]
    await other.channel.close()


async def test_a_receipt_is_not_acknowledged_before_it_is_stored(line: Line) -> None:
    await line.send("Bonjour")
    line.recorder.failures = 1
    told: dict[str, Any] = {"source": ANNA[1:], "text": "id:1 stat:DELIVRD err:000", "esm": 4}
    assert await line.smsc.deliver(**told) == 0x64
    assert await line.smsc.deliver(**told) == 0
    assert line.receipts == [("1", "delivered", None)]


# -- what it hears


@pytest.mark.parametrize(
    ("text", "coding"), [("Été, 12 € {ok}", 0), ("Ça marche 🙂", 8), ("Déjà vu", 3), ("", 0), ("a" * 160, 0)]
)
async def test_a_text_is_heard_in_its_alphabet(line: Line, text: str, coding: int) -> None:
    assert await line.smsc.deliver(source=ANNA[1:], text=text, coding=coding) == 0
    (heard,) = line.recorder.inbound
    assert (heard.content.text, heard.address, heard.space) == (text, ANNA, "sms")
    assert heard.metadata["to"] == "36180"


@pytest.mark.parametrize(
    ("source", "ton", "address"),
    [("33612345678", 1, ANNA), ("+33612345678", 1, ANNA), ("0612345678", 2, ANNA), ("33612345678", 0, ANNA),
     ("447400123456", 0, "+447400123456"), ("38600", 3, "38600"), ("BANQUE", 5, "BANQUE"), ("", 0, "?")],
)  # fmt: skip
async def test_a_sender_has_one_spelling(line: Line, source: str, ton: int, address: str) -> None:
    await line.smsc.deliver(source=source, ton=ton, text="oui")
    assert [heard.address for heard in line.recorder.inbound] == [address]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1)])
async def test_a_long_text_is_heard_whole(line: Line, order: tuple[int, ...]) -> None:
    text = "Où est ma commande 🙂 ? " * 8
    pieces = segment(text).parts
    assert len(pieces) == 3
    for number in order:
        octets = wrap(9, 3, number + 1, pieces[number]).hex()
        assert await line.smsc.deliver(source=ANNA[1:], octets=octets, coding=8, esm=0x40) == 0
    assert line.texts == [text]


async def test_a_surrogate_pair_cut_between_parts_is_joined(line: Line) -> None:
    octets = "voilà 🙂".encode("utf-16-be")
    for number, piece in enumerate((octets[:-2], octets[-2:]), 1):
        await line.smsc.deliver(source=ANNA[1:], octets=wrap(9, 2, number, piece).hex(), coding=8, esm=0x40)
    assert line.texts == ["voilà 🙂"]


async def test_parts_not_stored_are_not_acknowledged(line: Line) -> None:
    await line.smsc.deliver(source=ANNA[1:], octets=wrap(9, 2, 1, b"Bon").hex(), esm=0x40)
    line.recorder.failures = 1
    last: dict[str, Any] = {"source": ANNA[1:], "octets": wrap(9, 2, 2, b"jour").hex(), "esm": 0x40}
    assert await line.smsc.deliver(**last) == 0x64
    assert await line.smsc.deliver(**last) == 0
    assert await line.smsc.deliver(**last) == 0
    assert line.texts == ["Bonjour"]


async def test_what_stays_incomplete_is_shown_as_it_is(line: Line) -> None:
    other = await line.reopened(parts_seconds=0.2)
    await line.smsc.deliver(source=ANNA[1:], octets=wrap(9, 3, 2, b"milieu").hex(), esm=0x40)
    await until(lambda: line.texts == ["[…]milieu[…]"])
    assert line.recorder.inbound[0].metadata["incomplete"] is True
    await other.channel.close()


async def test_a_malformed_delivery_is_refused_for_good_and_the_session_lives(line: Line) -> None:
    await line.smsc.order("raw", hex="00000011" + "00000005" + "00000000" + "00000063" + "41")
    assert await line.smsc.deliver(source=ANNA[1:], text="encore là") == 0
    assert line.texts == ["encore là"]
    assert len(line.smsc.of("bound")) == 1


async def test_the_same_words_minutes_apart_are_two_messages(line: Line) -> None:
    for _ in range(2):
        assert await line.smsc.deliver(source=ANNA[1:], text="oui") == 0
        enquiries = len(line.smsc.of("enquire"))
        await line.smsc.event("enquire", after=enquiries + 1)  # the second one follows the proof by the first
    assert line.texts == ["oui", "oui"]
    assert len({heard.id for heard in line.recorder.inbound}) == 2


async def test_what_was_refused_comes_again_as_one_message(line: Line) -> None:
    line.recorder.failures = 2
    statuses = [await line.smsc.deliver(source=ANNA[1:], text="oui") for _ in range(3)]
    assert statuses == [0x64, 0x64, 0]
    assert line.texts == ["oui"]


async def test_an_answer_lost_with_the_session_does_not_double_the_message(line: Line) -> None:
    stored, go = asyncio.Event(), asyncio.Event()
    receive = line.recorder.receive

    async def slow(arrival: Any) -> Outcome:
        outcome = await receive(arrival)
        stored.set()
        await go.wait()
        return outcome

    other = await opened_with(line, slow)
    await line.smsc.order("deliver", tag="lost", source=ANNA[1:], text="oui")
    await stored.wait()
    await line.smsc.order("drop")  # before our answer
    await line.smsc.event("bound", after=2)
    go.set()
    assert await line.smsc.deliver(source=ANNA[1:], text="oui") == 0
    assert line.texts == ["oui"]
    await other.close()


async def opened_with(line: Line, receive: Any) -> Smpp:
    await line.channel.close()
    bound = len(line.smsc.of("bound"))
    channel = cast(Smpp, await connect(SmppKit(line.smsc).options, replace(line.door, receive=receive)))
    await line.smsc.event("bound", after=bound)
    return channel


async def test_after_a_crash_what_was_stored_comes_again_as_one_message(line: Line) -> None:
    await line.smsc.deliver(source=ANNA[1:], text="oui")
    (heard,) = line.recorder.inbound
    await line.channel.close()
    await keep(line.door.store, heard)
    await line.door.store.change("smpp_state", {"_id": "run"}, {"$set": {"open": True}})  # as a killed run leaves it
    after = await opened(line.smsc, line.door, line.recorder)
    await line.smsc.deliver(source=ANNA[1:], text="oui")
    assert [message.id for message in line.recorder.inbound] == [heard.id]
    await line.smsc.deliver(source=ANNA[1:], text="oui")
    assert len(line.recorder.inbound) == 2, "each stored message answers for one repetition"
    await after.channel.close()


async def test_after_a_goodbye_the_same_words_are_another_message(line: Line) -> None:
    await line.smsc.deliver(source=ANNA[1:], text="oui")
    await line.channel.close()
    await keep(line.door.store, line.recorder.inbound[0])
    after = await opened(line.smsc, line.door, line.recorder)
    await line.smsc.deliver(source=ANNA[1:], text="oui")
    assert len(line.recorder.inbound) == 2
    await after.channel.close()


async def keep(store: Store, heard: Inbound) -> None:
    """Store a message as the front door does, as far as this channel looks."""
    await store.insert(
        "messages",
        {
            "_id": f"smpp:{heard.id}", "conversation": f"smpp:{heard.address}", "direction": "inbound", "seq": 1,
            "at": utc_now(), "metadata": dict(heard.metadata),
        },
    )  # fmt: skip


# -- its set-up


async def test_tls_is_spoken_to_an_operator_with_its_own_authority(
    tmp_path: Path, mongo_url: str, database_name: str
) -> None:
    openssl = shutil.which("openssl")
    require_peer("openssl", openssl)
    key, certificate = str(tmp_path / "smsc.key"), str(tmp_path / "smsc.pem")
    request = shlex.split(
        "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1"
    )
    command = [str(openssl), *request, "-keyout", key, "-out", certificate]
    await asyncio.to_thread(subprocess.run, command, check=True, capture_output=True)
    store, recorder = Store(mongo_url, database_name), Recorder()
    async with running_smsc(tls=str(tmp_path / "smsc")) as smsc:
        line = await opened(smsc, door_of(store, recorder), recorder, tls=True, tls_ca=certificate)
        assert isinstance(await line.send("Bonjour"), Sent)
        await line.channel.close()
        stranger = await connect(replace(SmppKit(smsc).options, tls=True), line.door)
        outcome = await stranger.send(Outbound("m1", ANNA, Content(text="Bonjour"), "c", 1))
        assert isinstance(outcome, Later), "a certificate that nobody vouches for is not spoken to"
        await stranger.close()
    await store.close()


async def test_all_that_is_missing_or_wrong_is_said_at_once() -> None:
    wrong = Options(enabled=True, receipt_ids="octal", default_alphabet="ebcdic", window=0, sender="x" * 12)
    with pytest.raises(ValueError) as problems:
        await connect(wrong, cast(Door, None))
    for key in ("host", "system_id", "sender", "receipt_ids", "default_alphabet", "window"):
        assert f"channels.smpp.{key}: expected" in str(problems.value)


def test_the_password_hides_itself() -> None:
    assert "hunter2" not in repr(Options(password=Secret("hunter2")))
