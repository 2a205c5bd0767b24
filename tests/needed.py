"""What a test needs from outside Python: without it the test is skipped with the reason, but fails where CI=true."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

PEERS = Path(__file__).parent / "peers" / "node_modules"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def require_peer(name: str, found: object, hint: str = "`make test` installs what it can") -> None:
    """Go on when the peer was found. Else skip this test, or fail it in CI: a missing judge must not look like a pass."""
    if found:
        return
    reason = f"{name} is not here. {hint}"
    if os.environ.get("CI", "").lower() in ("true", "1"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def chromium() -> str:
    """Return the path of a Chromium, or skip (fail in CI)."""
    named = os.environ.get("CHROMIUM", "")
    found = next((path for name in (named, *BROWSERS) if name and (path := shutil.which(name))), None)
    require_peer("Chromium", found, "Install the package chromium, or name one in CHROMIUM.")
    return str(found)


def openssl() -> str:
    """Return the path of the openssl program, or skip (fail in CI)."""
    found = shutil.which("openssl")
    require_peer("openssl", found, "Install the package openssl.")
    return str(found)


def mail_program(name: str, package: str) -> str:
    """Return the path of a mail server's program, which only root can start, or skip (fail in CI)."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin:/usr/lib/dovecot")
    require_peer(name, found, f"Install the package {package}.")
    require_peer("root", os.geteuid() == 0, f"{name} changes to users of its own, which only root can do.")
    return str(found)


def firefox() -> str:
    """Return the path of a Firefox, or skip (fail in CI)."""
    found = next((path for name in ("firefox-esr", "firefox") if (path := shutil.which(name))), None)
    require_peer("Firefox", found, "Install the package firefox-esr.")
    return str(found)


def node() -> str:
    """Return the path of Node.js, or skip (fail in CI)."""
    found = shutil.which("node")
    require_peer("Node.js", found, "Install the package nodejs.")
    return str(found)


def node_package(name: str) -> Path:
    """Return the folder of an npm package of tests/peers, or skip (fail in CI)."""
    node()
    require_peer(f"npm package {name}", (PEERS / name).is_dir(), "Run: npm ci --prefix tests/peers")
    return PEERS / name


def namespaces() -> None:
    """Go on where network namespaces can be made. Else skip, in CI too: no package would help."""
    ip = shutil.which("ip", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    require_peer("ip", ip, "Install the package iproute2.")
    made = subprocess.run([str(ip), "netns", "add", "needed"], capture_output=True, check=False).returncode == 0
    subprocess.run([str(ip), "netns", "del", "needed"], capture_output=True, check=False)
    if not made:
        pytest.skip("no right to make network namespaces. It needs root, and a container that leaves it the right")


def mounts(folder: Path) -> None:
    """Go on where a disk of our own can be mounted here. Else skip, in CI too: no package would help."""
    mounted = subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(folder)], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip(
            "no right to mount a disk that can be filled. It needs root, and a container that leaves it the right"
        )
    subprocess.run(["umount", str(folder)], check=True)


def faketime() -> str:
    """Return the path of libfaketime, or skip (fail in CI)."""
    places = [*Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), Path("/usr/lib/faketime/libfaketimeMT.so.1")]
    found = next((str(place) for place in places if place.exists()), "")
    require_peer("libfaketime", found, "Install the package faketime.")
    return found
