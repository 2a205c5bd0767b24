"""`make sbom`: every pinned package is in the document, with just the hashes that it is installed by, and who needs it."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


def written(lock: Path) -> dict[str, Any]:
    command = [sys.executable, str(ROOT / ".ci" / "sbom"), str(lock), str(ROOT / "pyproject.toml")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    document: dict[str, Any] = json.loads(done.stdout)
    return document


@pytest.fixture(scope="module")
def bill() -> dict[str, Any]:
    return written(ROOT / "requirements.lock")


def test_each_locked_package_is_listed_with_all_its_hashes(bill: dict[str, Any]) -> None:
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    pinned = re.findall(r"^(\S+)==(\S+)", lock, re.MULTILINE)
    assert len(pinned) > 50
    assert sorted((one["name"], one["version"]) for one in bill["components"]) == sorted(pinned)
    hashes = [one["content"] for package in bill["components"] for one in package["hashes"]]
    assert sorted(hashes) == sorted(re.findall(r"sha256:([0-9a-f]{64})", lock))
    assert all(package["hashes"] for package in bill["components"])


def test_it_says_who_needs_what_and_under_which_licence(bill: dict[str, Any]) -> None:
    needs = {one["ref"]: one["dependsOn"] for one in bill["dependencies"]}
    (motor,) = (one for one in bill["components"] if one["name"] == "motor")
    (pymongo,) = (one for one in bill["components"] if one["name"] == "pymongo")
    root = bill["metadata"]["component"]["bom-ref"]
    assert motor["purl"] in needs[root] and pymongo["purl"] in needs[motor["purl"]]
    assert all(ref in needs for some in needs.values() for ref in some), "no reference leads nowhere"
    licensed = [one for one in bill["components"] if one.get("licenses")]
    assert len(licensed) > len(bill["components"]) * 0.8
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")


def test_a_package_that_is_not_installed_has_no_invented_licence(tmp_path: Path) -> None:
    lock = tmp_path / "x.lock"
    hash = "0" * 64
    lock.write_text(
        f"nowhere==1.0 ; sys_platform == 'win32' \\\n    --hash=sha256:{hash}\n    # via\n    #   causerie (x)\n"
    )
    (one,) = written(lock)["components"]
    assert (one["name"], one["hashes"], "licenses" in one) == ("nowhere", [{"alg": "SHA-256", "content": hash}], False)
    assert one["properties"] == [{"name": "python:marker", "value": "sys_platform == 'win32'"}]
