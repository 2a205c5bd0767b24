"""A phone with a wallet, played: it installs what it downloads, checks it, registers, and asks for what is new as iPhones do."""

import hashlib
import io
import json
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import aiohttp

MIME = "application/vnd.apple.pkpass"
Files = dict[str, bytes]


class NotGood(Exception):
    """A pass that a device would refuse, and why."""


def opened(package: bytes) -> Files:
    """Return the files of a .pkpass, every digest of its manifest checked. Raises NotGood."""
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    manifest = json.loads(files["manifest.json"])
    there = set(files) - {"manifest.json", "signature"}
    if set(manifest) != there:
        raise NotGood(f"manifest {sorted(set(manifest) ^ there)}")
    for name, digest in manifest.items():
        if hashlib.sha1(files[name], usedforsecurity=False).hexdigest() != digest:
            raise NotGood(f"digest of {name}")
    if "icon.png" not in files:
        raise NotGood("no icon")
    return files


def verified(openssl: str, files: Files, root: bytes, folder: Path) -> str:
    """Return the certificates of a signature that openssl finds good for the manifest and this root. Raises NotGood."""
    for name in ("manifest.json", "signature"):
        (folder / name).write_bytes(files[name])
    (folder / "root.pem").write_bytes(root)
    verify = [openssl, "cms", "-verify", "-binary", "-inform", "DER", "-in", "signature", "-content", "manifest.json",
              "-CAfile", "root.pem", "-purpose", "any", "-out", "/dev/null"]  # fmt: skip
    judged = subprocess.run(verify, cwd=folder, capture_output=True, text=True, check=False)
    if judged.returncode:
        raise NotGood(judged.stderr)
    show = [openssl, "cms", "-cmsout", "-print", "-inform", "DER", "-in", "signature"]
    return subprocess.run(show, cwd=folder, capture_output=True, text=True, check=True).stdout


def words(files: Files, language: str) -> dict[str, str]:
    """Return pass.strings of a language, read as Apple's tools read it: "key" = "value"; a line each."""
    found: dict[str, str] = {}
    for line in files[f"{language}.lproj/pass.strings"].decode().splitlines():
        key, _, value = line.removesuffix(";").partition(" = ")
        found[json.loads(key)] = json.loads(value)
    return found


class Device:
    """One phone. `passes` is what it shows: serial -> pass.json."""

    def __init__(self, http: aiohttp.ClientSession, id: str = "d0" * 16, push_token: str = "ab" * 32) -> None:
        self.id, self.push_token, self._http = id, push_token, http
        self.passes: dict[str, dict[str, Any]] = {}
        self.tag = ""
        self.told: list[str] = []
        """What its lock screen said."""
        self._modified: dict[str, str] = {}

    async def install(self, package: bytes) -> int:
        """Add a downloaded pass and register for it, and return the status of that."""
        files = opened(package)
        told = json.loads(files["pass.json"])
        self.passes[told["serialNumber"]] = told
        return await self.register(told)

    async def register(self, told: dict[str, Any], *, token: str = "") -> int:
        async with self._http.post(
            self._registration(told), json={"pushToken": self.push_token}, headers=self._shown(told, token)
        ) as answer:
            return answer.status

    async def unregister(self, told: dict[str, Any], *, token: str = "") -> int:
        async with self._http.delete(self._registration(told), headers=self._shown(told, token)) as answer:
            return answer.status

    async def changed(self, told: dict[str, Any], since: str | None = None) -> dict[str, Any] | None:
        """Return which of its passes changed; None: none did (204)."""
        since = self.tag if since is None else since
        url = self._registration(told).rpartition("/")[0]
        async with self._http.get(url, params={"passesUpdatedSince": since} if since else {}) as answer:
            assert answer.status in (200, 204), answer.status
            return await answer.json() if answer.status == 200 else None

    async def fetch(self, told: dict[str, Any], *, token: str = "", since: str = "") -> tuple[int, bytes]:
        """Return the status and the latest pass."""
        url = f"{told['webServiceURL']}/v1/passes/{told['passTypeIdentifier']}/{told['serialNumber']}"
        headers = self._shown(told, token) | ({"If-Modified-Since": since} if since else {})
        async with self._http.get(url, headers=headers) as answer:
            content = await answer.read()
            if answer.status == 200:
                assert answer.content_type == MIME
                self._modified[told["serialNumber"]] = answer.headers["Last-Modified"]
            return answer.status, content

    async def wake(self) -> list[str]:
        """Do what a push makes a phone do: ask what changed, fetch it, show it. Return the serials that were fetched anew."""
        known = next(iter(self.passes.values()))
        changed = await self.changed(known)
        if changed is None:
            return []
        fetched = []
        for serial in changed["serialNumbers"]:
            before = self.passes[serial]
            status, package = await self.fetch(before, since=self._modified.get(serial, ""))
            assert status in (200, 304), status
            if status == 200:
                after = json.loads(opened(package)["pass.json"])
                self.told += said(before, after)
                self.passes[serial] = after
                fetched.append(serial)
        self.tag = changed["lastUpdated"]
        return fetched

    def _registration(self, told: dict[str, Any]) -> str:
        of = f"{told['passTypeIdentifier']}/{told['serialNumber']}"
        return f"{told['webServiceURL']}/v1/devices/{self.id}/registrations/{of}"

    def _shown(self, told: dict[str, Any], token: str) -> dict[str, str]:
        return {"Authorization": f"ApplePass {token or told['authenticationToken']}"}


def fields(told: dict[str, Any]) -> dict[str, dict[str, str]]:
    """Return every field of a pass by its key."""
    style = next(told[name] for name in ("storeCard", "coupon", "eventTicket", "generic") if name in told)
    return {field["key"]: field for place in style.values() for field in place}


def said(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Return what the lock screen says when a pass changes: of each field whose value is another, its changeMessage."""
    old = fields(before)
    return [
        field["changeMessage"].replace("%@", field["value"])
        for key, field in fields(after).items()
        if "changeMessage" in field and field["value"] != old.get(key, {}).get("value")
    ]
