"""The audit page says what an act was about, also where no page of the console shows it."""

import pytest

from admin.agents import audit_row
from tests.admin.office import Office


@pytest.mark.parametrize(
    ("act", "about"), [("people.imported", "import:crm.csv"), ("data.exported", "export:all.jsonl")]
)
async def test_a_file_that_was_taken_in_or_out_is_named(office: Office, act: str, about: str) -> None:
    row = audit_row(act, by="command", about=about, at=office.clock(), rows=3)
    await office.desk.store.insert("audit", row)
    page = await (await office.signed_in(await office.agent(role="admin"))).page("/audit")
    assert f'<span class="about">{about.partition(":")[2]}</span>' in page
