"""The way in: first link, invitations, passwords, second factor, throttle, sessions, and forms of other sites."""

import asyncio
import re
from dataclasses import replace
from datetime import timedelta

import pytest
from aiohttp import CookieJar

from admin import invitations, sign_in, throttle, totp
from admin.agents import Totp, by_id
from admin.passwords import Passwords, weakness
from tests.admin.office import PASSWORD, Caller, Office, close_office, open_office


async def test_the_first_link_lets_the_first_admin_in_once(office: Office) -> None:
    link = await invitations.first_link(office.desk)
    assert link
    path = link.partition("/console")[2]
    first = office.stranger()
    await first.learn_csrf(path)
    answer = await first.post(path, form={"name": "Maya", "email": "Maya@Example.org", "password": PASSWORD})
    assert answer.status == 303
    assert (await first.get("/team")).status == 200
    assert await invitations.first_link(office.desk) is None
    late = office.stranger()
    assert (await late.get(path)).status == 410


async def test_two_who_use_one_invitation_make_one_agent(office: Office) -> None:
    admin = await office.agent(role="admin")
    path = (await invitations.invite(office.desk, "agent", by=admin.id)).partition("/console")[2]
    callers = [office.stranger() for _ in range(6)]
    for caller in callers:
        await caller.learn_csrf(path)
    answers = await asyncio.gather(*(
        caller.post(path, form={"name": f"N{n}", "email": f"n{n}@example.org", "password": PASSWORD})
        for n, caller in enumerate(callers)
    ))  # fmt: skip
    assert sorted(answer.status for answer in answers).count(303) == 1
    assert await office.desk.store.count("agents", {}) == 2


async def test_an_invitation_for_one_address_takes_no_other(office: Office) -> None:
    admin = await office.agent(role="admin")
    link = await invitations.invite(office.desk, "agent", by=admin.id, email="zoe@example.org")
    path, caller = link.partition("/console")[2], office.stranger()
    await caller.learn_csrf(path)
    answer = await caller.post(path, form={"name": "Mallory", "email": "mallory@example.org", "password": PASSWORD})
    assert answer.status == 422


async def test_what_was_typed_survives_a_refusal(office: Office) -> None:
    caller = await office.signed_in(await office.agent(role="admin"))
    taken = {"email": "maya@example.org", "role": "marketer"}
    shown = await (await caller.post("/team/invitations", form=taken)).text()
    assert 'value="maya@example.org"' in shown and '<option value="marketer" selected>' in shown
    nameless = {"name": " ", "language": "fr", "signature": "Maya,\nAtelier Nord"}
    answer = await caller.post("/settings", form=nameless)
    shown = await answer.text()
    assert answer.status == 422 and "Atelier Nord</textarea>" in shown and '<option value="fr" selected>' in shown


async def test_the_password_opens_and_another_does_not(office: Office) -> None:
    await office.agent()
    caller = office.stranger()
    assert (await _sign_in(caller, "maya@example.org", "not the pass phrase")).status == 401
    assert (await _sign_in(caller, "nobody@example.org", PASSWORD)).status == 401
    answer = await _sign_in(caller, "Maya@Example.org", PASSWORD, next="/console/people")
    assert (answer.status, answer.headers["Location"]) == (303, "/console/people")
    assert (await caller.get("/settings")).status == 200


async def test_nobody_is_sent_to_another_site_after_signing_in(office: Office) -> None:
    await office.agent()
    for target in (
        "https://evil.example/",
        "//evil.example",
        "/console/%2f/evil.example",
        "/console/\\evil.example",
        "/console/\r\nX: y",
    ):
        answer = await _sign_in(office.stranger(), "maya@example.org", PASSWORD, next=target)
        assert answer.headers["Location"] == "/console"


async def test_parallel_tries_are_counted_before_the_hash(office: Office) -> None:
    await office.agent()
    callers = [office.stranger() for _ in range(20)]
    for caller in callers:
        await caller.learn_csrf("/sign-in")
    office.desk.passwords.checked = 0
    form = {"email": "maya@example.org", "password": "wrong wrong wrong"}
    answers = await asyncio.gather(*(caller.post("/sign-in", form=form) for caller in callers))
    statuses = [answer.status for answer in answers]
    assert statuses.count(401) == office.desk.passwords.checked <= 5
    assert statuses.count(429) >= 15
    office.clock.ahead += timedelta(minutes=1, seconds=1)
    assert (await _sign_in(office.stranger(), "maya@example.org", PASSWORD)).status == 303


async def test_a_stranger_who_uses_up_the_tries_shuts_nobody_out_of_their_own_browser(office: Office) -> None:
    await office.agent()
    await office.agent("Samir Haddad")
    hers, his = office.stranger(), office.stranger()
    assert (await _sign_in(hers, "maya@example.org", PASSWORD)).status == 303
    assert (await _sign_in(his, "samir@example.org", PASSWORD)).status == 303
    strangers = [await _fresh(office) for _ in range(6)]
    for stranger in strangers:
        await stranger.post("/sign-in", form={"email": "maya@example.org", "password": "wrong wrong wrong"})
    assert (await _sign_in(office.stranger(), "maya@example.org", PASSWORD)).status == 429
    assert (await _sign_in(his, "maya@example.org", PASSWORD)).status == 429, "known for another address"
    assert (await _sign_in(hers, "Maya@example.org", PASSWORD)).status == 303
    tries = [await _sign_in(hers, "maya@example.org", "wrong wrong wrong") for _ in range(6)]
    assert tries[-1].status == 429, "its own tries are counted too"


async def test_the_pool_of_hashes_says_busy_instead_of_growing() -> None:
    passwords = Passwords(time_cost=1, memory_kib=1024)
    answers = await asyncio.gather(*(passwords.hash("x" * 12) for _ in range(80)), return_exceptions=True)
    assert any(isinstance(answer, Exception) for answer in answers)
    assert any(isinstance(answer, str) for answer in answers)


def test_passwords_that_are_short_common_or_personal_are_refused() -> None:
    refused = {"short": "court", "common": "motdepasse123", "personal": "lindqvist forever", "long": "x1y2z3w4" * 20}
    for reason, password in refused.items():
        assert weakness(password, about=("Maya", "Lindqvist")) == reason
    assert weakness(PASSWORD, about=("Maya",)) is None


@pytest.mark.parametrize(
    "password", ["passwordpassword", "PasswordPassword1!", "P@ssw0rd!!!!", "motdepasse2026", "12345678910", "098765432109",
                 "azertyqwerty", "1qaz2wsx3edc", "iloveyou123", "x7!kx7!kx7!k"],
)  # fmt: skip
def test_a_common_password_is_known_under_its_digits_and_said_twice(password: str) -> None:
    assert weakness(password) == "common"


@pytest.mark.parametrize(
    "password", ["hello paris summer winter", "x9!kd0Qm2z", "le soleil brille à Paris", "4815162342 lost"]
)
def test_common_words_in_a_sentence_are_no_common_password(password: str) -> None:
    assert weakness(password) is None


async def test_the_address_itself_is_no_password_even_a_short_one(office: Office) -> None:
    link = str(await invitations.first_link(office.desk)).partition("/console")[2]
    caller = office.stranger()
    await caller.learn_csrf(link)
    answer = await caller.post(link, form={"name": "Jo", "email": "jo@x.example", "password": "jo@x.example"})
    assert answer.status == 422 and "Leave your name and e-mail address out of it." in await answer.text()


async def test_the_second_factor_is_asked_for_and_each_step_works_once(office: Office) -> None:
    secret = totp.new_secret()
    await office.agent(totp=Totp(secret), recovery=(totp.recovery_hash("abcde-fghjk"),))
    step = int(office.clock().timestamp()) // 30
    ticket = await _ticket(office)
    callers = [await _fresh(office) for _ in range(4)]
    answers = await asyncio.gather(*(_code(caller, ticket, totp.code_at(secret, step)) for caller in callers))
    assert sorted(answers) == [303, 401, 401, 401]
    assert await _code(await _fresh(office), await _ticket(office), "abcde-fghjk") == 303
    office.clock.ahead += timedelta(minutes=2)
    assert await _code(await _fresh(office), await _ticket(office), "abcde-fghjk") == 401


@pytest.mark.parametrize("typed", ["abcde-fghjk", " ABCDE FGHJK ", "abcdefghjk", "abcde–fghjk"])
async def test_a_recovery_code_is_taken_however_its_halves_are_parted(office: Office, typed: str) -> None:
    maya = await office.agent(totp=Totp(totp.new_secret()), recovery=(totp.recovery_hash("abcde-fghjk"),))
    assert await sign_in.use_code(office.desk, maya, typed) and not await sign_in.use_code(office.desk, maya, typed)


async def test_codes_are_tried_so_many_times_a_day_and_no_more(office: Office) -> None:
    day = throttle.PER_DAY.within.total_seconds()
    office.clock.ahead = timedelta(seconds=day / 2 - office.clock().timestamp() % day)  # at noon: a new day counts anew
    agent = await office.agent(totp=Totp(totp.new_secret()))
    granted = 0
    for _ in range(throttle.PER_DAY.tries):
        office.clock.ahead += timedelta(seconds=13)  # slow enough for the bound of a minute; a day is not over
        granted += await sign_in.may_try_code(office.desk, agent)
    office.clock.ahead += timedelta(minutes=2)
    assert (granted, await sign_in.may_try_code(office.desk, agent)) == (throttle.PER_DAY.tries, False)


async def test_a_password_alone_gives_no_session_when_there_is_a_second_factor(office: Office) -> None:
    await office.agent(totp=Totp(totp.new_secret()))
    caller = office.stranger()
    answer = await _sign_in(caller, "maya@example.org", PASSWORD)
    assert answer.status == 200
    assert (await caller.get("/settings")).status == 401


async def test_a_ticket_ends_and_can_not_be_made_for_another(office: Office) -> None:
    secret = totp.new_secret()
    await office.agent(totp=Totp(secret))
    await office.agent("Samir Haddad", totp=Totp(secret))
    ticket = await _ticket(office)
    forged = ticket.replace("maya", "samir", 1)
    code = totp.code_at(secret, int(office.clock().timestamp()) // 30)
    assert await _code(await _fresh(office), forged, code) == 401
    office.clock.ahead += timedelta(minutes=6)
    late = totp.code_at(secret, int(office.clock().timestamp()) // 30)
    assert await _code(await _fresh(office), ticket, late) == 401


def test_codes_are_those_of_the_standard() -> None:
    """RFC 6238 appendix B, SHA-1, cut to six digits."""
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    for seconds, code in ((59, "287082"), (1111111109, "081804"), (20000000000, "353130")):
        assert totp.code_at(secret, seconds // 30) == code


async def test_turning_the_second_factor_on_and_off(office: Office) -> None:
    agent = await office.agent()
    caller, other = await office.signed_in(agent), await office.signed_in(agent)
    page = await caller.page("/settings/second-factor")
    found = re.search(r'name="secret" value="([A-Z2-7]{32})"', page)
    assert found and '<svg class="qr"' in page
    secret = found.group(1)
    assert (await caller.post("/settings/second-factor", form={"secret": secret, "code": "000000"})).status == 422
    code = totp.code_at(secret, int(office.clock().timestamp()) // 30)
    answer = await caller.post("/settings/second-factor", form={"secret": secret, "code": code})
    assert (await answer.text()).count("<code>") == 10
    assert (await other.get("/settings")).status == 401
    assert (
        await caller.post("/settings/second-factor/remove", form={"code": code})
    ).status == 422  # this step was used
    office.clock.ahead += timedelta(minutes=1)
    later = totp.code_at(secret, int(office.clock().timestamp()) // 30)
    assert (await caller.post("/settings/second-factor/remove", form={"code": later})).status == 303
    present = await by_id(office.desk.store, agent.id)
    assert present and present.totp is None and not present.recovery


async def test_a_role_that_must_have_a_second_factor_reaches_nothing_else_before(office: Office) -> None:
    strict = await open_office(
        office.desk.store.url,
        office.desk.store.name,
        options=replace(office.desk.options, second_factor_roles=("agent",)),
    )
    caller = await strict.signed_in(await office.agent())
    answer = await caller.get("/people")
    assert (answer.status, answer.headers["Location"]) == (303, "/console/settings/second-factor")
    await close_office(strict)


async def test_changing_the_password_ends_every_other_session(office: Office) -> None:
    agent = await office.agent()
    caller, other = await office.signed_in(agent), await office.signed_in(agent)
    wrong = {"old": "not the present one", "new": "another long pass phrase"}
    assert (await caller.post("/settings/password", form=wrong)).status == 422
    right = {"old": PASSWORD, "new": "another long pass phrase"}
    assert (await caller.post("/settings/password", form=right)).status == 303
    assert (await caller.get("/settings")).status == 200
    assert (await other.get("/settings")).status == 401


async def test_a_session_ends_when_unused_and_after_a_week(office: Office) -> None:
    caller = await office.signed_in(await office.agent())
    office.clock.ahead += timedelta(hours=11)
    assert (await caller.get("/settings")).status == 200
    for _ in range(16):
        office.clock.ahead += timedelta(hours=11)
        status = (await caller.get("/settings")).status
    assert status == 401, "a week is the end, however much it is used"
    again = await office.signed_in(await office.agent("Samir Haddad"))
    office.clock.ahead += timedelta(hours=13)
    assert (await again.get("/settings")).status == 401


async def test_an_agent_ends_own_sessions_and_nobody_elses(office: Office) -> None:
    maya, samir = await office.agent(), await office.agent("Samir Haddad")
    caller, theirs = await office.signed_in(maya), await office.signed_in(samir)
    foreign = await office.desk.store.first("sessions", {"agent": samir.id})
    assert foreign
    await caller.post("/settings/sessions", form={"session": foreign["_id"]})
    assert (await theirs.get("/settings")).status == 200


async def test_signing_out_ends_the_session_in_the_database(office: Office) -> None:
    caller = await office.signed_in(await office.agent())
    kept = {cookie.key: cookie.value for cookie in caller.http.cookie_jar}
    assert (await caller.post("/sign-out", form={})).status == 303
    thief = office.stranger()
    thief.http.cookie_jar.update_cookies(kept)
    assert (await thief.get("/settings")).status == 401
    assert isinstance(thief.http.cookie_jar, CookieJar)


async def test_a_form_from_another_site_or_without_its_token_is_refused(shop: Office) -> None:
    caller = await shop.signed_in(await shop.agent())
    path = "/conversations/telegram%3A7003/take"
    assert (await caller.post(path, headers={"Origin": "https://evil.example"})).status == 403
    assert (await caller.post(path, headers={"X-CSRF": "wrong"})).status == 403
    assert (await caller.post(path, headers={"Origin": "null"})).status == 403
    assert (await caller.post(path)).status == 409  # ours: Maya has it already
    stranger = shop.stranger()
    assert (await stranger.post("/sign-in", form={"email": "a@b.fr", "password": "x"})).status == 403


async def test_every_page_says_the_headers_that_hold_scripts_and_frames_out(shop: Office) -> None:
    caller = await shop.signed_in(await shop.agent(role="admin"))
    for path in ("/inbox/all", "/inbox/mine/telegram%3A7003", "/people/chloe", "/team", "/settings", "/nowhere"):
        headers = (await caller.get(path)).headers
        assert "script-src 'self'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        text = await (await caller.get(path)).text()
        assert not re.search(r"<script(?![^>]*src=)|\son\w+=|\sstyle=", text), path


async def _fresh(office: Office) -> Caller:
    caller = office.stranger()
    await caller.learn_csrf("/sign-in")
    return caller


async def _sign_in(caller: Caller, email: str, password: str, next: str = ""):  # type: ignore[no-untyped-def]
    await caller.learn_csrf("/sign-in")
    return await caller.post("/sign-in", form={"email": email, "password": password, "next": next})


async def _ticket(office: Office) -> str:
    answer = await _sign_in(office.stranger(), "maya@example.org", PASSWORD)
    found = re.search(r'name="ticket" value="([^"]+)"', await answer.text())
    assert found, answer.status
    return found.group(1)


async def _code(caller: Caller, ticket: str, code: str) -> int:
    return (await caller.post("/sign-in/code", form={"ticket": ticket, "code": code})).status
