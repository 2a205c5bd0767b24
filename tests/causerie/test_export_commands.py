"""`causerie export` as an operator uses it: people for a spreadsheet, messages for a program, and back in by the import."""

import csv
import json
import stat
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from admin import exporting
from causerie.__main__ import _taking
from causerie.arguments import parser
from causerie.export_commands import Taking, export, instant
from causerie.import_commands import Wanted, import_profiles
from causerie.options import Options
from causerie.progress import silent
from profiles.indexes import INDEXES
from profiles.ledgers import COLLECTION as LEDGERS
from profiles.profile import Attribute, Identity, Profile, Suppression
from profiles.record import to_document
from profiles.store import Store
from profiles.timeline import Attachment, Content, Delivery, Event, Message
from tests.cast import LONG_AGO, NOON

DAY = timedelta(days=1)


@pytest.fixture
async def store(mongo_url: str, database_name: str) -> AsyncIterator[Store]:
    store = Store(mongo_url, database_name)
    await store.prepare(INDEXES)
    yield store
    await store.close()


class Desk:
    """A folder, and the command."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store, self.folder = store, folder
        self.said: list[str] = []

    async def exports(self, kind: Any, name: str, **how: Any) -> int:
        self.said.clear()
        return await export(self.store, Taking(kind, self.folder / name, **how), self.said.append, silent)

    def table(self, name: str) -> list[dict[str, str]]:
        with (self.folder / name).open(encoding="utf-8-sig", newline="") as file:
            return list(csv.DictReader(file))

    def lines(self, name: str) -> list[Any]:
        return [json.loads(line) for line in (self.folder / name).read_text("utf-8").splitlines()]


@pytest.fixture
def desk(store: Store, tmp_path: Path) -> Desk:
    return Desk(store, tmp_path)


def a_person(id: str, **known: Any) -> Profile:
    attributes = {name: Attribute(value, "declared", LONG_AGO) for name, value in known.items()}
    email = Identity("email", f"{id}@example.org", LONG_AGO, verified_at=LONG_AGO)
    return Profile(id, LONG_AGO, identities=(email,), attributes=attributes, language="fr")


def a_message(id: str, profile: str = "nora", at: datetime = NOON, **how: Any) -> Message:
    fields: dict[str, Any] = {"direction": "in", "author": "customer", "content": Content("Bonjour"), **how}
    return Message(id, f"telegram:{id}", profile, "telegram", seq=1, at=at, **fields)


async def test_each_person_is_a_row_with_what_is_known_of_them(desk: Desk) -> None:
    said = Identity("sms", "+33639981122", LONG_AGO, suppression=Suppression("opted_out", NOON))
    second = Identity("email", "old@example.org", LONG_AGO)
    nora = a_person("nora", first_name="Nora", points=12.5, labels=["vip", "vélo"], is_member=True)
    await desk.store.insert("profiles", to_document(nora.with_identity(said).with_identity(second)))
    await desk.store.insert(LEDGERS, {"_id": "nora", "on": {"email:offers": True, "sms:offers": False}, "at": {}})
    assert await desk.exports("profiles", "people.csv") == 0
    assert desk.said == [f"{desk.folder}/people.csv: 1 profiles."]
    [row] = desk.table("people.csv")
    assert row == {
        "profile.id": "nora", "profile.created_at": row["profile.created_at"], "user": "", "email": "nora@example.org",
        "sms": "+33639981122", "telegram": "", "language": "fr", "addresses.other": "email:old@example.org",
        "addresses.proved": "email:nora@example.org", "addresses.banned": "sms:+33639981122 opted_out",
        "consent.given": "email:offers", "consent.refused": "sms:offers",
        "first_name": "Nora", "is_member": "true", "labels": "vip | vélo", "points": "12.5",
    }  # fmt: skip
    assert datetime.fromisoformat(row["profile.created_at"]) == LONG_AGO


async def test_who_was_merged_is_left_out_and_what_they_said_is_theirs_who_they_are_now(desk: Desk) -> None:
    await desk.store.insert("profiles", to_document(a_person("nora")))
    for shell, into in (("nina", "nora"), ("nana", "nina")):
        await desk.store.insert("profiles", {"_id": shell, "created_at": LONG_AGO, "merged_into": into, "version": 1})
    await desk.store.insert("messages", to_document(a_message("m1", "nana")))
    assert await desk.exports("profiles", "people.jsonl") == 0
    assert [row["profile.id"] for row in desk.lines("people.jsonl")] == ["nora"]
    assert await desk.exports("messages", "said.jsonl") == 0
    [said] = desk.lines("said.jsonl")
    assert (said["id"], said["profile"], said["text"]) == ("m1", "nora", "Bonjour")


async def test_who_is_just_being_erased_is_left_out(desk: Desk) -> None:
    await desk.store.insert("profiles", {**to_document(a_person("nora", secret_name="N")), "erasing": "e1"})
    assert await desk.exports("profiles", "people.csv") == 0
    assert desk.said[-1].endswith("0 profiles.") and "secret_name" not in (desk.folder / "people.csv").read_text(
        "utf-8"
    )


async def test_deliveries_are_messages_that_were_sent_and_how_each_ended(desk: Desk) -> None:
    sent = Delivery(
        "telegram:7", "delivered", attempts=1, provider_id="7.1", times={"sent": NOON, "delivered": NOON + DAY}
    )
    letter = a_message(
        "m2", direction="out", author="rule:sales", delivery=sent,
        metadata={"rule": "sales", "step": "send", "class": "marketing", "topic": "offers"},
    )  # fmt: skip
    for message in (a_message("m1"), letter, a_message("m3", direction="note", author="agent:marie")):
        await desk.store.insert("messages", to_document(message))
    assert await desk.exports("deliveries", "sent.csv") == 0
    [row] = desk.table("sent.csv")
    assert (row["id"], row["state"], row["rule"], row["topic"], row["variant"]) == (
        "m2",
        "delivered",
        "sales",
        "offers",
        "",
    )
    assert datetime.fromisoformat(row["delivered_at"]) - datetime.fromisoformat(row["sent_at"]) == DAY
    assert await desk.exports("messages", "all.csv") == 0
    assert [one["direction"] for one in desk.table("all.csv")] == ["in", "out", "note"]


async def test_a_period_has_its_beginning_and_not_its_end(desk: Desk) -> None:
    for day in range(3):
        await desk.store.insert("messages", to_document(a_message(f"m{day}", at=NOON + day * DAY)))
        event = Event(f"e{day}", "nora", "order.paid", NOON + day * DAY, properties={"total": day})
        await desk.store.insert("events", to_document(event))
    assert await desk.exports("messages", "one.jsonl", since=NOON + DAY, until=NOON + 2 * DAY) == 0
    assert [row["id"] for row in desk.lines("one.jsonl")] == ["m1"]
    assert await desk.exports("events", "two.jsonl", since=NOON + DAY) == 0
    assert [row["properties"] for row in desk.lines("two.jsonl")] == [{"total": 1}, {"total": 2}]


async def test_all_pages_are_read(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "PAGE", 2)
    await desk.store.insert_missing("messages", [to_document(a_message(f"m{number}")) for number in range(5)])
    assert await desk.exports("messages", "all.jsonl") == 0
    assert [row["id"] for row in desk.lines("all.jsonl")] == ["m0", "m1", "m2", "m3", "m4"]


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ('=cmd|"/c calc"!A1', '\'=cmd|"/c calc"!A1'), ("+SUM(A1)", "'+SUM(A1)"), ("-2+3", "'-2+3"), ("@A1", "'@A1"),
        ("\t=1", "'\t=1"), ("＝1+1", "'＝1+1"), ("+33 6 39 98 11 22", "+33 6 39 98 11 22"), ("-12,5", "-12,5"), ("a=b", "a=b"),
    ],
)  # fmt: skip
async def test_no_cell_is_a_formula(desk: Desk, text: str, cell: str) -> None:
    await desk.store.insert("messages", to_document(a_message("m1", content=Content(text))))
    assert await desk.exports("messages", "all.csv") == 0
    assert desk.table("all.csv")[0]["text"] == cell


async def test_what_a_customer_wrote_stays_in_its_cell(desk: Desk) -> None:
    text = 'Deux lignes\n"et", des; signes\r\n😀 مرحبا'
    picture = Attachment("image", "a,b.png", "image/png", 4, file="f1")
    await desk.store.insert("messages", to_document(a_message("m1", content=Content(text, attachments=(picture,)))))
    assert await desk.exports("messages", "all.csv") == 0
    [row] = desk.table("all.csv")
    assert (row["text"], row["files"]) == (text, "a,b.png")


async def test_the_file_is_for_its_owner_alone_and_the_audit_knows_of_it(desk: Desk) -> None:
    assert await desk.exports("events", "e.csv") == 0
    assert stat.S_IMODE((desk.folder / "e.csv").stat().st_mode) == 0o600
    [row] = await desk.store.find("audit", {})
    assert (row["act"], row["by"], row["about"], row["details"]) == (
        "data.exported",
        "command",
        "export:e.csv",
        {"kind": "events"},
    )


async def test_nothing_is_written_over_and_no_half_file_is_left(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    (desk.folder / "e.csv").write_text("mine")
    assert await desk.exports("events", "e.csv") == 1
    assert "it is there already" in desk.said[0] and (desk.folder / "e.csv").read_text() == "mine"
    await desk.store.insert("messages", to_document(a_message("m1")))
    monkeypatch.setitem(exporting._KINDS, "messages", ("messages", "at", lambda *_: 1 / 0))  # type: ignore[index,arg-type]
    with pytest.raises(ZeroDivisionError):
        await desk.exports("messages", "m.csv")
    assert [one.name for one in desk.folder.iterdir()] == ["e.csv"]


@pytest.mark.parametrize(
    ("kind", "name", "how", "words"),
    [
        ("events", "e.xlsx", {}, 'expected a file that ends with .csv or .jsonl, got ".xlsx"'),
        ("profiles", "p.csv", {"since": NOON}, "people have no period"),
        ("events", "e.csv", {"since": NOON, "until": NOON}, "--until: expected later than"),
        ("events", "nowhere/e.csv", {}, "No such file or directory. Hint: name a file"),
    ],
)
async def test_what_can_not_be_is_said(desk: Desk, kind: Any, name: str, how: Any, words: str) -> None:
    assert await desk.exports(kind, name, **how) == 1
    assert words in desk.said[-1]


async def test_what_was_exported_can_be_taken_over_elsewhere(desk: Desk, mongo_url: str, database_name: str) -> None:
    nora = a_person("nora", first_name="Nora", city="Lyon", born_on="1985-11-03", points=12.5)
    await desk.store.insert("profiles", to_document(nora))
    assert await desk.exports("profiles", "people.csv") == 0
    elsewhere = Store(mongo_url, f"{database_name}_2")
    try:
        wanted = Wanted(desk.folder / "people.csv", proved=("email",))
        assert await import_profiles(Options(), elsewhere, wanted, desk.said.append, silent) == 0, desk.said
        [known] = await elsewhere.find("profiles", {})
        assert {name: one["value"] for name, one in known["attributes"].items()} == nora_says(nora)
    finally:
        await elsewhere.drop()
        await elsewhere.close()


def nora_says(profile: Profile) -> dict[str, Any]:
    return {name: attribute.value for name, attribute in profile.attributes.items()}


def test_a_day_is_its_midnight_in_utc_and_a_zone_is_heeded() -> None:
    assert instant("2026-01-31") == datetime(2026, 1, 31, tzinfo=UTC)
    assert instant("2026-01-31T08:00+01:00") == datetime(2026, 1, 31, 7, tzinfo=UTC)


def test_the_command_line_says_what_is_wanted(capsys: pytest.CaptureFixture[str]) -> None:
    parsed = parser().parse_args(["export", "messages", "a.csv", "--since", "2026-01-31"])
    assert _taking(parsed) == Taking("messages", Path("a.csv"), since=datetime(2026, 1, 31, tzinfo=UTC))
    with pytest.raises(SystemExit):
        parser().parse_args(["export", "messages", "a.csv", "--until", "yesterday"])
    assert 'expected a day such as 2026-01-31, got "yesterday"' in capsys.readouterr().err
