"""Who signs passes: a Pass Type ID certificate of Apple's, or one of our own making for trying things out.

The signature is a detached PKCS#7 of the manifest with Apple's intermediate (WWDR) certificate and the signing time in it.
A pass that we signed by our own certificate downloads and verifies against our own root; a real iPhone refuses it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from profiles.secret import Secret

if TYPE_CHECKING:  # 10 MB of memory: loaded by who signs
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import rsa

Sign = Callable[[bytes], bytes]
OWN_FOR = timedelta(days=3650)
PEM = b"-----BEGIN"
WARN_BEFORE = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Papers:
    """What signs, as PEM texts."""

    certificate: str
    key: str
    above: str
    """The certificate above it: Apple's WWDR, or the root that we made."""

    def __repr__(self) -> str:
        return "Papers(****)"


@dataclass(frozen=True, slots=True)
class Named:
    """What a certificate says of itself."""

    pass_type: str
    team: str
    ends_at: datetime


def read_papers(certificate: Path, key: Path, above: Path, password: Secret) -> Papers:
    """Return what three files hold, PEM or DER, the key without its password. Raises ValueError naming the file."""
    from cryptography.hazmat.primitives.serialization import Encoding

    signs, over = _certificate(certificate), _certificate(above)
    private = _key(key, password)
    if signs.public_key() != private.public_key():
        raise ValueError(f"{key}: expected the key of {certificate.name}, got another one's")
    if signs.issuer != over.subject:
        name = signs.issuer.rfc4514_string()
        raise ValueError(f"{above}: expected the certificate that {certificate.name} was issued by: {name}")
    return Papers(signs.public_bytes(Encoding.PEM).decode(), _pem_of(private), over.public_bytes(Encoding.PEM).decode())


def is_pem(path: Path) -> bool:
    """Return whether a certificate's file is PEM, as TLS wants it. Raises ValueError for a file that can not be read."""
    return PEM in _read(path)


def named(papers: Papers) -> Named:
    """Return whose passes these papers sign: Apple writes the pass type as UID and the team as OU of the subject."""
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    signs = x509.load_pem_x509_certificate(papers.certificate.encode())

    def said(oid: x509.ObjectIdentifier) -> str:
        return next((str(one.value) for one in signs.subject.get_attributes_for_oid(oid)), "")

    return Named(said(NameOID.USER_ID), said(NameOID.ORGANIZATIONAL_UNIT_NAME), signs.not_valid_after_utc)


def signer(papers: Papers) -> Sign:
    """Return what signs a manifest with these papers; loads the libraries once."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.serialization import pkcs7

    certificate = x509.load_pem_x509_certificate(papers.certificate.encode())
    above = x509.load_pem_x509_certificate(papers.above.encode())
    key = serialization.load_pem_private_key(papers.key.encode(), password=None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError("expected an RSA key: Apple issues pass certificates for no other")
    options = [pkcs7.PKCS7Options.DetachedSignature, pkcs7.PKCS7Options.Binary]

    def sign(manifest: bytes) -> bytes:
        builder = pkcs7.PKCS7SignatureBuilder().set_data(manifest).add_signer(certificate, key, hashes.SHA256())
        return builder.add_certificate(above).sign(serialization.Encoding.DER, options)

    return sign


def self_made(pass_type: str, team: str, *, now: datetime) -> Papers:
    """Return a root of our own and a pass certificate below it, named as Apple names its own. Takes half a second."""
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.x509.oid import NameOID

    root_key, key = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2))
    root = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Causerie try-out root (not Apple's)")])
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.USER_ID, pass_type),
            x509.NameAttribute(NameOID.COMMON_NAME, f"Pass Type ID (try-out): {pass_type}"[:64]),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, team),
        ]
    )
    above = _issued(root, root, root_key, root_key, now=now, is_root=True)
    certificate = _issued(subject, root, key, root_key, now=now, is_root=False)
    return Papers(
        certificate.public_bytes(Encoding.PEM).decode(), _pem_of(key), above.public_bytes(Encoding.PEM).decode()
    )


def _issued(
    subject: "x509.Name", issuer: "x509.Name", key: "rsa.RSAPrivateKey", by: "rsa.RSAPrivateKey", *, now: datetime,
    is_root: bool,
) -> "x509.Certificate":  # fmt: skip
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    usage = x509.KeyUsage(
        digital_signature=True, key_cert_sign=is_root, crl_sign=is_root, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + OWN_FOR)
        .add_extension(x509.BasicConstraints(ca=is_root, path_length=None), critical=True)
        .add_extension(usage, critical=True)
    )
    return builder.sign(by, hashes.SHA256())


def _certificate(path: Path) -> "x509.Certificate":
    from cryptography import x509

    content = _read(path)
    try:
        if PEM in content:
            return x509.load_pem_x509_certificate(content)
        return x509.load_der_x509_certificate(content)
    except ValueError as error:
        raise ValueError(f"{path}: expected a certificate, PEM or DER (.cer)") from error


def _key(path: Path, password: Secret) -> "rsa.RSAPrivateKey":
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    content = _read(path)
    try:
        key = serialization.load_pem_private_key(content, password.reveal().encode() if password else None)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path}: expected a private key in PEM that key_password opens") from error
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError(f"{path}: expected an RSA key: Apple issues pass certificates for no other")
    return key


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ValueError(f"{path}: can not be read: {error.strerror}") from error


def _pem_of(key: "rsa.RSAPrivateKey") -> str:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
