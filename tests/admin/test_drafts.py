"""A reply proposed by the language model: only where one is configured, without private notes, and never sent by itself."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import pytest

from tests.admin.office import Office, close_office, open_office, seed

CHAT = "telegram:7003"


@dataclass
class Drafter:
    """Proposes what it is told to, and remembers what it was shown."""

    text: str | None = "Il nous en reste deux."
    shown: list[tuple[Sequence[tuple[str, str]], str, str]] = field(default_factory=list)

    async def draft(
        self, said: Sequence[tuple[str, str]], question: str, language: str, conversation: str
    ) -> str | None:
        self.shown.append((said, question, language))
        return self.text


@pytest.fixture
def drafter() -> Drafter:
    return Drafter()


@pytest.fixture
async def office(mongo_url: str, database_name: str, drafter: Drafter) -> AsyncIterator[Office]:
    made = await open_office(mongo_url, database_name, drafts=drafter)
    await seed(made)
    yield made
    await close_office(made)


async def test_a_draft_is_given_and_nothing_is_said(office: Office, drafter: Drafter) -> None:
    maya = await office.signed_in(await office.agent())
    before = await office.desk.store.count("messages", {})
    answer = await maya.post(f"/conversations/{CHAT}/draft")
    assert await answer.json() == {"ok": True, "text": "Il nous en reste deux."}
    assert await office.desk.store.count("messages", {}) == before
    said, question, language = drafter.shown[0]
    assert question.startswith("Un 40") and language == "fr"
    assert not any("Samir" in text for _, text in said), "private notes stay in the house"
    assert not any("Chloé" in text for _, text in said), "nor does their name go out"
    assert {by for by, _ in said} <= {"customer", "agent", "bot"}
    row = await office.desk.store.first("audit", {"act": "conversation.drafted"})
    assert row and row["by"] == "maya"


async def test_no_draft_is_said_kindly(office: Office, drafter: Drafter) -> None:
    drafter.text = None
    maya = await office.signed_in(await office.agent())
    answer = await maya.post(f"/conversations/{CHAT}/draft")
    assert answer.status == 409 and "Write the answer yourself" in (await answer.json())["error"]
    assert (await maya.post("/conversations/none/draft")).status == 404


async def test_the_button_is_there_only_where_a_model_is_configured(office: Office) -> None:
    maya = await office.signed_in(await office.agent())
    assert 'data-act="suggest"' in await maya.page(f"/inbox/all/{CHAT}")


async def test_without_a_model_there_is_no_button_and_no_draft(mongo_url: str, database_name: str) -> None:
    office = await open_office(mongo_url, database_name)
    await seed(office)
    maya = await office.signed_in(await office.agent())
    assert 'data-act="suggest"' not in await maya.page(f"/inbox/all/{CHAT}")
    assert (await maya.post(f"/conversations/{CHAT}/draft")).status == 409
    await close_office(office)
