"""Certificates for servers on this machine: self-signed ones, and those of an authority made here."""

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ops.stack.ports import LOOPBACK


def own_certificate(folder: Path, host: str = LOOPBACK, lasts: timedelta = timedelta(days=1)) -> tuple[Path, Path]:
    """Create a certificate for a server at the address `host`; return (certificate, key) as files in `folder`.

    It was issued two days ago, and expires after `lasts` from now.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _certificate("localhost", key, lasts).add_extension(
        x509.SubjectAlternativeName([_host(host)]), critical=False
    )
    return _written(folder, certificate.issuer_name(_name("localhost")).sign(key, hashes.SHA256()), key)


@dataclass(frozen=True)
class Authority:
    """A certificate authority that signs with an intermediate certificate, as most do."""

    file: Path
    intermediate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @classmethod
    def new(cls, folder: Path) -> "Authority":
        """Create one, whose own certificate is a file in `folder`."""
        key, between = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        is_authority = x509.BasicConstraints(ca=True, path_length=None)
        root, intermediate = (
            _certificate(name, each, timedelta(days=2))
            .issuer_name(_name("authority"))
            .add_extension(is_authority, critical=True)
            .sign(key, hashes.SHA256())
            for name, each in (("authority", key), ("between", between))
        )
        file = folder / "authority.pem"
        file.write_bytes(root.public_bytes(serialization.Encoding.PEM))
        return cls(file, intermediate, between)

    def sign(self, folder: Path, host: str, lasts: timedelta = timedelta(days=1)) -> tuple[Path, Path]:
        """Create a certificate for `host`; return (certificate with its chain, key) as files in `folder`."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = (
            _certificate(host, key, lasts)
            .issuer_name(self.intermediate.subject)
            .add_extension(x509.SubjectAlternativeName([_host(host)]), critical=False)
            .sign(self.key, hashes.SHA256())
        )
        return _written(folder, certificate, key, self.intermediate)


def _certificate(name: str, key: ec.EllipticCurvePrivateKey, lasts: timedelta) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=2))
        .not_valid_after(now + lasts)
    )


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _written(
    folder: Path, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey, *chain: x509.Certificate
) -> tuple[Path, Path]:
    paths = folder / "certificate.pem", folder / "key.pem"
    paths[0].write_bytes(b"".join(each.public_bytes(serialization.Encoding.PEM) for each in (certificate, *chain)))
    paths[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return paths
