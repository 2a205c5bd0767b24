"""Will mailbox providers take our mail? SPF, DKIM, DMARC, reverse DNS and the list headers of a sending domain, each explained.

What Gmail, Yahoo and Microsoft ask of whoever sends them more than 5,000 mails a day, and what RFC 7208, 6376 and 7489 say.
"""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Literal

from channels.email_dkim import Key, record_of
from channels.email_dns import Ask, Unanswered
from channels.email_findings import SENTENCES
from channels.email_spf import MOST_LOOKUPS, read_spf

State = Literal["good", "warning", "wrong", "unknown"]


@dataclass(frozen=True, slots=True)
class Patient:
    """What is examined."""

    domain: str
    """The domain of the address that people see."""
    path_domain: str = ""
    """The domain that bounces go to, whose SPF record receivers read; empty: the same."""
    keys: Sequence[Key] = ()
    selectors: Sequence[str] = ()
    """Selectors of keys that somebody else holds (the provider)."""
    host: str = ""
    """The server that takes our mail; its reverse DNS counts when it is our own relay."""
    public_url: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; what it means is in SENTENCES, by `about`."""

    check: Literal["SPF", "DKIM", "DMARC", "PTR", "MX", "List-Unsubscribe"]
    state: State
    about: str
    detail: str = ""

    def sentence(self, language: str) -> str:
        """Return the finding in words."""
        english, french = SENTENCES[self.about]
        return (french if language == "fr" else english).format(self.detail)


async def examine(patient: Patient, ask: Ask) -> list[Finding]:
    """Return all findings, in the order in which they are best mended."""
    path = patient.path_domain or patient.domain
    found = [*await _asked("SPF", _spf(path, ask))]
    for key in patient.keys:
        found += await _asked("DKIM", _dkim(key.domain, key.selector, record_of(key), ask))
    for selector in patient.selectors:
        found += await _asked("DKIM", _dkim(patient.domain, selector, "", ask))
    if not patient.keys and not patient.selectors:
        found.append(Finding("DKIM", "warning", "dkim_unknown", patient.domain))
    said: dict[str, str] = {}
    found += await _asked("DMARC", _dmarc(patient.domain, ask, said))
    found += _aligned(patient, path, said)
    found += await _asked("MX", _mx(path, ask))
    if patient.host:
        found += await _asked("PTR", _reverse(patient.host, ask))
    return [*found, _one_click(patient.public_url)]


async def _asked(
    check: Literal["SPF", "DKIM", "DMARC", "PTR", "MX"], findings: Awaitable[list[Finding]]
) -> list[Finding]:
    try:
        return await findings
    except Unanswered as error:
        return [Finding(check, "unknown", "unanswered", str(error))]


async def _spf(domain: str, ask: Ask) -> list[Finding]:
    spf = await read_spf(domain, ask)
    if len(spf.records) != 1:
        return [Finding("SPF", "wrong", "spf_several" if spf.records else "spf_none", domain)]
    found = []
    if spf.lookups > MOST_LOOKUPS:
        found.append(Finding("SPF", "wrong", "spf_lookups", str(spf.lookups)))
    found += [Finding("SPF", "wrong", "spf_missing", name) for name in spf.missing]
    if spf.ends in ("+", "?", ""):
        found.append(
            Finding("SPF", "wrong" if spf.ends == "+" else "warning", "spf_all" if spf.ends == "+" else "spf_open")
        )
    if spf.uses_ptr:
        found.append(Finding("SPF", "warning", "spf_ptr"))
    return found or [Finding("SPF", "good", "spf_good", spf.records[0])]


async def _dkim(domain: str, selector: str, ours: str, ask: Ask) -> list[Finding]:
    name = f"{selector}._domainkey.{domain}"
    records = await ask(name, "TXT")
    if not records:
        return [Finding("DKIM", "wrong", "dkim_none", f"{name} TXT {ours}".rstrip())]
    tags = _tags(records[0])
    if not tags.get("p"):
        return [Finding("DKIM", "wrong", "dkim_revoked", name)]
    if ours and "".join(tags["p"].split()) != _tags(ours)["p"]:
        return [Finding("DKIM", "wrong", "dkim_other", f"{name} TXT {ours}")]
    if "y" in tags.get("t", "").split(":"):
        return [Finding("DKIM", "warning", "dkim_test", name)]
    if tags.get("k", "rsa") == "rsa" and len(tags["p"]) < 300:  # 2048 bits are 392 characters, 1024 are 216
        return [Finding("DKIM", "warning", "dkim_short", name)]
    return [Finding("DKIM", "good", "dkim_good", name)]


async def _dmarc(domain: str, ask: Ask, said: dict[str, str]) -> list[Finding]:
    """The record of the domain itself, else that of the domains above it; what it says is put into `said`."""
    labels = domain.split(".")
    for start in range(max(len(labels) - 1, 1)):
        name = ".".join(["_dmarc", *labels[start:]])
        records = [text for text in await ask(name, "TXT") if text.lower().replace(" ", "").startswith("v=dmarc1")]
        if len(records) > 1:
            return [Finding("DMARC", "wrong", "dmarc_several", name)]
        if records:
            said |= _tags(records[0])
            return _policy(name, said, is_above=start > 0)
    return [Finding("DMARC", "wrong", "dmarc_none", domain)]


def _policy(name: str, tags: dict[str, str], *, is_above: bool) -> list[Finding]:
    """What the record asks for this domain; one of a domain above it may ask something else for those below (sp)."""
    policy = (tags.get("sp") if is_above else None) or tags.get("p", "")
    policy = policy.lower()
    if policy not in ("none", "quarantine", "reject"):
        return [Finding("DMARC", "wrong", "dmarc_no_policy", name)]
    found = [] if "rua" in tags else [Finding("DMARC", "warning", "dmarc_blind", name)]
    if policy == "none":
        found.append(Finding("DMARC", "warning", "dmarc_watching", name))
    return found or [Finding("DMARC", "good", "dmarc_good", policy)]


def _aligned(patient: Patient, path: str, said: dict[str, str]) -> list[Finding]:
    """Receivers want SPF or DKIM for the domain that people see: this very one where the record is strict, else a related one."""
    if _is_related(path, patient.domain, strict=said.get("aspf", "").lower() == "s"):
        return []
    strict = said.get("adkim", "").lower() == "s"
    if any(_is_related(key.domain, patient.domain, strict=strict) for key in patient.keys):
        return [Finding("DMARC", "good", "aligned_by_dkim", path)]
    return [Finding("DMARC", "warning", "not_aligned", path)]


def _is_related(one: str, domain: str, *, strict: bool) -> bool:
    return one == domain or (not strict and (one.endswith(f".{domain}") or domain.endswith(f".{one}")))


async def _mx(domain: str, ask: Ask) -> list[Finding]:
    servers = await ask(domain, "MX")
    return [
        Finding("MX", "good", "mx_good", ", ".join(servers)) if servers else Finding("MX", "wrong", "mx_none", domain)
    ]


async def _reverse(host: str, ask: Ask) -> list[Finding]:
    addresses = [*await ask(host, "A"), *await ask(host, "AAAA")]
    if not addresses:
        return [Finding("PTR", "wrong", "host_unknown", host)]
    found = []
    for address in addresses:
        names = await ask(address, "PTR")
        back = [one for name in names for one in (*await ask(name, "A"), *await ask(name, "AAAA"))]
        if not names:
            found.append(Finding("PTR", "warning", "ptr_none", address))
        elif address not in back:
            found.append(Finding("PTR", "warning", "ptr_elsewhere", address))
    return found or [Finding("PTR", "good", "ptr_good", host)]


def _one_click(public_url: str) -> Finding:
    if public_url.startswith("https://"):
        return Finding("List-Unsubscribe", "good", "one_click", public_url)
    return Finding("List-Unsubscribe", "wrong", "one_click_plain", public_url or '""')


def _tags(record: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in record.split(";"))
    return {name.strip().lower(): value.strip() for name, sign, value in pairs if sign}
