"""How many mails a second leave, personalised, and what does each cost? The channel, beside what one writes first.

The obvious way: an EmailMessage and a connection of its own for each mail, eight at once (smtplib in threads, for the standard
library has no other). Both send the same words to the same server, in turn, and every mail must have been taken.
"""

import asyncio
import json
import smtplib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from functools import partial
from itertools import count
from statistics import median
from typing import Any, cast

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from bench import cpu, sink
from channels.channel import Door, Outbound, Sent
from channels.email import Email, Options
from profiles.calendar import utc_now
from profiles.personal_links import Offer, PersonalLinks
from profiles.secret import Secret
from profiles.timeline import Content

AT_ONCE = 8  # connections, of both ways
WANTED_PER_SECOND, WANTED_RATIO = 2_000, 15  # what the issue asks
PUBLIC, SECRET = "https://crm.shop.example", b"s" * 32
_ROWS = "".join(f"<tr><td>Article {number}</td><td>{number},50 €</td></tr>" for number in range(40))
_numbers = count()
Way = Callable[[int], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Round:
    """One round of one way."""

    per_second: float
    cpu_us: float


async def mail(mails: int, rounds: int) -> dict[str, Any]:
    """Measure and return the figures; `mails` in each round of ours, a tenth of them in the obvious way's."""
    async with sink.running("bench.mail_sink") as port:
        plain = Options(host="127.0.0.1", port=port, tls="none", from_address="news@shop.example", connections=AT_ONCE)
        plain = replace(plain, from_name="La boutique", mails_per_connection=0, per_domain=50)
        found: dict[str, list[Round]] = {"ours": [], "signed": [], "obvious": []}
        counts = {"ours": mails, "signed": max(mails // 4, 1), "obvious": max(mails // 10, 1)}
        for _ in range(rounds):  # in turn, so that a busy machine is busy for all of them
            for way, options in (("ours", plain), ("signed", replace(plain, **_keys()))):
                channel = Email(options, _door())
                found[way].append(await _measured(partial(_ours, channel), counts[way], 4))
                await channel.close()
            found["obvious"].append(await _measured(partial(_obvious, port), counts["obvious"], 1))
        came = await asyncio.to_thread(counted, port)
    figures: dict[str, Any] = {"mails": mails, "machine": cpu.machine()}
    for way, measured in found.items():
        figures[f"{way}_per_second"] = round(median(one.per_second for one in measured))
        figures[f"{way}_cpu_us"] = round(median(one.cpu_us for one in measured))
        print(
            f"{way:8s} {figures[f'{way}_per_second']:>7,} mails/s, {figures[f'{way}_cpu_us']:>6,} us of CPU each",
            flush=True,
        )
    figures["ratio"] = round(figures["ours_per_second"] / figures["obvious_per_second"], 1)
    figures["cpu_ratio"] = round(figures["obvious_cpu_us"] / figures["ours_cpu_us"], 1)
    figures["nothing_lost"] = came["taken"] == rounds * sum(counts.values()) and not came["twice"]
    figures["all_right"] = came["right"] == came["read"] > 0
    # by CPU: eight threads of the obvious way get more of a busy machine than our one, and the ratio of the clocks tells that
    figures["fast_enough"] = figures["ours_per_second"] >= WANTED_PER_SECOND and figures["cpu_ratio"] >= WANTED_RATIO
    print(f"{figures['ratio']}x mails/s, {figures['cpu_ratio']}x CPU, every mail taken: {figures['nothing_lost']}")
    return figures


async def _measured(way: Way, mails: int, share: int) -> Round:
    """Send so many mails by `share` workers for each connection."""
    left = iter(range(mails))

    async def work() -> None:
        for _ in left:
            await way(next(_numbers))

    began, spent = time.perf_counter(), time.process_time()
    await asyncio.gather(*(work() for _ in range(AT_ONCE * share)))
    return Round(mails / (time.perf_counter() - began), (time.process_time() - spent) / mails * 1e6)


def _content(number: int) -> tuple[str, str, str]:
    """Return title, text and HTML, as they come from a rendered template: about 2.7 kB."""
    name = f"Élodie {number}"
    title, link = f"{name}, votre panier vous attend", f"https://shop.example/panier/{number}"
    text = f"Bonjour {name},\n\nVotre panier vous attend : {link}\n\nÀ très bientôt !"
    html = (
        f'<html><body><p>Bonjour {name},</p><table>{_ROWS}</table><p><a href="{link}">Mon panier</a></p></body></html>'
    )
    return title, text, html


async def _ours(channel: Email, number: int) -> None:
    title, text, html = _content(number)
    id = f"rule:{number:030x}"
    metadata = {"rule": "cart_1", "class": "marketing", "topic": "offers"}
    content = Content(text, title=title, html=html)
    address = f"elodie{number}@domain{number % 20}.example"
    sent = await channel.send(
        Outbound(id, address, content, id, 1, profile=f"P{number}", at=utc_now(), metadata=metadata)
    )
    assert isinstance(sent, Sent), sent


async def _obvious(port: int, number: int) -> None:
    await asyncio.to_thread(_written_and_sent, port, number)


def _written_and_sent(port: int, number: int) -> None:
    address, offer = (
        f"elodie{number}@domain{number % 20}.example",
        Offer(f"P{number}", "email", "offers", f"rule:{number:030x}"),
    )
    send_obviously(port, address, _content(number), offer)


def send_obviously(port: int, address: str, said: tuple[str, str, str], offer: Offer) -> None:
    """Send one mail of this title, text and HTML as one writes it first: an EmailMessage, and a connection of its own."""
    (title, text, html), mail, now = said, EmailMessage(), utc_now()
    mail["From"], mail["To"] = "La boutique <news@shop.example>", address
    mail["Subject"], mail["Date"], mail["Message-ID"] = title, format_datetime(now), make_msgid(domain="shop.example")
    mail["List-Unsubscribe"] = f"<{PersonalLinks(SECRET, PUBLIC).unsubscribe(offer, now)}>"
    mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail.set_content(text)
    mail.add_alternative(html, subtype="html")
    with smtplib.SMTP("127.0.0.1", port, local_hostname="shop.example") as server:
        server.send_message(mail)


def _keys() -> dict[str, Any]:
    """Return options that sign twice: RSA of 2048 bits and Ed25519."""
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    first = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(*form).decode()
    second = ed25519.Ed25519PrivateKey.generate().private_bytes(*form).decode()
    return {
        "dkim_selector": "s1", "dkim_key": Secret(first), "dkim_second_selector": "s2", "dkim_second_key": Secret(second),
    }  # fmt: skip


class _Empty:
    """A database in which nobody pauses: it is asked, and told what was sent, once in ten seconds."""

    async def find(self, *where: object, **more: object) -> list[object]:
        return []

    async def change(self, *where: object, **more: object) -> None:
        return None


def _door() -> Door:
    """Return a door without a database: a mail without files needs none."""
    nothing = cast(Any, None)
    return Door(nothing, PUBLIC, utc_now, cast(Any, _Empty()), nothing, nothing, SECRET)


def counted(port: int) -> dict[str, int]:
    """Return what the sink counted since it was asked last (bench/mail_sink.py)."""
    with smtplib.SMTP("127.0.0.1", port, local_hostname="x") as server:
        told: dict[str, int] = json.loads(server.docmd("VRFY")[1])
        return told
