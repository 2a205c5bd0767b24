"""Tokens that providers can check: judged by PyJWT in a Python of its own, and by openssl."""

import base64
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from channels.jws import private_key, signed
from tests.needed import require_peer

CLAIMS = {"iss": "sender@example.iam", "iat": 1_795_000_000, "exp": 1_795_003_600, "scope": "é"}
JUDGE = """
import json, sys, jwt
said = json.load(sys.stdin)
options = {"verify_exp": False, "verify_iat": False}
print(json.dumps(jwt.decode(said["token"], said["public"], algorithms=[said["algorithm"]], options=options)))
"""


def pair(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> tuple[str, str]:
    pkcs8 = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return key.private_bytes(*pkcs8).decode(), public.decode()


KEYS = {"RS256": pair(rsa.generate_private_key(65537, 2048)), "ES256": pair(ec.generate_private_key(ec.SECP256R1()))}


@pytest.mark.parametrize("algorithm", KEYS)
def test_another_library_reads_what_was_signed(algorithm: str) -> None:
    private, public = KEYS[algorithm]
    token = signed(CLAIMS, private_key(private), key_id="k1")
    asked = json.dumps({"token": token, "public": public, "algorithm": algorithm})
    judged = subprocess.run([sys.executable, "-c", JUDGE], input=asked, capture_output=True, text=True, check=True)
    assert json.loads(judged.stdout) == CLAIMS
    head = token.split(".")[0]
    assert json.loads(base64.urlsafe_b64decode(head + "==")) == {"alg": algorithm, "typ": "JWT", "kid": "k1"}


def test_openssl_agrees_with_an_rsa_signature(tmp_path: Path) -> None:
    openssl = shutil.which("openssl")
    require_peer("openssl", openssl, "Install the package openssl.")
    private, public = KEYS["RS256"]
    text, _, signature = signed(CLAIMS, private_key(private)).rpartition(".")
    (tmp_path / "public.pem").write_text(public)
    (tmp_path / "signature").write_bytes(base64.urlsafe_b64decode(signature + "=="))
    (tmp_path / "text").write_text(text)
    command = [openssl, "dgst", "-sha256", "-verify", "public.pem", "-signature", "signature", "text"]
    assert "OK" in subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("text", ["", "no key at all", "-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----"])
def test_what_is_no_key_is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(ValueError, match="expected a private key") as refused:
        private_key(text)
    assert "abc" not in str(refused.value)


def test_a_key_too_weak_or_of_another_curve_is_refused() -> None:
    for key in (rsa.generate_private_key(65537, 1024), ec.generate_private_key(ec.SECP384R1())):
        with pytest.raises(ValueError, match="2048 bits or more, or a P-256"):
            private_key(pair(key)[0])
