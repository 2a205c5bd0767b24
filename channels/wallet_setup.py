"""Opening the wallet: what its keys and files must be, all mistakes told together, and the papers that we make ourselves."""

import asyncio
import logging
import re
from datetime import datetime
from pathlib import Path

from channels.google_token import ServiceAccount, read_account
from channels.wallet_options import Options
from channels.wallet_signature import WARN_BEFORE, Papers, is_pem, named, read_papers, self_made
from profiles.calendar import Clock
from profiles.store import AlreadyThere, Store

log = logging.getLogger("channels.wallet")

TRY_OUT_TYPE, TRY_OUT_TEAM = "pass.example.causerie", "TRYOUT0000"
PAPERS = "wallet papers"
"""The row of `settings` with what we made ourselves: once, the same in every process."""
_TYPE = re.compile(r"pass(\.[A-Za-z0-9-]+)+")
_TEAM = re.compile(r"[A-Z0-9]{10}")
_ISSUER = re.compile(r"\d{10,30}")
_HOST = re.compile(r"[A-Za-z0-9.-]+(:\d{1,5})?")


def problems_of(options: Options) -> list[str]:
    """Return a sentence for each key that is missing or wrong, the files unread."""
    problems = []
    if options.certificate:
        for key in ("key", "wwdr", "pass_type", "team", "organisation"):
            if not getattr(options, key):
                problems.append(f"channels.wallet.{key}: expected it beside certificate, got nothing.")
    elif options.key or options.wwdr:
        problems.append("channels.wallet.certificate: expected it beside key and wwdr, got nothing.")
    if options.pass_type and not _TYPE.fullmatch(options.pass_type):
        problems.append(f'channels.wallet.pass_type: expected pass.example.shop, got "{options.pass_type}".')
    if options.team and not _TEAM.fullmatch(options.team):
        problems.append(f'channels.wallet.team: expected ten capitals and digits, got "{options.team}".')
    if not _HOST.fullmatch(options.push_host):
        problems.append(f'channels.wallet.push_host: expected a host, or host:port, got "{options.push_host}".')
    if options.issuer and not _ISSUER.fullmatch(options.issuer):
        problems.append(f'channels.wallet.issuer: expected digits, got "{options.issuer}".')
    if bool(options.issuer) != bool(options.service_account):
        missing = "service_account" if options.issuer else "issuer"
        problems.append(f"channels.wallet.{missing}: expected it for Google Wallet, got nothing.")
    return problems


def read_files(options: Options, now: datetime) -> tuple[Papers | None, ServiceAccount | None, list[str]]:
    """Return what Apple's and Google's files hold, None where none is named, and a sentence for each that is wrong."""
    problems: list[str] = []
    papers: Papers | None = None
    account: ServiceAccount | None = None
    if options.certificate:
        try:
            papers = read_papers(Path(options.certificate), Path(options.key), Path(options.wwdr), options.key_password)
            if not is_pem(Path(options.certificate)):
                hint = "openssl x509 -inform DER -in pass.cer -out pass.pem"
                problems.append(f"channels.wallet.certificate: expected PEM, got DER. Hint: {hint}")
            told = named(papers)
            if told.ends_at <= now:
                problems.append(
                    f"channels.wallet.certificate: expected one that holds, got one that ended {told.ends_at:%Y-%m-%d}."
                )
            elif told.ends_at - now < WARN_BEFORE:
                log.warning("wallet.certificate ends at=%s: renew it, passes signed by it go on", told.ends_at.date())
            for key, wanted, got in (
                ("pass_type", options.pass_type, told.pass_type),
                ("team", options.team, told.team),
            ):
                if wanted != got:
                    problems.append(
                        f'channels.wallet.{key}: expected "{got}", as the certificate says, got "{wanted}".'
                    )
        except ValueError as error:
            problems.append(f"channels.wallet: {error}.")
    if options.service_account:
        try:
            account = read_account(Path(options.service_account))
        except ValueError as error:
            problems.append(f"channels.wallet.service_account: {error}.")
    return papers, account, problems


async def own_papers(store: Store, clock: Clock) -> Papers:
    """Return the papers that we made ourselves: with the first pass, for all processes."""
    found = await store.get("settings", PAPERS)
    if found is None:
        made = await asyncio.to_thread(self_made, TRY_OUT_TYPE, TRY_OUT_TEAM, now=clock())
        put = {"certificate": made.certificate, "key": made.key, "above": made.above}
        try:
            found = await store.change("settings", {"_id": PAPERS}, {"$setOnInsert": put}, upsert=True)
        except AlreadyThere:  # another process was quicker by a moment
            found = await store.get("settings", PAPERS)
    assert found
    return Papers(str(found["certificate"]), str(found["key"]), str(found["above"]))
