"""Two at the same thing at once: one of them does it, the other is told, and nobody is told that we made a mistake."""

import asyncio
from dataclasses import replace

from admin import agents
from tests.admin.office import PASSWORD, Office


async def test_two_admins_who_send_each_other_off_leave_one(office: Office) -> None:
    maya = await office.agent(role="admin")
    samir = await office.agent("Samir Haddad", role="admin")
    hers, his = await office.signed_in(maya), await office.signed_in(samir)
    gone = {"role": "agent", "active": "yes"}
    for way in ({"role": "admin"}, gone):  # "no longer active" parts from an admin as another role does
        answers = await asyncio.gather(
            hers.post(f"/team/{samir.id}", form=way), his.post(f"/team/{maya.id}", form=way)
        )  # fmt: skip
        assert sorted(answer.status for answer in answers) != [303, 303]
        known = await agents.everyone(office.desk.store)
        assert len([one for one in known.values() if one.role == "admin" and one.is_active]) == 1
        for one in known.values():
            await agents.change(office.desk.store, one, replace(one, role="admin", is_active=True))
        hers, his = await office.signed_in(maya), await office.signed_in(samir)


async def test_a_canned_reply_that_was_removed_while_it_was_edited_is_told(office: Office) -> None:
    caller = await office.signed_in(await office.agent(role="supervisor"))
    edited = {"id": "removed-meanwhile", "shortcut": "hello", "text": "Hello!"}
    assert (await caller.post("/canned", form=edited)).status == 409
    assert await office.desk.store.count("canned", {}) == 0


async def test_of_passwords_set_at_once_one_holds(office: Office) -> None:
    maya = await office.agent()
    caller = await office.signed_in(maya)
    wanted = [{"old": PASSWORD, "new": f"another long phrase {number}"} for number in range(3)]
    answers = await asyncio.gather(*(caller.post("/settings/password", form=form) for form in wanted))
    assert sorted(answer.status for answer in answers) == [303, 409, 409]
