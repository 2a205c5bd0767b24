"""The audit page says what an act was about, also where no page of the console shows it."""

import pytest

from admin.agents import audit_row
from admin.keys import create_key
from tests.admin.office import Office


@pytest.mark.parametrize(
    ("act", "about"), [("people.imported", "import:crm.csv"), ("data.exported", "export:all.jsonl")]
)
async def test_a_file_that_was_taken_in_or_out_is_named(office: Office, act: str, about: str) -> None:
    row = audit_row(act, by="command", about=about, at=office.clock(), rows=3)
    await office.desk.store.insert("audit", row)
    page = await (await office.signed_in(await office.agent(role="admin"))).page("/audit")
    assert f'<span class="about">{about.partition(":")[2]}</span>' in page


async def test_a_program_is_called_by_its_keys_name(office: Office) -> None:
    key = await create_key(office.desk.store, "stock take", ["profiles:write"], now=office.clock())
    row = audit_row("profile.edited", by=f"key:{key.split('_')[1]}", about="chloe", at=office.clock())
    await office.desk.store.insert("audit", row)
    page = await (await office.signed_in(await office.agent(role="admin"))).page("/audit")
    assert "<b>stock take</b>" in page and "<b>key:" not in page
