"""`causerie doctor email DOMAIN`: what mailbox providers will think of our mail, and what to do about it."""

from collections.abc import Callable, Sequence

from channels.email import Options
from channels.email_dkim import read_key
from channels.email_dns import Ask
from channels.email_dns import ask as ask_dns
from channels.email_doctor import Patient, examine
from channels.email_options import domain_in_ascii, in_ascii, signers, signing_domain

Say = Callable[[str], None]
_WORDS = {
    "good": ("good", "bien"),
    "warning": ("warning", "attention"),
    "wrong": ("wrong", "faux"),
    "unknown": ("unknown", "inconnu"),
}


async def doctor_email(
    options: Options,
    domain: str,
    selectors: Sequence[str],
    *,
    public_url: str,
    language: str,
    say: Say,
    ask: Ask = ask_dns,
) -> int:
    """Say every finding; 1 when one of them is wrong. Keys and bounce address count where the domain is the configured one."""
    options = in_ascii(options)
    configured = options.from_address.rpartition("@")[2].lower()
    domain = domain_in_ascii(domain.lower()) or configured
    if not domain:
        say("channels.email.from_address is empty. Hint: causerie doctor email shop.example")
        return 1
    patient = Patient(domain, selectors=selectors, public_url=public_url)
    if domain == configured:
        keys = [read_key(signing_domain(options), selector, key.reveal()) for _, selector, key in signers(options)]
        path = options.return_path.rpartition("@")[2].lower()
        patient = Patient(domain, path, keys, selectors, options.host, public_url)
    findings = await examine(patient, ask)
    for finding in findings:
        word = _WORDS[finding.state][language == "fr"]
        say(f"{word:9s} {finding.check}: {finding.sentence(language)}")
    return int(any(finding.state == "wrong" for finding in findings))
