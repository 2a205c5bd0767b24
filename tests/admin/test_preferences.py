"""A person's own page: what they save holds at once and is proved, and nobody else's link opens it."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from profiles.consents import Said
from profiles.ledger import OwnCap
from profiles.merging import merge
from profiles.personal_links import PAGE_FOR
from profiles.profile import Identity, Profile, Suppression
from profiles.snapshot import Changes, Refusal, Snapshot, Work
from tests.admin.preferences_stage import NEWS, NOW, OFFERS, Stage, stage


@pytest.fixture
async def shop(mongo_url: str, database_name: str) -> AsyncIterator[Stage]:
    async with stage(mongo_url, database_name) as made:
        yield made


async def saves(shop: Stage, act: str, profile: str = "anna", **fields: str | None) -> tuple[int, str]:
    """Open the page, change these fields of a form (None unticks or empties) and send it."""
    link = shop.link(profile)
    form = await shop.form_of(link, act)
    for name, value in fields.items():
        form.pop(name, None)
        if value is not None:
            form[name] = value
    return await shop.post(f"{link}/{act}", form)


# -- what they agree to


async def test_the_page_asks_for_each_topic_on_each_channel_in_their_language(shop: Stage) -> None:
    await shop.gives()
    status, page, _ = await shop.get(shop.link())
    assert status == 200
    assert (
        '<html lang="fr">' in page
        and "Ce que vous recevez de nous" in page
        and OFFERS.wording("fr") in page.replace("&#39;", "'")
    )
    form = await shop.form_of(shop.link(), "choices")
    assert [name for name in form if name.startswith("was.")] == [
        "was.email:offers", "was.sms:offers", "was.telegram:offers", "was.email:news",
        "was.email:service", "was.sms:service", "was.telegram:service",
    ]  # fmt: skip
    assert {name for name in form if name.startswith("on.")} == {
        "on.email:offers", "on.email:service", "on.sms:service", "on.telegram:service"
    }  # fmt: skip


async def test_a_yes_holds_at_once_with_the_wording_that_was_shown(shop: Stage) -> None:
    status, page = await saves(shop, "choices", **{"on.telegram:offers": "on"})
    assert status == 200 and 'role="status"' in page and "Vos choix sont enregistrés" in page
    assert await shop.verdict("telegram") is None
    (proof,) = await shop.proofs()
    assert (proof.change, proof.channel, proof.topic, proof.source) == (
        "given",
        "telegram",
        "offers",
        "preference_centre",
    )
    assert (proof.version, proof.wording, proof.ip) == ("3", OFFERS.wordings["fr"], "127.0.0.1")


async def test_a_no_holds_at_once_with_the_wording_that_was_shown(shop: Stage) -> None:
    await shop.gives()
    shop.clock.later(seconds=1)
    await saves(shop, "choices", **{"on.email:offers": None})
    assert await shop.verdict() == "opted_out:topic:offers"
    proof = (await shop.proofs())[0]
    assert (proof.change, proof.version, proof.ip) == ("withdrawn", "3", "127.0.0.1")


async def test_what_was_not_touched_is_not_said_again(shop: Stage) -> None:
    await shop.gives()
    await saves(shop, "choices")
    assert len(await shop.proofs()) == 1


async def test_an_old_page_undoes_no_stop_that_was_said_meanwhile(shop: Stage) -> None:
    await shop.gives()
    form = await shop.form_of(shop.link(), "choices")
    await shop.centre.consents.withdraw("anna", "email", "*", Said("keyword"), now=shop.clock.now)
    await shop.post(f"{shop.link()}/choices", form)  # still ticked, as the page had shown it
    assert await shop.verdict() == "opted_out:channel:email"


async def test_a_yes_after_a_no_to_everything_stands_for_itself(shop: Stage) -> None:
    status, _ = await shop.post(f"{shop.link()}/none")
    assert status == 200
    assert await shop.verdict("sms", "service") == "opted_out:all"
    await saves(shop, "choices", **{"on.sms:service": "on"})
    assert await shop.verdict("sms", "service") is None
    assert await shop.verdict("email", "service") == "opted_out:all"


async def test_a_double_opt_in_waits_and_tells_the_rules(shop: Stage) -> None:
    _, page = await saves(shop, "choices", **{"on.email:news": "on"})
    assert "ouvrez son lien pour confirmer" in page and "attend votre confirmation" in page
    assert await shop.verdict(topic="news") == "unconfirmed:topic:news"
    (event,) = await shop.centre.store.find("events", {"name": "consent.asked"})
    proof = (await shop.proofs())[0]
    assert event["properties"] == {"channel": "email", "topic": "news", "asked": proof.id}


async def test_a_form_that_invents_a_topic_or_channel_changes_nothing(shop: Stage) -> None:
    invented = {
        "was.push:offers": "0",
        "on.push:offers": "on",
        "was.email:$x": "0",
        "on.email:$x": "on",
        "was.sms:news": "0",
        "on.sms:news": "on",
    }
    await saves(shop, "choices", **invented)
    assert await shop.proofs() == []


async def test_who_answered_stop_by_sms_is_told_how_to_come_back(shop: Stage) -> None:
    boris = Profile(
        "boris", NOW, (Identity("sms", "+33600000002", NOW, suppression=Suppression("opted_out", NOW)),), language="fr"
    )
    await shop.add(boris)
    _, page, _ = await shop.get(shop.link("boris"))
    assert "Envoyez REPRENDRE à ce numéro" in page


# -- how often, and when


async def test_limits_hours_and_a_pause_are_kept_in_their_time_zone(shop: Stage) -> None:
    status, page = await saves(shop, "limits", **{"most.*": "2", "per.*": "week", "most.email": "1", "per.email": "month",
                               "since": "21:00", "until": "08:30", "paused": "2026-12-24"})  # fmt: skip
    assert status == 200 and "Vos limites sont enregistrées" in page
    ledger = await shop.ledger()
    assert ledger.own == (OwnCap(2, timedelta(days=7)), OwnCap(1, timedelta(days=30), "email"))
    assert [(hours.since.hour, hours.until.minute) for hours in ledger.quiet] == [(21, 30)]
    assert ledger.paused == {"*:*": datetime(2026, 12, 23, 23, tzinfo=UTC)}
    assert {proof.change for proof in await shop.proofs()} == {"limited", "paused"}
    form = await shop.form_of(shop.link(), "limits")
    assert (form["most.*"], form["since"], form["until"], form["paused"]) == ("2", "21:00", "08:30", "2026-12-24")


async def test_emptied_limits_are_gone_and_those_the_page_does_not_show_stay(shop: Stage) -> None:
    other = OwnCap(1, timedelta(days=7), "email", "offers")
    await shop.centre.consents.limit("anna", [OwnCap(2, timedelta(days=7)), other], [], Said("api"), now=shop.clock.now)
    await saves(shop, "limits", **{"paused": "2026-12-24"})
    await saves(shop, "limits", **{"most.*": None, "paused": None})
    ledger = await shop.ledger()
    assert ledger.own == (other,) and ledger.paused == {}


@pytest.mark.parametrize(
    ("field", "value"),
    [("most.*", "-1"), ("most.*", "x"), ("most.*", "²"), ("since", "21:00"), ("paused", "2026-11-22"), ("paused", "3026-01-01"),
     ("paused", "soon"), ("per.*", "year")],
)  # fmt: skip
async def test_a_limit_that_can_not_be_kept_is_said_beside_its_field(shop: Stage, field: str, value: str) -> None:
    more = {"most.*": "1"} if field == "per.*" else {}
    status, page = await saves(shop, "limits", **{**more, field: value})
    assert status == 422 and 'aria-invalid="true"' in page and 'role="alert"' in page
    assert (await shop.ledger()).own == () and await shop.proofs() == []


# -- what is known of them


async def test_they_correct_what_is_their_own(shop: Stage) -> None:
    status, page = await saves(shop, "data", **{"data.first_name": "Anne", "data.city": None or "", "data.born_on": "1990-02-28",
                               "data.timezone": "Indian/Reunion", "language": "en"})  # fmt: skip
    assert status == 200 and '<html lang="en">' in page and "What you wrote is saved." in page
    anna = await shop.profile()
    assert anna.language == "en" and anna.value("first_name") == "Anne" and "city" not in anna.attributes
    assert anna.value("born_on") == "1990-02-28" and anna.value("timezone") == "Indian/Reunion"
    assert (anna.attributes["first_name"].source, anna.attributes["first_name"].by) == ("declared", "preferences")
    (event,) = await shop.centre.store.find("events", {"name": "profile.edited"})
    assert sorted(event["properties"]["attributes"]) == ["born_on", "city", "first_name", "language", "timezone"]


async def test_points_are_seen_and_not_written(shop: Stage) -> None:
    _, page, _ = await shop.get(shop.link())
    assert "Points de fidélité" in page and "420" in page
    await saves(shop, "data", **{"data.points": "1000000", "data.is_staff": "yes", "language": "fr"})
    anna = await shop.profile()
    assert anna.value("points") == 420 and "is_staff" not in anna.attributes


@pytest.mark.parametrize(
    ("field", "value"),
    [("data.born_on", "2030-01-01"), ("data.born_on", "31/12/1990"), ("data.timezone", "Mars/Olympus"),
     ("data.timezone", "../../etc/passwd"), ("data.timezone", "Europe"), ("data.first_name", "x" * 201),
     ("data.first_name", "a\x00b"), ("language", "klingon")],
)  # fmt: skip
async def test_what_can_not_be_true_is_not_kept(shop: Stage, field: str, value: str) -> None:
    status, _ = await saves(shop, "data", **{field: value})
    assert status == 422
    anna = await shop.profile()
    assert anna.value("first_name") == "Anna" and "born_on" not in anna.attributes and "timezone" not in anna.attributes


async def test_markup_in_what_is_known_is_shown_as_text(shop: Stage) -> None:
    await saves(shop, "data", **{"data.first_name": "<img src=x onerror=alert(1)>"})
    _, page, _ = await shop.get(shop.link())
    assert "<img" not in page and "&lt;img src=x" in page


async def test_removal_and_erasure_are_listed_for_people_once_and_nothing_is_deleted(shop: Stage) -> None:
    link = shop.link()
    form = await shop.form_of(link, "removal")
    for _ in range(2):
        status, page = await shop.post(f"{link}/removal", form)
        assert status == 200 and "vous avez demandé son retrait" in page
    assert (await shop.post(f"{link}/erasure", {}))[0] == 422  # the box was not ticked
    status, page = await shop.post(f"{link}/erasure", {"sure": "on"})
    assert status == 200 and "Vous nous avez demandé de tout effacer" in page
    rows = await shop.centre.store.find("requests", {})
    assert {(row["kind"], row.get("identity"), row["settled_at"]) for row in rows} == {
        ("removal", "email:anna.martin@example.org", None), ("erasure", None, None)
    }  # fmt: skip
    assert len((await shop.profile()).identities) == 4


async def test_an_address_of_somebody_else_can_not_be_removed(shop: Stage) -> None:
    assert (await shop.post(f"{shop.link()}/removal", {"identity": "a000000000000000000"}))[0] == 422
    assert await shop.centre.store.find("requests", {}) == []


async def test_everything_known_is_taken_away_as_json(shop: Stage) -> None:
    await shop.gives()
    status, text, answer = await shop.get(f"{shop.link()}/data.json")
    assert status == 200 and "attachment" in answer.headers["Content-Disposition"]
    assert answer.headers["Referrer-Policy"] == "no-referrer" and answer.headers["Cache-Control"] == "no-store"
    told = json.loads(text)
    assert told["profile"][0]["id"] == "anna"
    assert {one["address"] for one in told["identities"]} >= {"anna.martin@example.org", "+33612345678"}
    assert {one["name"]: one["value"] for one in told["attributes"]} == {
        "first_name": "Anna",
        "city": "Lyon",
        "points": 420,
    }
    assert told["consents"][0]["about"] == "email:offers" and told["proofs"][0]["wording"] == OFFERS.wordings["fr"]


async def test_everything_known_is_taken_away_twice_an_hour(shop: Stage) -> None:
    answers = [await shop.get(f"{shop.link()}/data.json") for _ in range(3)]
    assert [status for status, _, _ in answers] == [200, 200, 429]
    assert "deux fois" in answers[-1][1] or "twice" in answers[-1][1]


# -- the link is the key


async def test_an_edited_link_opens_nothing_and_guessing_is_bounded(shop: Stage) -> None:
    wrong = shop.link()[:-3] + "AAA"
    answers = [(await shop.get(wrong))[0] for _ in range(22)]
    assert answers[:20] == [404] * 20 and answers[20:] == [429] * 2
    assert (await shop.get(shop.link()))[0] == 200


async def test_a_link_ends(shop: Stage) -> None:
    link = shop.link()
    shop.clock.later(seconds=PAGE_FOR.total_seconds())
    status, page, _ = await shop.get(link)
    assert status == 410 and "This link is over" in page
    assert (await shop.post(f"{link}/none"))[0] == 410
    assert await shop.proofs() == []


async def test_the_link_of_a_merged_contact_opens_who_they_became(shop: Stage) -> None:
    await shop.add(Profile("visitor", NOW, (Identity("webchat", "a1b2", NOW),), language="fr"))
    link = shop.link("visitor")

    def think(snapshot: Snapshot) -> Changes | Refusal:
        kept, absorbed = snapshot.profile("anna"), snapshot.profile("visitor")
        assert kept and absorbed
        return merge(snapshot, kept, absorbed, by="agent:maya", why="agent", now=snapshot.now)

    await shop.centre.writer.commit(Work(think, profiles=("anna", "visitor")))
    status, page, _ = await shop.get(link)
    assert status == 200 and "anna.martin@example.org" in page
    await shop.post(f"{link}/none")
    assert await shop.verdict() == "opted_out:all"


async def test_the_link_of_nobody_says_so(shop: Stage) -> None:
    assert (await shop.get(shop.link("nobody")))[0] == 404


async def test_no_page_is_kept_framed_indexed_or_told_to_others(shop: Stage) -> None:
    for link in (shop.link(), f"{shop.base}/p/wrong"):
        _, page, answer = await shop.get(link)
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Robots-Tag"].startswith("noindex") and 'name="robots" content="noindex' in page
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "script-src" not in policy
        assert "<script" not in page and "Set-Cookie" not in answer.headers
        assert "http://" not in page and "https://" not in page  # nothing of a third party


async def test_changing_again_and_again_is_bounded_and_a_no_is_always_heard(shop: Stage) -> None:
    link = shop.link()
    answers = [(await shop.post(f"{link}/choices", {}))[0] for _ in range(62)]
    assert answers[-1] == 429
    assert (await shop.post(f"{link}/none"))[0] == 200
    assert await shop.verdict("sms", "service") == "opted_out:all"


async def test_the_language_can_be_switched_for_the_page_alone(shop: Stage) -> None:
    _, page, _ = await shop.get(f"{shop.link()}?lang=en")
    assert '<html lang="en">' in page and "What you receive from us" in page
    assert "/choices?lang=en" in page
    assert (await shop.profile()).language == "fr"


async def test_a_topic_that_is_gone_from_the_book_is_not_asked(shop: Stage) -> None:
    del shop.topics[NEWS.id]
    _, page, _ = await shop.get(shop.link())
    assert "Lettre du mois" not in page
