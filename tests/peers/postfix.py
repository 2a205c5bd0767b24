"""Postfix, started for a test on loopback with folders of its own: it takes our mail and hands it on, or says why it can not."""

import asyncio
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from causerie.data_folder import free_port
from tests.needed import mail_program
from tests.peers.dovecot import answers
from tests.waiting import until


@dataclass(frozen=True, slots=True)
class Postfix:
    """A running server."""

    folder: Path
    port: int

    @property
    def log(self) -> str:
        """What it wrote into its log."""
        place = self.folder / "log"
        return place.read_text() if place.exists() else ""


@asynccontextmanager
async def postfix(routes: Mapping[str, str], *, lifetime_seconds: int = 3600) -> AsyncIterator[Postfix]:
    """Start it. `routes`: domain -> transport such as `lmtp:inet:127.0.0.1:2424`; `lifetime_seconds` is how long it tries."""
    program = mail_program("postfix", "postfix")
    folder = Path(tempfile.mkdtemp(prefix="postfix-"))
    folder.chmod(0o755)
    server = Postfix(folder, free_port())
    for name in ("etc", "queue", "data"):
        (folder / name).mkdir()
    shutil.chown(folder / "data", "postfix")
    (folder / "etc" / "main.cf").write_text(_main(server, routes, lifetime_seconds))
    (folder / "etc" / "master.cf").write_text(_master(server))
    try:
        await asyncio.to_thread(_run, program, folder, "start")
        await until(lambda: answers(server.port))
        yield server
    finally:
        await asyncio.to_thread(_run, program, folder, "stop", must=False)
        shutil.rmtree(folder, ignore_errors=True)


def _run(program: str, folder: Path, act: str, *, must: bool = True) -> None:
    done = subprocess.run(
        [program, "-c", str(folder / "etc"), act],
        capture_output=True,
        timeout=60,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert not must or done.returncode == 0, done.stderr.decode()


def _main(server: Postfix, routes: Mapping[str, str], lifetime: int) -> str:
    folder = server.folder
    transports = " ".join(f"{{{domain}={transport}}}" for domain, transport in routes.items())
    return f"""
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
myhostname = mx.relay.example
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject
relay_domains = {", ".join(routes)}
transport_maps = inline:{{ {transports} }}
recipient_delimiter = +
smtp_dns_support_level = disabled
smtp_host_lookup = native
minimal_backoff_time = 2s
maximal_backoff_time = 4s
queue_run_delay = 2s
maximal_queue_lifetime = {lifetime}s
bounce_queue_lifetime = {lifetime}s
smtpd_tls_security_level = none
alias_maps =
alias_database =
biff = no
"""


def _master(server: Postfix) -> str:
    services = f"""
127.0.0.1:{server.port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""
    return services.lstrip()
