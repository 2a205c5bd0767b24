"""E-mail as a conversation: who writes is answered by mail, in the same thread, and a machine never is."""

from collections.abc import AsyncIterator

import pytest

from channels.outbound import outbound_of
from profiles.calendar import utc_now
from profiles.record import replace
from profiles.snapshot import Changes, Snapshot, Work
from profiles.timeline import Content
from profiles.topics import EVERY
from tests.channels.email_stage import ANNA, HELP, PostOffice, mail, named, post_office
from tests.waiting import until

TAKEN = ["250 2.0.0 taken"]


@pytest.fixture
async def office(mongo_url: str, database_name: str) -> AsyncIterator[PostOffice]:
    async with post_office(mongo_url, database_name) as office:
        yield office


async def test_a_mail_is_answered_in_one_mail_of_its_thread(office: PostOffice) -> None:
    assert await office.gets(mail("Bonjour\n\n> avant\n-- \nAnna", References="<m0@example.org>")) == TAKEN
    [taken] = await office.said(1)
    assert taken.text == "You said Bonjour\n\nWhat else?\n\n1. Hours\n2. A person"
    assert taken.mail["Subject"] == "Re: Une question"
    assert taken.mail["In-Reply-To"] == "<m1@example.org>"
    assert taken.mail["References"] == "<m0@example.org> <m1@example.org>"
    assert taken.mail["Auto-Submitted"] == "auto-replied"
    assert taken.mail["From"] == HELP
    [heard, _] = await office.messages()
    assert (heard.content.text, heard.content.title) == ("Bonjour", "Une question")
    assert heard.metadata["whole"] == "Bonjour\n\n> avant\n--\nAnna".replace("--\n", "-- \n")


async def test_a_sender_is_known_by_name_and_proved_by_nothing(office: PostOffice) -> None:
    await office.gets(mail())
    [anna] = await office.profiles()
    assert anna.name == "Anna"
    assert [(one.key, one.verified_at) for one in anna.identities] == [(f"email:{ANNA}", None)]


async def test_a_forged_sender_changes_nothing_of_who_is_known(office: PostOffice) -> None:
    await office.notice("n1")
    await office.gets(mail(From=f"Somebody else <{ANNA}>"))
    [anna] = await office.profiles()
    assert anna.name == ""


async def test_the_mail_server_that_is_trusted_proves_the_address(mongo_url: str, database_name: str) -> None:
    async with post_office(mongo_url, database_name, trusted_results="mx.shop.example") as office:
        proof = "mx.shop.example; dkim=pass header.d=example.org"
        await office.gets(mail(Authentication_Results=proof))
        assert (await office.identity()).verified_at is not None


async def test_the_answer_to_our_answer_goes_on_with_the_thread(office: PostOffice) -> None:
    await office.gets(mail())
    [ours] = await office.said(1)
    again = mail("2", Subject="Re: Une question", Message_ID="<m2@example.org>", In_Reply_To=named(ours))
    await office.gets(again)
    [_, second] = await office.said(2)
    assert second.text.startswith("You said /human"), "the number of a choice is understood"
    assert second.mail["Subject"] == "Re: Une question"
    assert second.mail["References"] == f"{named(ours)} <m2@example.org>"
    assert [message.content.title for message in await office.messages()] == ["Une question", "", "", ""]


async def test_an_agents_answer_looks_like_a_persons(office: PostOffice) -> None:
    await office.gets(mail())
    await office.said(1)
    await office.agent_says("Demain à 10 h.")
    [_, taken] = await office.said(2)
    assert (taken.text, taken.mail["Subject"], taken.mail["In-Reply-To"]) == (
        "Demain à 10 h.", "Re: Une question", "<m1@example.org>",
    )  # fmt: skip
    assert taken.mail["Auto-Submitted"] is None


async def test_an_answer_to_a_notice_begins_the_conversation_of_its_address(office: PostOffice) -> None:
    notice = await office.notice("n1")
    await office.gets(mail("Quel prix ?", Subject="RE: Soldes", In_Reply_To=named(notice)))
    [_, answer] = await office.said(2)
    assert answer.mail["Subject"] == "Re: Soldes"
    assert [one.profile for one in await office.messages()] == ["P1", "P1"]


async def test_an_answer_from_another_address_belongs_to_the_mail_it_answers(office: PostOffice) -> None:
    notice = await office.notice("n1")
    await office.gets(mail("c'est moi", From="Anna au bureau <anna@work.example>", In_Reply_To=named(notice)))
    [_, answer] = await office.said(2)
    assert answer.to == ANNA, "what we say goes to the address that we knew"
    assert not office.server.to("anna@work.example")
    [heard, _] = await office.messages()
    assert heard.metadata["from"] == "anna@work.example"
    [anna] = await office.profiles()
    assert [one.key for one in anna.identities] == [f"email:{ANNA}"]


@pytest.mark.parametrize(
    "id", ["<" + "0" * 28 + "@shop.example>", "<x@shop.example>", "<" + "a" * 28 + "@other.example>"]
)
async def test_an_id_that_we_never_gave_leads_nowhere(office: PostOffice, id: str) -> None:
    await office.notice("n1")
    await office.gets(mail(From="eve@evil.example", In_Reply_To=id))
    assert [one.content.text for one in await office.messages("email:eve@evil.example")][0] == "Bonjour"
    assert await office.messages() == []


async def test_the_same_mail_to_two_of_our_addresses_and_again_is_one_message(office: PostOffice) -> None:
    again = [*TAKEN, *TAKEN]
    assert await office.gets(mail(), HELP, "help+orders@shop.example") == again
    assert await office.gets(mail(), HELP, "help+orders@shop.example") == again
    assert len(await office.messages()) == 2


async def test_a_mail_without_an_id_is_known_by_its_words(office: PostOffice) -> None:
    for text in ("un", "un", "deux"):
        await office.gets(mail(text, Message_ID="", Date="Mon, 23 Nov 2026 09:12:00 +0100"))
    heard = [one.content.text for one in await office.messages() if one.direction == "inbound"]
    assert heard == ["un", "deux"]


@pytest.mark.parametrize(
    "fields",
    [{"Auto-Submitted": "auto-generated"}, {"Precedence": "bulk"}, {"List-Id": "<x.example>"}, {"Return-Path": "<>"}],
)
async def test_what_a_machine_wrote_is_kept_and_never_answered(office: PostOffice, fields: dict[str, str]) -> None:
    await office.gets(mail("STOP", **fields))
    await office.gets(mail("et moi ?", From="boris@example.org", Message_ID="<m9@example.org>"))
    await office.said(1, "boris@example.org")
    assert office.server.to(ANNA) == []
    [heard] = await office.messages()
    assert heard.metadata["by"] == "machine"


@pytest.mark.parametrize("sender", [HELP, f"La boutique <{HELP}>"])
async def test_our_own_mail_that_comes_back_is_nobodys(office: PostOffice, sender: str) -> None:
    assert await office.gets(mail(From=sender)) == TAKEN
    assert await office.profiles() == []


async def test_a_holiday_note_is_no_message(office: PostOffice) -> None:
    notice = await office.notice("n1")
    assert await office.gets(mail(Auto_Submitted="auto-replied", In_Reply_To=named(notice))) == TAKEN
    assert await office.messages() == []


async def test_a_machine_that_hides_what_it_is_is_answered_three_times_and_given_to_people(office: PostOffice) -> None:
    for number in range(5):
        await office.gets(mail("Votre message est bien arrivé", Message_ID=f"<auto{number}@example.org>"))
        await office.said(min(number + 1, 3))
    thread = await office.conversation()
    assert thread.owner == "queue"
    assert len([one for one in await office.messages() if one.author == "bot"]) == 3
    assert len(office.server.to(ANNA)) == 3


async def test_stop_ends_what_rules_write_and_its_writer_is_still_answered(office: PostOffice) -> None:
    await office.gets(mail("STOP\n\n> Soldes"))
    [confirmed] = await office.said(1)
    assert "no more offers" in confirmed.text and confirmed.mail["Content-Language"] == "en"
    assert "START" not in confirmed.text
    [anna] = await office.profiles()
    assert (await office.ledger(anna.id)).on[f"email:{EVERY}"] is False
    await office.gets(mail("START", Message_ID="<m2@example.org>"))
    [_, answered] = await office.said(2)
    assert answered.mail["Content-Language"] is None, "in which language they write to each other, nobody knows"
    assert answered.text.startswith("You said START"), "anybody can write under her name: a yes is not taken by mail"
    assert (await office.ledger(anna.id)).on[f"email:{EVERY}"] is False


async def test_the_bots_mail_and_an_agents_say_the_language_that_is_spoken_there(office: PostOffice) -> None:
    await office.gets(mail("Bonjour"))
    await office.said(1)
    thread = f"email:{ANNA}"

    def in_french(snapshot: Snapshot) -> Changes:
        anna = snapshot.holder(thread)
        assert anna
        return Changes((replace(anna, language="fr-CA"),))

    await office.writer.commit(Work(in_french, identities=(thread,)))
    await office.agent_says("Je regarde", id="out1")
    await office.said(2)

    def in_english(snapshot: Snapshot) -> Changes:
        return Changes(conversations=(replace(snapshot.conversations[thread], language="en"),))

    await office.writer.commit(Work(in_english, conversations=(thread,)))
    await office.agent_says("I'll see", id="out2")
    said = await office.said(3)
    assert [one.mail["Content-Language"] for one in said] == [None, "fr-CA", "en"]
    told = dict(await office.channel.told(outbound_of((await office.messages())[-1], Content("I'll see")), utc_now()))
    assert told["Content-Language"] == "en"


async def test_a_mail_of_a_subject_alone_says_its_subject(office: PostOffice) -> None:
    await office.gets(mail("", Subject="Horaires ?"))
    [taken] = await office.said(1)
    assert taken.text.startswith("You said Horaires ?")


async def test_pictures_and_papers_are_kept_and_anything_else_is_named(office: PostOffice) -> None:
    with_files = mail("voici")
    with_files.add_attachment(b"%PDF-1.4 x", maintype="application", subtype="pdf", filename="../facture.pdf")
    with_files.add_attachment(b"PK\x03\x04zip", maintype="application", subtype="pdf", filename="bombe.pdf")
    with_files.add_attachment(b"<svg onload=x>", maintype="image", subtype="png", filename="x.png")
    assert await office.gets(with_files) == TAKEN
    [heard, _] = await office.messages()
    [file] = heard.content.attachments
    assert (file.name, file.mime, file.kind) == ("facture.pdf", "application/pdf", "file")
    assert heard.metadata["left_out"] == ["bombe.pdf", "x.png"]
    kept = await office.store.get("files", str(file.file))
    assert kept and bytes(kept["bytes"]) == b"%PDF-1.4 x"

    async def is_kept_for_good() -> bool:
        return "expires_at" not in (await office.store.get("files", str(file.file)) or {"expires_at": 1})

    await until(is_kept_for_good)


async def test_where_nobody_writes_to_only_reports_are_read(mongo_url: str, database_name: str) -> None:
    async with post_office(mongo_url, database_name, receives=()) as office:
        assert office.channel.limits.threads is False
        assert await office.gets(mail(), "bounces@shop.example") == TAKEN
        assert await office.profiles() == []
        [refused] = await office.gets(mail(), HELP)
        assert refused.startswith("550")
