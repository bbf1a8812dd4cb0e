"""The certificate and key of the broker's listener with TLS, by which tools on other machines connect."""

import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from nkk.settings import (
    NKK_TOOLS_ADDRESS,
    NKK_TOOLS_CERTIFICATE,
    NKK_TOOLS_HOST,
    NKK_TOOLS_KEY,
    NKK_TOOLS_PORT,
    TOOLS,
    SettingsError,
    check,
)


@dataclass(frozen=True)
class Listener:
    """A listener with TLS at `address` and `port`; `host` is the name under which tools reach it."""

    certificate: str
    key: str
    address: str
    port: int
    host: str

    def check_free(self) -> None:
        """Raise SettingsError if nothing can listen there, such as because another program does."""
        try:
            with socket.create_server((self.address, self.port), family=_family(self.address)):
                return
        except OSError as error:
            raise SettingsError(
                [
                    f"NKK_TOOLS_PORT={self.port} cannot be used at NKK_TOOLS_ADDRESS={self.address}: {error.strerror}. "
                    "Write a free port, and an address of this machine."
                ]
            ) from None


def _family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def listener(environment: Mapping[str, str] | None = None) -> Listener | None:
    """Return the listener that the settings ask for, or None. Raises SettingsError where it could not work."""
    check(TOOLS, environment)
    certificate, key = NKK_TOOLS_CERTIFICATE.get(environment), NKK_TOOLS_KEY.get(environment)
    if not certificate and not key:
        return None
    if fault := _fault(certificate, key):
        raise SettingsError([fault])
    host = NKK_TOOLS_HOST.get(environment) or _first_name(certificate)
    if not host:
        raise SettingsError([f"NKK_TOOLS_CERTIFICATE={certificate} names no host: set NKK_TOOLS_HOST."])
    return Listener(certificate, key, NKK_TOOLS_ADDRESS.get(environment), NKK_TOOLS_PORT.get(environment), host)


def _fault(certificate: str, key: str) -> str:
    """Return what is wrong with the two, or nothing."""
    if not certificate or not key:
        is_set, missing = (NKK_TOOLS_KEY, NKK_TOOLS_CERTIFICATE) if key else (NKK_TOOLS_CERTIFICATE, NKK_TOOLS_KEY)
        return f"{missing.name} is not set, and {is_set.name} is: the listener for tools needs both."
    try:
        found = x509.load_pem_x509_certificates(Path(certificate).read_bytes())[0]
    except (ValueError, IndexError):
        return f"NKK_TOOLS_CERTIFICATE={certificate} is no certificate in PEM, followed by its chain."
    try:
        private = load_pem_private_key(Path(key).read_bytes(), None)
    except (ValueError, TypeError):
        return f"NKK_TOOLS_KEY={key} is no private key in PEM without a passphrase."
    if private.public_key() != found.public_key():
        return f"NKK_TOOLS_KEY={key} is not the key of NKK_TOOLS_CERTIFICATE={certificate}."
    now = datetime.now(UTC)
    if now > found.not_valid_after_utc:
        return f"NKK_TOOLS_CERTIFICATE={certificate} expired on {found.not_valid_after_utc:%Y-%m-%d}: renew it."
    if now < found.not_valid_before_utc:
        return f"NKK_TOOLS_CERTIFICATE={certificate} is not valid before {found.not_valid_before_utc:%Y-%m-%d}."
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
    except ssl.SSLError as error:
        return f"NKK_TOOLS_CERTIFICATE={certificate} cannot be used for TLS: {error.reason or error}."
    return ""


def _first_name(certificate: str) -> str:
    found = x509.load_pem_x509_certificates(Path(certificate).read_bytes())[0]
    try:
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ""
    hosts = [name for name in names.get_values_for_type(x509.DNSName) if not name.startswith("*")]
    return next(iter([*hosts, *map(str, names.get_values_for_type(x509.IPAddress))]), "")
