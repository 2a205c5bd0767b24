"""What is missing or wrong in [channels.email], a sentence for each key, before anything is connected."""

import ipaddress
from collections.abc import Iterator

from channels.email_address import mailbox
from channels.email_dkim import read_key
from channels.email_options import Options, first_day, signers, signing_domain
from channels.email_sendgrid import read_key as read_verification_key
from channels.email_sns import is_topic
from channels.email_unsigned import REPORTERS, SHORTEST

LONGEST_BOUNCES = 24  # a local part has 64, and ours takes 40 (email_verp.py)
LARGEST_IN = 100_000_000  # octets; a mail is read in memory


def problems_of(options: Options) -> list[str]:
    """Return what is missing or wrong, a sentence for each key."""
    problems = []
    if not options.host:
        problems.append("host: expected it, got nothing. Hint: your provider's SMTP page has it.")
    for key in ("from_address", "reply_to", "return_path"):
        value = getattr(options, key)
        known = mailbox(value)
        if (value or key == "from_address") and (known is None or known.needs_utf8):
            problems.append(f'{key}: expected an address such as news@shop.example, got "{value}".')
    if len(options.return_path.rpartition("@")[0]) > LONGEST_BOUNCES:
        problems.append(f"return_path: expected at most {LONGEST_BOUNCES} characters before @, for ours come after it.")
    if options.tls == "none" and options.host and not _is_here(options.host):
        problems.append("tls: expected starttls or tls, for without it everybody on the way reads the mail.")
    if bool(options.user) != bool(options.password):
        problems.append("user and password: expected both or neither.")
    if options.list_domain and mailbox(f"x@{options.list_domain}") is None:
        problems.append(f'list_domain: expected a domain, got "{options.list_domain}".')
    if options.feedback_id and not (options.feedback_id.isalnum() and 5 <= len(options.feedback_id) <= 15):
        problems.append(f'feedback_id: expected 5 to 15 letters and digits, got "{options.feedback_id}".')
    for key, least in (("connections", 1), ("per_domain", 1), ("warm_up_first", 1), ("warm_up_growth", 1)):
        if getattr(options, key) < least:
            problems.append(f"{key}: expected at least {least}, got {getattr(options, key)}.")
    if options.warm_up_from and first_day(options) is None:
        problems.append(f'warm_up_from: expected a day such as 2026-11-22, got "{options.warm_up_from}".')
    return [f"channels.email.{problem}" for problem in problems + _key_problems(options) + [*_heard(options)]]


def _key_problems(options: Options) -> list[str]:
    problems = []
    for name, selector, key in signers(options):
        try:
            read_key(signing_domain(options), selector, key.reveal())
        except ValueError as error:
            problems.append(f"{name}: {error}.")
    return problems


def _heard(options: Options) -> Iterator[str]:
    """Yield what is wrong about mail that comes in."""
    for address in options.receives:
        if mailbox(f"x{address}" if address.startswith("@") else address) is None:
            yield f'receives: expected addresses such as help@shop.example or @shop.example, got "{address}".'
    is_off = not (options.lmtp_port or options.imap_host)
    if options.receives and is_off:
        yield "receives: expected lmtp_port or imap_host too: by which way does mail come in?"
    if not is_off and not options.receives and not options.return_path:
        yield "receives: expected it, or return_path, for nothing that comes in would be read."
    if not 0 <= options.lmtp_port < 65_536:
        yield f"lmtp_port: expected a port, got {options.lmtp_port}."
    if options.lmtp_port and not _is_here(options.lmtp_host):
        yield "lmtp_host: expected an address of your own network, for LMTP has no passwords."
    if options.imap_host and options.imap_tls == "none" and not _is_here(options.imap_host):
        yield "imap_tls: expected tls or starttls, for without it everybody on the way reads the password."
    if options.imap_host and not (options.imap_user and options.imap_password):
        yield "imap_user and imap_password: expected both."
    if not options.imap_folder.isascii() or not options.imap_folder.isprintable():
        yield "imap_folder: expected the name that IMAP has for it, in ASCII: INBOX, Bo&AO4-te."
    if options.imap_seconds <= 0:
        yield f"imap_seconds: expected more than 0, got {options.imap_seconds}."
    for key in ("answers_per_hour", "soft_bounces", "soft_bounce_days", "complaint_mails", "complaint_days"):
        if getattr(options, key) < 1:
            yield f"{key}: expected at least 1, got {getattr(options, key)}."
    if options.sns_topic and not is_topic(options.sns_topic):
        yield f'sns_topic: expected arn:aws:sns:REGION:ACCOUNT:NAME, got "{options.sns_topic}".'
    if options.sendgrid_key:
        try:
            read_verification_key(options.sendgrid_key)
        except ValueError as error:
            yield f"sendgrid_key: {error}."
    if (options.reporter in REPORTERS) != bool(options.reporter_secret):
        yield "reporter and reporter_secret: expected both or neither."
    elif options.reporter_secret and len(options.reporter_secret.reveal()) < SHORTEST:
        yield f"reporter_secret: expected {SHORTEST} characters or more. Hint: openssl rand -hex 24"
    if not 10_000 <= options.largest_in <= LARGEST_IN:
        yield f"largest_in: expected 10000 to {LARGEST_IN}, got {options.largest_in}."


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return host == "localhost" or "." not in host  # a name of the own network, such as a container's
