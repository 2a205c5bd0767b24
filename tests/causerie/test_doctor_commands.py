"""`causerie doctor email`: what it looks at without being told, and its exit code."""

from causerie.doctor_commands import doctor_email
from channels.email import Options

GOOD = {
    "shop.example TXT": ["v=spf1 -all"],
    "p._domainkey.shop.example TXT": ["p=" + "A" * 392],
    "_dmarc.shop.example TXT": ["v=DMARC1; p=reject; rua=mailto:d@shop.example"],
    "shop.example MX": ["mx.shop.example"],
    "bounces.shop.example TXT": ["v=spf1 -all"],
}


async def run(options: Options, domain: str, **more: str) -> tuple[int, list[str]]:
    said: list[str] = []

    async def ask(name: str, kind: str) -> list[str]:
        return GOOD.get(f"{name} {kind}", [])

    known = {"public_url": "https://crm.shop.example", "language": "en", **more}
    code = await doctor_email(options, domain, ["p"], say=said.append, ask=ask, **known)
    return code, said


async def test_a_domain_in_order_ends_with_0() -> None:
    code, said = await run(Options(), "Shop.example")
    assert code == 0
    assert [line.split()[1] for line in said] == ["SPF:", "DKIM:", "DMARC:", "MX:", "List-Unsubscribe:"]


async def test_the_configured_domain_is_looked_at_with_its_bounce_address() -> None:
    code, said = await run(Options(from_address="news@shop.example", return_path="b@bounces.shop.example"), "")
    assert code == 1
    assert [line for line in said if line.startswith("wrong")] == [
        "wrong     MX: bounces.shop.example has no mail server (MX): bounces and answers get lost, and some receivers"
        " refuse such senders."
    ]


async def test_it_speaks_french() -> None:
    _, said = await run(Options(), "shop.example", language="fr")
    assert said[0].startswith("bien")


async def test_a_domain_of_any_letters_is_asked_for_as_the_dns_knows_it() -> None:
    _, said = await run(Options(from_address="news@bücher.example", return_path="b@bücher.example"), "Bücher.example")
    assert "xn--bcher-kva.example has no SPF record" in said[0]
    assert not any("Bounces go to" in line for line in said)


async def test_without_a_domain_it_says_what_to_do() -> None:
    assert await run(Options(), "") == (
        1,
        ["channels.email.from_address is empty. Hint: causerie doctor email shop.example"],
    )
