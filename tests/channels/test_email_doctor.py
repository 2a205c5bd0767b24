"""What the doctor finds in a DNS that the test answers for, and that it says so in both languages."""

from collections.abc import Mapping

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from channels.email_dkim import Key, record_of
from channels.email_dns import Ask, Unanswered
from channels.email_doctor import Finding, Patient, examine
from channels.email_findings import SENTENCES

KEY = Key("shop.example", "s1", ed25519.Ed25519PrivateKey.generate())
OTHER = Key("shop.example", "s1", ed25519.Ed25519PrivateKey.generate())
DKIM = "s1._domainkey.shop.example TXT"
GOOD = {
    "shop.example TXT": ["unrelated", "v=spf1 include:_spf.provider.example ip4:192.0.2.1 -all"],
    "_spf.provider.example TXT": ["v=spf1 ip4:192.0.2.0/24 ~all"],
    DKIM: [record_of(KEY)],
    "_dmarc.shop.example TXT": ["v=DMARC1; p=reject; rua=mailto:d@shop.example"],
    "shop.example MX": ["mx.shop.example"],
    "smtp.shop.example A": ["192.0.2.1"],
    "192.0.2.1 PTR": ["smtp.shop.example"],
}
PATIENT = Patient("shop.example", keys=[KEY], host="smtp.shop.example", public_url="https://crm.shop.example")


def dns(records: Mapping[str, list[str]]) -> Ask:
    async def ask(name: str, kind: str) -> list[str]:
        return records.get(f"{name} {kind}", [])

    return ask


async def found(change: Mapping[str, list[str]], patient: Patient = PATIENT) -> dict[str, str]:
    """Return what is not good: about -> state."""
    findings = await examine(patient, dns({**GOOD, **change}))
    return {one.about: one.state for one in findings if one.state != "good"}


async def test_a_domain_in_order_has_every_check_and_nothing_to_mend() -> None:
    findings = await examine(PATIENT, dns(GOOD))
    assert {one.state for one in findings} == {"good"}
    assert [one.check for one in findings] == ["SPF", "DKIM", "DMARC", "MX", "PTR", "List-Unsubscribe"]


@pytest.mark.parametrize(
    ("change", "about", "state"),
    [
        ({"shop.example TXT": []}, "spf_none", "wrong"),
        ({"shop.example TXT": ["v=spf1 -all", "v=spf1 mx -all"]}, "spf_several", "wrong"),
        ({"shop.example TXT": ["v=spf1 " + "a:x.example " * 11 + "-all"]}, "spf_lookups", "wrong"),
        ({"shop.example TXT": ["v=spf1 include:nobody.example -all"]}, "spf_missing", "wrong"),
        ({"shop.example TXT": ["v=spf1 +all"]}, "spf_all", "wrong"),
        ({"shop.example TXT": ["v=spf1 all"]}, "spf_all", "wrong"),
        ({"shop.example TXT": ["v=spf1 mx"]}, "spf_open", "warning"),
        ({"shop.example TXT": ["v=spf1 ptr -all"]}, "spf_ptr", "warning"),
        ({DKIM: []}, "dkim_none", "wrong"),
        ({DKIM: ["v=DKIM1; p="]}, "dkim_revoked", "wrong"),
        ({DKIM: [record_of(OTHER)]}, "dkim_other", "wrong"),
        ({DKIM: [record_of(KEY) + "; t=y"]}, "dkim_test", "warning"),
        ({"_dmarc.shop.example TXT": []}, "dmarc_none", "wrong"),
        ({"_dmarc.shop.example TXT": ["v=DMARC1; p=none", "v=DMARC1; p=none"]}, "dmarc_several", "wrong"),
        ({"_dmarc.shop.example TXT": ["v=DMARC1; rua=mailto:x"]}, "dmarc_no_policy", "wrong"),
        ({"_dmarc.shop.example TXT": ["v=DMARC1; p=reject"]}, "dmarc_blind", "warning"),
        ({"_dmarc.shop.example TXT": ["v=DMARC1; p=none; rua=mailto:x"]}, "dmarc_watching", "warning"),
        ({"shop.example MX": []}, "mx_none", "wrong"),
        ({"smtp.shop.example A": []}, "host_unknown", "wrong"),
        ({"192.0.2.1 PTR": []}, "ptr_none", "warning"),
        ({"192.0.2.1 PTR": ["else.example"]}, "ptr_elsewhere", "warning"),
    ],
)
async def test_each_trouble_is_found_alone(change: Mapping[str, list[str]], about: str, state: str) -> None:
    assert await found(change) == {about: state}


async def test_an_included_record_counts_its_own_look_ups_and_says_nothing_of_the_end() -> None:
    chain = {f"_{number}.example TXT": [f"v=spf1 include:_{number + 1}.example +all"] for number in range(12)}
    assert await found({**chain, "shop.example TXT": ["v=spf1 include:_0.example -all"]}) == {"spf_lookups": "wrong"}
    assert await found({**chain, "shop.example TXT": ["v=spf1 include:_9.example -all"]}) == {"spf_missing": "wrong"}


async def test_a_record_that_includes_itself_ends() -> None:
    assert (
        await found({"_spf.provider.example TXT": ["v=spf1 include:shop.example include:_spf.provider.example -all"]})
        == {}
    )


async def test_the_policy_of_the_domain_above_counts() -> None:
    patient = Patient(
        "news.shop.example", keys=[Key("news.shop.example", "s1", KEY.private)], public_url="https://x.example"
    )
    names = {f"news.{name}": rows for name, rows in GOOD.items() if name.startswith("shop.example")}
    assert await found({**names, "s1._domainkey.news.shop.example TXT": [record_of(KEY)]}, patient) == {}


async def test_a_domain_above_may_ask_something_else_for_those_below() -> None:
    patient = Patient("news.shop.example", selectors=["s1"], public_url="https://crm.shop.example")
    record = {"_dmarc.shop.example TXT": ["v=DMARC1; p=reject; sp=none; rua=mailto:d@shop.example"]}
    assert "dmarc_watching" in await found(record, patient)
    assert "dmarc_watching" not in await found(record, PATIENT)


async def test_a_strict_record_wants_the_very_domain() -> None:
    patient = Patient("shop.example", "bounces.shop.example", [Key("mail.shop.example", "s1", KEY.private)])
    at_home = {"bounces.shop.example TXT": ["v=spf1 -all"]}
    strict = {"_dmarc.shop.example TXT": ["v=DMARC1; p=reject; aspf=s; adkim=S; rua=mailto:d@shop.example"]}
    assert "not_aligned" not in await found(at_home, patient)
    assert (await found(at_home | strict, patient))["not_aligned"] == "warning"


async def test_bounces_of_another_domain_need_our_signature() -> None:
    records = {"b.example TXT": ["v=spf1 -all"], "b.example MX": ["mx"]}
    assert await found(records, Patient("shop.example", "b.example", public_url="https://x")) == {
        "dkim_unknown": "warning",
        "not_aligned": "warning",
    }
    assert await found(records, Patient("shop.example", "b.example", [KEY], public_url="https://x")) == {}


async def test_a_short_key_of_the_provider_is_seen() -> None:
    patient = Patient("shop.example", selectors=["p"], public_url="https://x")
    assert await found({"p._domainkey.shop.example TXT": ["k=rsa; p=" + "A" * 216]}, patient) == {
        "dkim_short": "warning"
    }


async def test_without_https_there_is_no_one_click() -> None:
    assert await found({}, Patient("shop.example", keys=[KEY], public_url="http://x")) == {"one_click_plain": "wrong"}


async def test_a_silent_dns_is_neither_good_nor_wrong() -> None:
    async def silent(name: str, kind: str) -> list[str]:
        raise Unanswered(name)

    findings = await examine(PATIENT, silent)
    assert {one.state for one in findings if one.check != "List-Unsubscribe"} == {"unknown"}


@pytest.mark.parametrize("about", SENTENCES)
def test_every_finding_is_said_in_both_languages(about: str) -> None:
    finding = Finding("SPF", "good", about, "shop.example")
    english, french = finding.sentence("en"), finding.sentence("fr")
    assert english != french
    assert ("{}" in SENTENCES[about][0]) == ("{}" in SENTENCES[about][1]) == ("shop.example" in english)
