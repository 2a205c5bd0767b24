"""OpenDKIM as a judge of our signatures: a verifier that somebody else wrote, without a network."""

import asyncio
import subprocess
import tempfile
from pathlib import Path

from tests.needed import mail_program


async def verdict(mail: bytes, selector: str, domain: str, record: str) -> tuple[bool, str]:
    """Return whether it accepts the mail's signature by this record, and what it says."""
    return await asyncio.to_thread(_verdict, mail, selector, domain, record)


def _verdict(mail: bytes, selector: str, domain: str, record: str) -> tuple[bool, str]:
    program = mail_program("opendkim", "opendkim")
    with tempfile.TemporaryDirectory(prefix="opendkim-") as name:
        folder = Path(name)
        (folder / "keys").write_text(f"{selector}._domainkey.{domain} {record}\n")
        (folder / "mail").write_bytes(mail)
        configuration = f"Mode v\nTestPublicKeys {folder}/keys\nTemporaryDirectory {folder}\nLogWhy yes\nSyslog no\n"
        (folder / "conf").write_text(configuration)
        done = subprocess.run(
            [program, "-x", str(folder / "conf"), "-t", str(folder / "mail"), "-vv"], capture_output=True, timeout=60,
            check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    said = (done.stdout + done.stderr).decode("utf-8", "replace")
    return done.returncode == 0 and "verification (s=" in said and "succeeded" in said, said
