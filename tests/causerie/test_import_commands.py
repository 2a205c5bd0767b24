"""`causerie import profiles` as an operator uses it: tried, carried out, given again, beside people who are there already."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from admin import own_data
from admin.agents import audit_row
from causerie.__main__ import _wanted
from causerie.arguments import parser
from causerie.import_commands import Wanted, import_profiles
from causerie.options import Options
from causerie.progress import silent
from profiles.erased import Hashes
from profiles.indexes import INDEXES
from profiles.profile import Identity, Profile, Suppression
from profiles.record import from_document, to_document
from profiles.store import Store
from tests.cast import LONG_AGO

HEADER = "user;E-mail;Téléphone;Prénom;Ville;Points;Langue"
NORA = "42;nora@example.org;06 39 98 11 22;Nora;Lyon;1 200,5;fr"
SECRET = b"0123456789abcdef0123456789abcdef"


@pytest.fixture
async def store(mongo_url: str, database_name: str) -> AsyncIterator[Store]:
    store = Store(mongo_url, database_name)
    await store.prepare(INDEXES)
    await store.insert("settings", {"_id": "secret", "value": SECRET})
    yield store
    await store.close()


class Desk:
    """A folder with a file, and the command."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store, self.file = store, folder / "clients.csv"
        self.said: list[str] = []

    async def imports(self, *rows: str, **how: Any) -> int:
        self.file.write_text("\n".join((HEADER, *rows)), encoding=how.get("encoding", "utf-8"))
        self.said.clear()
        wanted = Wanted(self.file, **{"proved": ("email",), **how})
        return await import_profiles(Options(), self.store, wanted, self.said.append, silent)

    async def holder(self, key: str) -> Profile | None:
        claim = await self.store.get("identities", key)
        document = await self.store.get("profiles", str(claim["profile"])) if claim else None
        return from_document(Profile, document) if document else None

    async def knows(self, profile: Profile) -> None:
        """Let somebody be there before."""
        await self.store.insert("profiles", to_document(profile))
        for identity in profile.identities:
            if identity.is_claimed:
                await self.store.insert("identities", {"_id": identity.key, "profile": profile.id})


@pytest.fixture
def desk(store: Store, tmp_path: Path) -> Desk:
    return Desk(store, tmp_path)


async def test_a_row_becomes_a_person_with_what_is_said_of_them(desk: Desk) -> None:
    assert await desk.imports(NORA) == 0
    assert desk.said[-1] == "Rows: 1 (1 new, 0 changed, 0 unchanged, 0 refused)."
    nora = await desk.holder("email:nora@example.org")
    assert nora and nora == await desk.holder("user:42")
    assert await desk.holder("sms:+33639981122") is None, "it was only said: its true owner can still claim it"
    assert [(one.key, one.is_claimed) for one in nora.identities] == [
        ("user:42", True), ("email:nora@example.org", True), ("sms:+33639981122", False),
    ]  # fmt: skip
    assert {name: known.value for name, known in nora.attributes.items()} == {
        "first_name": "Nora", "city": "Lyon", "points": 1200.5,
    }  # fmt: skip
    assert (nora.language, nora.attributes["city"].source, nora.attributes["city"].by) == ("fr", "declared", "import")
    assert await desk.store.count("consents", {}) == await desk.store.count("ledgers", {}) == 0, "nobody said yes"


async def test_the_same_file_again_changes_nothing_and_one_that_says_more_adds_it(desk: Desk) -> None:
    await desk.imports(NORA)
    assert await desk.imports(NORA) == 0
    assert desk.said[-1] == "Rows: 1 (0 new, 0 changed, 1 unchanged, 0 refused)."
    assert await desk.imports("42;;;;Nice;;", ";nora@example.org;;;;7;") == 0
    assert desk.said[-1] == "Rows: 2 (0 new, 2 changed, 0 unchanged, 0 refused)."
    nora = await desk.holder("user:42")
    assert nora and [nora.value(name) for name in ("first_name", "city", "points")] == ["Nora", "Nice", 7]
    assert await desk.store.count("profiles", {}) == 1


async def test_two_rows_of_one_person_are_one_person(desk: Desk) -> None:
    rows = [f"{number % 150};;;Name{number};;;" for number in range(450)]
    assert await desk.imports(*rows, tries=True) == 0
    assert desk.said[-1] == (
        "Rows: 450 (150 new, 300 changed, 0 unchanged, 0 refused). It was tried: nothing was written."
    )
    assert await desk.imports(*rows) == 0
    assert desk.said[-1] == "Rows: 450 (150 new, 300 changed, 0 unchanged, 0 refused)."
    assert await desk.store.count("profiles", {}) == 150
    last = await desk.holder("user:149")
    assert last and last.value("first_name") == "Name449"


async def test_a_trial_says_the_same_and_writes_nothing(desk: Desk) -> None:
    assert await desk.imports(NORA, "43;nowhere;;;;;", tries=True) == 1
    assert desk.said[-2:] == [
        'clients.csv:3: E-mail: expected an address of email, got "nowhere"',
        "Rows: 2 (1 new, 0 changed, 0 unchanged, 1 refused). It was tried: nothing was written.",
    ]
    assert await desk.store.count("profiles", {}) == await desk.store.count("audit", {}) == 0


async def test_a_row_that_is_refused_holds_up_no_other(desk: Desk) -> None:
    assert await desk.imports("1;;;A;;;", "2;;;B;;x;", "", "3;;;C", "4;;;D;;;") == 1
    assert desk.said[-3:] == [
        'clients.csv:3: Points: expected a number such as 1200.5, got "x"',
        "clients.csv:5: row: expected 7 cells, got 4",
        "Rows: 4 (2 new, 0 changed, 0 unchanged, 2 refused).",
    ]


async def test_a_row_with_the_addresses_of_two_people_merges_nobody(desk: Desk) -> None:
    await desk.knows(_person("A", "email:nora@example.org"))
    await desk.knows(_person("B", "user:42"))
    assert await desk.imports(NORA) == 1
    assert desk.said[-2] == (
        "clients.csv:2: its addresses are those of two people here, A and B. Hint: merge them in the console, or mend the row"
    )
    await desk.knows(_person("C", "user:7", "email:c@example.org"))
    assert await desk.imports("8;c@example.org;;;;;") == 1
    assert desk.said[-2].startswith("clients.csv:2: this person has proved to be another user.")
    assert await desk.store.count("merges", {}) == 0


async def test_who_only_holds_an_address_beside_others_that_they_proved_learns_nothing_of_its_owner(desk: Desk) -> None:
    held = Identity("email", "nora@example.org", LONG_AGO)
    impostor = _person("I", "telegram:7").with_identity(held)
    await desk.knows(impostor)
    assert await desk.imports(NORA) == 0
    nora = await desk.holder("email:nora@example.org")
    assert nora and nora.id != "I" and nora.value("city") == "Lyon"
    before = await desk.store.get("profiles", "I")
    assert before and "attributes" not in before or not (before or {})["attributes"]
    assert await desk.store.count("conflicts", {}) == 1


async def test_bans_stay_and_the_erased_come_back_banned(desk: Desk) -> None:
    banned = Suppression("opted_out", LONG_AGO)
    address = Identity("email", "nora@example.org", LONG_AGO, verified_at=LONG_AGO, suppression=banned)
    await desk.knows(Profile("N", LONG_AGO, (address,)))
    mark = Hashes(SECRET).address("email:gone@example.org")
    await desk.store.insert("identities", {"_id": mark, "profile": "erased"})
    assert await desk.imports(NORA, "43;gone@example.org;;Gone;;;") == 0
    nora, gone = await desk.holder("user:42"), await desk.holder("user:43")
    assert nora and nora.id == "N" and nora.identities[0].suppression == banned
    back = gone.identity("email:gone@example.org") if gone else None
    assert back and back.suppression and back.suppression.reason == "erased"


async def test_what_people_corrected_themselves_and_the_language_they_read_stay(desk: Desk) -> None:
    nora = _person("N", "user:42").learn("city", "Nice", source="declared", at=LONG_AGO, by=own_data.BY)
    nora = nora.learn("first_name", "N.", source="declared", at=LONG_AGO, by="agent:maya")
    await desk.knows(_in(nora, "en"))
    assert await desk.imports(NORA, source="tracked") == 0
    tracked = await desk.holder("user:42")
    assert tracked and [tracked.value(name) for name in ("city", "first_name", "points")] == ["Nice", "N.", 1200.5]
    assert await desk.imports(NORA) == 0
    after = await desk.holder("user:42")
    assert after and [after.value(name) for name in ("city", "first_name")] == ["Nice", "Nora"]
    assert after.language == "en"


async def test_a_file_that_can_not_be_read_writes_nothing(desk: Desk) -> None:
    assert await desk.imports(NORA, encoding="cp1252") == 0, "the control"
    desk.file.write_bytes("\n".join((HEADER, "43;;;Zoé;;;")).encode("cp1252"))
    for wanted in (Wanted(desk.file), Wanted(desk.file, encoding="cp1253x")):
        assert await import_profiles(Options(), desk.store, wanted, desk.said.append, silent) == 1
        assert "--encoding cp1252" in desk.said[-1]
    assert await desk.imports(*(f"{number};;;A;;;" for number in range(50, 55)), '55;"never ended;;;;;') == 1
    assert desk.said == [
        "clients.csv: expected a CSV file, got unexpected end of data on line 7 or soon after. "
        "Hint: a cell that begins with a quotation mark ends with one"
    ]
    assert await desk.store.count("profiles", {}) == 1


async def test_many_refusals_are_counted_and_the_audit_says_that_a_file_was_taken_over(desk: Desk) -> None:
    rows = [f"{number};;;;;x;" for number in range(130)]
    assert await desk.imports(*rows) == 1
    assert sum(line.startswith("clients.csv:") for line in desk.said) == 100
    assert desk.said[-2] == "... and 30 more refused. Hint: --all"
    await desk.imports(*rows, everything=True)
    assert sum(line.startswith("clients.csv:") for line in desk.said) == 130
    (first, _) = await desk.store.find("audit", {}, sort=[("at", 1)])
    assert (first["act"], first["by"], first["about"]) == ("people.imported", "command", "import:clients.csv")
    assert set(first) == set(audit_row("x", by="", about="", at=LONG_AGO, rows=130))


def test_the_command_line_says_how_the_file_is_to_be_read() -> None:
    parsed = parser().parse_args(
        ["import", "profiles", "a.csv", "--proved", "email", "--proved", "sms", "--column", "Nr=user", "--column", "N=",
         "--days", "day", "--encoding", "cp1252", "--source", "tracked", "--dry-run", "--all"]
    )  # fmt: skip
    assert _wanted(parsed) == Wanted(
        Path("a.csv"),
        ["email", "sms"],
        {"Nr": "user", "N": ""},
        "tracked",
        "day",
        "cp1252",
        tries=True,
        everything=True,
    )
    with pytest.raises(SystemExit):
        parser().parse_args(["import", "profiles", "a.csv", "--column", "Nr"])


def _person(id: str, *keys: str) -> Profile:
    spaces = [key.partition(":") for key in keys]
    proved = (Identity(space, address, LONG_AGO, verified_at=LONG_AGO) for space, _, address in spaces)
    return Profile(id, LONG_AGO, tuple(proved))


def _in(profile: Profile, language: str) -> Profile:
    return Profile(profile.id, profile.created_at, profile.identities, profile.attributes, language)
