"""What the server is made of: every package pinned by its hash, none whose licence binds whoever runs it, none known to be weak."""

import importlib.metadata
import re
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent.parent
LOCKS = ("requirements.lock", "requirements-dev.lock")
REQUIREMENT = re.compile(r"^(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)==(?P<version>[^\s;\\]+)", re.MULTILINE)
BINDING = re.compile(r"(?<!L)(?<!Lesser )(?:A?GPL|Affero|GNU General Public|SSPL|Server Side Public)", re.IGNORECASE)
"""GPL, AGPL, SSPL; the LGPL (python-telegram-bot) asks nothing of who only uses a library."""
NEEDED = {"aiohttp": (3, 14, 1), "jinja2": (3, 1, 6), "aiosmtpd": (1, 4, 6), "pyjwt": (2, 10), "cryptography": (46,)}
"""The first versions without the weaknesses that our own attack list names."""

Judged = Callable[[str, list[dict[str, Any]]], tuple[int, list[str]]]


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_is_pinned_to_one_version_and_its_hashes(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    entries = re.split(r"\n(?=\S)", re.sub(r"^\s*#.*$", "", text, flags=re.MULTILINE).strip())
    assert len(entries) > 50
    for entry in entries:
        assert REQUIREMENT.match(entry), entry[:80]
        hashes = re.findall(r"--hash=(\w+):([0-9a-f]+)", entry)
        assert hashes and all(kind == "sha256" and len(value) == 64 for kind, value in hashes), entry[:80]
    assert not re.search(r"^\s*(-i|--index-url|--extra-index-url|--find-links|-e|git\+|https?://)", text, re.MULTILINE)


def test_what_is_needed_at_run_time_is_pinned_alike_for_tests() -> None:
    runs, tests = (dict(REQUIREMENT.findall((ROOT / lock).read_text(encoding="utf-8"))) for lock in LOCKS)
    assert {name: version for name, version in runs.items() if tests.get(name) != version} == {}


def test_no_package_at_run_time_has_a_licence_that_binds_whoever_runs_it() -> None:
    bound = {name: licences for name in _names() if (licences := _licences(name)) and BINDING.search(licences)}
    assert bound == {}
    assert sum(bool(_licences(name)) for name in _names()) > 60  # the licences were really read


def test_a_binding_licence_would_be_seen() -> None:
    for licence in (
        "GPL-3.0-only",
        "AGPL-3.0",
        "GNU General Public License v2 (GPLv2)",
        "GNU Affero General Public License",
    ):
        assert BINDING.search(licence), licence
    for licence in ("LGPL-3.0-only", "GNU Lesser General Public License v3 (LGPLv3)", "MIT", "MPL-2.0"):
        assert not BINDING.search(licence), licence


@pytest.mark.parametrize("name", NEEDED)
def test_versions_with_a_weakness_that_we_know_of_are_not_pinned(name: str) -> None:
    pinned = dict(REQUIREMENT.findall((ROOT / "requirements.lock").read_text(encoding="utf-8")))[name]
    assert tuple(int(part) for part in re.findall(r"\d+", pinned)) >= NEEDED[name]


@pytest.mark.parametrize(
    ("packages", "code", "said"),
    [
        ([{"name": "a", "version": "1", "vulns": []}], 0, "1 packages asked about, fine"),
        ([{"name": "a", "version": "1", "vulns": [{"id": "X-1", "fix_versions": ["2"]}]}], 1, "a 1: X-1, mended in 2"),
        ([{"name": "a", "version": "1", "vulns": [{"id": "X-1", "fix_versions": []}]}], 0, "mended in none yet"),
        (
            [{"name": "a", "skip_reason": "?"}, {"name": "b", "skip_reason": "?"}],
            0,
            "skipped, the index knew nothing of 2 of 2",
        ),
        (
            [{"name": "a", "skip_reason": "?"}, *({"name": n, "version": "1", "vulns": []} for n in "bcd")],
            0,
            "a: the index knows nothing of it",
        ),
    ],
)
def test_an_audit_fails_on_what_can_be_mended_and_never_passes_unasked(
    packages: list[dict[str, Any]], code: int, said: str
) -> None:
    judged: Judged = runpy.run_path(str(ROOT / ".ci" / "audit"))["judged"]
    found, lines = judged("requirements.lock", packages)
    assert found == code and said in "\n".join(lines)


def _names() -> list[str]:
    return [name for name, _ in REQUIREMENT.findall((ROOT / "requirements.lock").read_text(encoding="utf-8"))]


def _licences(name: str) -> str:
    """Return all that a package says of its licence in a line; nothing for one that is of another system."""
    try:
        known = importlib.metadata.metadata(name)
    except importlib.metadata.PackageNotFoundError:
        return ""
    kinds = [kind for kind in known.get_all("Classifier") or [] if kind.startswith("License")]
    return "; ".join([known.get("License-Expression") or (known.get("License") or "").partition("\n")[0][:200], *kinds])
