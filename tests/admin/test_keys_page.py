"""API keys in the console: made once and shown once, listed by what they are worth, ended for good; by an admin alone."""

import asyncio
import re
from datetime import timedelta

import pytest

from admin.keys import SCOPES, Ring, create_key, every_key, fresh_id, revoke_key
from admin.speech import bound
from admin.texts import texts
from profiles.store import Store
from tests.admin.office import Caller, Office

KEY = re.compile(r"ck_[0-9A-Za-z]{8}_[0-9A-Za-z]{43}")


async def _admin(office: Office, **more: str) -> Caller:
    return await office.signed_in(await office.agent(role="admin", **more))


def _form(**more: str) -> dict[str, str]:
    return {"id": fresh_id(), "name": "Till", "events:write": "yes", "days": "", **more}


async def _made(store: Store, office: Office, name: str, **more: int) -> str:
    """Make a key so many days ago, to end after so many; return its id."""
    made_at = office.clock() - timedelta(days=more.get("ago", 0))
    ends_at = made_at + timedelta(days=more["days"]) if "days" in more else None
    return (await create_key(store, name, ["events:write"], now=made_at, expires_at=ends_at))[3:11]


async def test_a_key_is_made_shown_once_and_opens_what_was_chosen(office: Office) -> None:
    caller = await _admin(office)
    answer = await caller.post("/keys", form=_form(name=" Till\u202e in Lyon ", **{"profiles:read": "yes"}, days="30"))
    assert (answer.status, answer.headers["Cache-Control"]) == (200, "no-store")
    (shown,) = set(KEY.findall(await answer.text()))
    found = await Ring(office.desk.store).key_of(f"Bearer {shown}", now=office.clock())
    assert found and (found.name, found.scopes, found.created_by) == (
        "Till in Lyon",
        ("profiles:read", "events:write"),
        "maya",
    )
    assert found.expires_at and found.expires_at - found.created_at == timedelta(days=30)
    for path in ("/keys", f"/keys/{found.id}", "/audit"):
        page = await caller.page(path)
        assert "Till in Lyon" in page and not KEY.search(page), path


async def test_the_same_form_sent_again_makes_no_second_key_and_leads_to_the_first(office: Office) -> None:
    caller, form = await _admin(office), _form()
    assert (await caller.post("/keys", form=form)).status == 200
    again = await caller.post("/keys", form={**form, "name": "Till, once more"})
    text = await again.text()
    assert again.status == 409 and "made already" in text and f"/keys/{form['id']}" in text and not KEY.search(text)
    assert form["id"] not in re.findall(r'name="id" value="(\w+)"', text)  # the next one is another's
    assert [key.name for key in await every_key(office.desk.store)] == ["Till"]


async def test_of_a_form_sent_twice_at_once_one_key_comes(office: Office) -> None:
    caller, form = await _admin(office), _form()
    answers = await asyncio.gather(*(caller.post("/keys", form=form) for _ in range(2)))
    assert sorted(answer.status for answer in answers) == [200, 409]
    assert len(await every_key(office.desk.store)) == 1


@pytest.mark.parametrize("id", ["", "short", "$where..", "abcdefghi", "a_b-c.d!"])
async def test_an_id_that_we_did_not_give_becomes_no_key_of_that_id(office: Office, id: str) -> None:
    caller = await _admin(office)
    assert (await caller.post("/keys", form=_form(id=id))).status == 200
    (key,) = await every_key(office.desk.store)
    assert key.id != id and re.fullmatch("[0-9A-Za-z]{8}", key.id)


@pytest.mark.parametrize(
    ("typed", "field", "said"),
    [({"name": " \u202e "}, "name", "Écrivez un nom de 1 à 100 caractères."),
     ({"name": "x" * 101}, "name", "Écrivez un nom de 1 à 100 caractères."),
     ({"events:write": ""}, "scopes", "Choisissez-en au moins un"),
     ({"events:write": "", "all": "yes"}, "scopes", "Choisissez-en au moins un"),
     ({"days": "0"}, "days", "de 1 à 3\u202f650"), ({"days": "bientôt"}, "days", "de 1 à 3\u202f650"),
     ({"days": "3651"}, "days", "de 1 à 3\u202f650"), ({"days": "-1"}, "days", "de 1 à 3\u202f650")],
)  # fmt: skip
async def test_a_refusal_stands_at_its_field_and_keeps_what_was_typed(
    office: Office, typed: dict[str, str], field: str, said: str
) -> None:
    caller = await _admin(office, language="fr")
    answer = await caller.post(
        "/keys", form=_form(**{"name": "Caisse & <Lyon>", "profiles:erase": "", "days": "7"} | typed)
    )
    text = await answer.text()
    told = re.findall(r'class="wrong" id="wrong-(\w+)">([^<]+)<', text)
    assert answer.status == 422 and [where for where, _ in told] == [field] and said in told[0][1]
    assert text.count('class="wrong"') == text.count('aria-invalid="true"') == text.count("autofocus") == 1
    if "name" not in typed:
        assert 'value="Caisse &amp; &lt;Lyon&gt;"' in text
    if "events:write" not in typed:
        assert 'name="events:write" value="yes" checked' in text
    assert f'value="{typed.get("days", "7")}"' in text
    assert await every_key(office.desk.store) == []


async def test_good_keys_stand_first_the_others_below_each_with_what_it_may_do(office: Office) -> None:
    store, caller = office.desk.store, await _admin(office, language="fr")
    for name, days in (("Essai", 1), ("Caisse", 30)):
        await _made(store, office, name, ago=2, days=days)
    await revoke_key(store, await _made(store, office, "Ancienne"), now=office.clock())
    shown = await caller.page("/keys")
    good, _, others = shown.partition("Plus valables")
    assert "Caisse" in good and "finit le" in good and "jamais utilisée" in good and "signaler des événements" in good
    assert "Essai" not in good and "expirée le" in others and "Ancienne" not in good and "révoquée le" in others


async def test_a_house_without_keys_is_told_so(office: Office) -> None:
    assert "No program has a key." in await (await _admin(office)).page("/keys")


async def test_of_hundreds_of_keys_each_page_shows_sixty_and_all_are_reached(office: Office) -> None:
    store, caller = office.desk.store, await _admin(office)
    wanted = {await _made(store, office, f"Key {number}", ago=number % 7) for number in range(130)}
    ended = {await _made(store, office, f"Old {number}", ago=9, days=1) for number in range(70)}
    seen: list[str] = []
    asked, pages = ["/keys"], 0
    while asked:
        page, pages = await caller.page(asked.pop()), pages + 1
        here = re.findall(r"<code>ck_(\w{8})…", page)
        assert len(here) <= 120
        seen += here
        asked += [path.removeprefix("/console") for path in re.findall(r'href="(/console/keys\?[^"]+)"', page)]
    assert sorted(seen) == sorted(wanted | ended) and pages == 4


async def test_who_made_and_who_revoked_a_key_is_told_by_name(office: Office) -> None:
    store = office.desk.store
    samir = await office.agent("Samir Haddad", "admin", is_active=False)
    caller = await _admin(office)
    by_him = (await create_key(store, "Till", ["events:write"], now=office.clock(), by=samir.id))[3:11]
    page = await caller.page(f"/keys/{by_him}")
    assert "Samir Haddad" in page and "has left" in page
    assert (await caller.post(f"/keys/{by_him}/revoke", form={"sure": "yes"})).status == 303
    assert "Maya Lindqvist</dd>" in await caller.page(f"/keys/{by_him}")
    assert "the command line" in await caller.page(f"/keys/{await _made(store, office, 'Shop')}")


async def test_a_key_is_revoked_once_it_is_said_that_this_is_meant(office: Office) -> None:
    store, caller = office.desk.store, await _admin(office)
    id = await _made(store, office, "Till")
    unsure = await caller.post(f"/keys/{id}/revoke", form={})
    assert unsure.status == 422 and "Say that you are sure" in await unsure.text()
    assert [key.revoked_at for key in await every_key(store)] == [None]
    answer = await caller.post(f"/keys/{id}/revoke", form={"sure": "yes"})
    assert answer.headers["Location"] == f"/console/keys/{id}?done=yes"
    page = await caller.page(f"/keys/{id}?done=yes")
    assert "Within 5 seconds" in page and "Revoke this key" not in page
    (row,) = await store.find("audit", {"act": "key.revoked"})
    assert (row["by"], row["about"]) == ("maya", f"key:{id}")


async def test_who_revokes_a_key_that_somebody_revoked_meanwhile_reads_who_it_was(office: Office) -> None:
    store, caller = office.desk.store, await _admin(office)
    samir = await office.agent("Samir Haddad", "admin")
    id = await _made(store, office, "Till")
    await revoke_key(store, id, now=office.clock(), by=samir.id)
    answer = await caller.post(f"/keys/{id}/revoke", form={"sure": "yes"})
    assert answer.status == 303
    page = await caller.page(answer.headers["Location"].removeprefix("/console"))
    assert "revoked already" in page and "Samir Haddad" in page
    assert await store.count("audit", {"act": "key.revoked"}) == 1


async def test_a_word_in_the_address_alone_says_of_no_good_key_that_it_is_revoked(office: Office) -> None:
    caller, id = await _admin(office), await _made(office.desk.store, office, "Till")
    assert "revoked" not in re.sub(r"A revoked key does not come back", "", await caller.page(f"/keys/{id}?done=yes"))


async def test_a_key_that_is_none_is_a_page_that_is_not_there(office: Office) -> None:
    caller = await _admin(office)
    assert (await caller.get("/keys/nothing")).status == 404
    sure = await caller.post("/keys/nothing/revoke", form={"sure": "yes"})
    assert (await caller.get(sure.headers["Location"].removeprefix("/console"))).status == 404
    assert await office.desk.store.count("audit", {"act": "key.revoked"}) == 0


@pytest.mark.parametrize("role", ["agent", "supervisor", "marketer"])
async def test_only_an_admin_finds_makes_and_ends_keys(office: Office, role: str) -> None:
    id = await _made(office.desk.store, office, "Till")
    caller = await office.signed_in(await office.agent(role=role))  # type: ignore[arg-type]
    assert [(await caller.get(path)).status for path in ("/keys", f"/keys/{id}")] == [403, 403]
    for path in ("/keys", f"/keys/{id}/revoke"):
        assert (await caller.post(path, form=_form(sure="yes"))).status == 403
    assert "/console/keys" not in await caller.page("/settings")
    (key,) = await every_key(office.desk.store)
    assert key.is_good(office.clock())


async def test_settings_and_audit_lead_an_admin_to_the_keys(office: Office) -> None:
    caller, id = await _admin(office), await _made(office.desk.store, office, "Till")
    assert 'href="/console/keys"' in await caller.page("/settings")
    assert f'<a href="/console/keys/{id}">Till</a>' in await caller.page("/audit")
    supervisor = await office.signed_in(await office.agent("Samir Haddad", "supervisor"))
    page = await supervisor.page("/audit")
    assert "Till" in page and "/console/keys" not in page


async def test_every_scope_can_be_chosen_once_and_is_said_in_both_languages(office: Office) -> None:
    english, french = (bound(texts(language)) for language in ("en", "fr"))
    said = [(english.scope(scope), french.scope(scope)) for scope in SCOPES]
    assert all(one != other and ":" not in one + other for one, other in said)
    page = await (await _admin(office)).page("/keys")
    assert sorted(re.findall(r'type="checkbox" name="([^"]+)"', page)) == sorted(SCOPES)
    assert french.scope("gone:read") == "gone:read"
