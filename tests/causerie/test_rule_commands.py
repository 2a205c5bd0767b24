"""The commands for the rule book: every mistake told, a rule said in sentences, a version shown beside what it became."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from causerie.rule_commands import check_rules, explain_rule, show_difference, surroundings
from profiles.calendar import utc_now
from profiles.indexes import INDEXES
from profiles.secret import Secret
from profiles.store import Store
from rules.bookcase import Bookcase
from rules.options import RulesOptions

RULE = "rule: thanks\nstate: draft\nabout: Thanks\nwhen: {event: order.paid}\nsteps:\n  - send: {channel: sms, template: t}\n"


@pytest.fixture
async def store(mongo_url: str, database_name: str) -> AsyncIterator[Store]:
    store = Store(mongo_url, database_name)
    await store.prepare(INDEXES)
    yield store
    await store.close()


def options(folder: Path, text: str = RULE) -> RulesOptions:
    (folder / "thanks.yml").write_text(text, encoding="utf-8")
    return RulesOptions(folder=str(folder))


async def remembered(options: RulesOptions, store: Store) -> str:
    book = await Bookcase(Path(options.folder), store, surroundings(options), clock=utc_now).open()
    return book.rules["thanks"].version


def test_check_tells_every_mistake_and_warns() -> None:
    said: list[str] = []
    assert check_rules(RulesOptions(), said.append) == 0
    assert said == []


def test_check_counts_mistakes_not_warnings(tmp_path: Path) -> None:
    said: list[str] = []
    assert check_rules(options(tmp_path), said.append) == 0
    assert "warning: thanks.yml:1:1: no topic: nobody can have agreed to this, it can not go live." in said
    assert check_rules(options(tmp_path, RULE.replace("sms", "smss") + "topc: x\n"), said.append) == 2
    assert 'thanks.yml:6:21: channel: expected a channel, or preferred, got "smss". Hint: did you mean "sms"?' in said


def test_check_names_the_file_that_is_not_in_utf_8_and_goes_on(tmp_path: Path) -> None:
    around = options(tmp_path, RULE.replace("sms", "smss"))
    (tmp_path / "latin.yml").write_bytes("rule: latin\nabout: été\n".encode("latin-1"))
    said: list[str] = []
    assert check_rules(around, said.append) == 2
    assert said[0] == "latin.yml:2:1: expected a text in UTF-8, got other bytes. Hint: save it as UTF-8"
    assert said[1].startswith("thanks.yml:6:21")


def test_check_tells_an_sms_that_is_dear_for_one_character(tmp_path: Path) -> None:
    around = options(tmp_path)
    template = tmp_path / "templates" / "t.yml"
    template.parent.mkdir(exist_ok=True)
    template.write_text(f'fr: {{text: "{"encore " * 20}“"}}\n', encoding="utf-8")
    said: list[str] = []
    assert check_rules(around, said.append) == 0
    assert any('is 3 segments, 1 if it is written in GSM-7: “ as "' in line for line in said)


CALL = RULE.replace("send: {channel: sms, template: t}", "webhook: {url: 'URL'}")
WHSEC = Secret("whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")


@pytest.mark.parametrize(
    ("url", "inside", "problem"),
    [
        ("http://hooks.example/in", False, "expected https on port 443"),
        ("https://hooks.example:8443/in", False, "expected https on port 443"),
        ("https://10.0.0.7/in", False, "expected an address of the public internet"),
        ("https://2130706433/", False, "expected an address with a host's name and without a user"),
        ("http://hooks.example/in", True, ""),
        ("https://hooks.example/in", False, ""),
    ],
)
def test_check_tells_a_webhook_that_is_never_sent(tmp_path: Path, url: str, inside: bool, problem: str) -> None:
    around = replace(options(tmp_path, CALL.replace("URL", url)), webhook_secret=WHSEC, webhooks_inside=inside)
    said: list[str] = []
    assert check_rules(around, said.append) == 0
    hint = "it is never sent. Hint: rules.webhooks_inside lets webhooks reach receivers of your own network"
    told = [f'warning: thanks.yml:6:5: webhook: {problem}, got "{url}": {hint}'] if problem else []
    assert [line for line in said if "webhook" in line] == told


def test_check_tells_webhooks_that_wait_for_a_secret(tmp_path: Path) -> None:
    said: list[str] = []
    assert check_rules(options(tmp_path, CALL.replace("URL", "https://hooks.example/in")), said.append) == 0
    told = "warning: thanks.yml:6:5: webhook: it waits for rules.webhook_secret, which is not set."
    assert [line for line in said if "webhook" in line] == [told]


def test_explain_says_a_rule_in_the_language_asked_for(tmp_path: Path) -> None:
    said: list[str] = []
    assert explain_rule(options(tmp_path), "thanks", "fr", said.append) == 0
    assert said[0] == "« thanks » (marketing) est un brouillon : personne ne la reçoit."
    assert "1. Envoyer « t » sur sms." in said
    assert said[-1].startswith("! ")


def test_explain_names_the_nearest_rule_and_the_mistakes_of_a_broken_one(tmp_path: Path) -> None:
    said: list[str] = []
    assert explain_rule(options(tmp_path), "thank", "en", said.append) == 1
    assert said == ['expected a rule of the book, got "thank". Hint: did you mean "thanks"?']
    said.clear()
    assert explain_rule(options(tmp_path, RULE + "x: 1\n"), "thanks", "en", said.append) == 1
    assert said[0].startswith("thanks.yml:7:1: unknown key")


async def test_diff_shows_what_changed_since_the_version_before(tmp_path: Path, store: Store) -> None:
    first = await remembered(options(tmp_path), store)
    changed = options(tmp_path, RULE.replace("sms", "telegram"))
    await remembered(changed, store)
    said: list[str] = []
    assert await show_difference(changed, store, "thanks", "", said.append) == 0
    assert said[0].startswith(f"--- thanks@{first} (") and said[1] == "+++ thanks.yml"
    assert "-  - send: {channel: sms, template: t}" in said and "+  - send: {channel: telegram, template: t}" in said


async def test_diff_takes_the_beginning_of_a_version_and_names_those_that_are_known(
    tmp_path: Path, store: Store
) -> None:
    first = await remembered(options(tmp_path), store)
    said: list[str] = []
    assert await show_difference(options(tmp_path), store, "thanks", first[:4], said.append) == 0
    assert said == [f"thanks: thanks.yml is as it was at {first}."]
    assert await show_difference(options(tmp_path), store, "thanks", "", said.append) == 0
    assert said[-1] == "thanks: no other version is remembered."
    assert await show_difference(options(tmp_path), store, "thanks", "zzz", said.append) == 1
    assert said[-1] == f'expected a version of thanks, got "zzz". Hint: known: {first}'
    assert await show_difference(options(tmp_path), store, "nobody", "", said.append) == 1
