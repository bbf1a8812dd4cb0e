"""The secrets of an installation, generated once and kept outside the repository."""

import secrets
from base64 import b64encode

from cryptography.fernet import Fernet
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from nkk.trust.sealing import new_key_pair

_TOKENS = ("NKK_TOKEN_PUBLIC_KEY",)
NEEDED = {
    "intake": (
        "NKK_TOKEN_SIGNING_KEY",
        "NKK_IDENTITY_KEYS",
        "NKK_LOGIN_INDEX_KEY",
        "NKK_INTAKE_PRIVATE_KEY",
        "NKK_NOTIFICATION_PUBLIC_KEY",
        *_TOKENS,
    ),
    "triage": _TOKENS,
    "opd_response": _TOKENS,
    "notification": ("NKK_NOTIFICATION_PRIVATE_KEY", *_TOKENS),
    "gateway": ("NKK_INTAKE_PUBLIC_KEY", "NKK_SITE_KEY", "NKK_FILES_KEYS", *_TOKENS),
    "webhooks": ("NKK_WEBHOOKS_KEYS",),
}
"""The keys that each process is given. It is given no others, because it can leak only what it has."""

PASSWORDS = (
    "RABBITMQ_ADMIN_PASSWORD",
    "RABBITMQ_TOPOLOGY_PASSWORD",
    "RABBITMQ_INTAKE_PASSWORD",
    "RABBITMQ_TRIAGE_PASSWORD",
    "RABBITMQ_OPD_RESPONSE_PASSWORD",
    "RABBITMQ_NOTIFICATION_PASSWORD",
    "RABBITMQ_GATEWAY_PASSWORD",
    "RABBITMQ_ERLANG_COOKIE",
    "POSTGRES_PASSWORD",
    "POSTGRES_INTAKE_PASSWORD",
    "POSTGRES_TRIAGE_PASSWORD",
    "POSTGRES_OPD_RESPONSE_PASSWORD",
    "POSTGRES_NOTIFICATION_PASSWORD",
    "POSTGRES_WEBHOOKS_PASSWORD",
)
"""The passwords of broker users and database roles, and the cookie of the broker's node, for docker-compose.yml."""


def new_keys() -> dict[str, str]:
    """Generate a new set of the processes' keys."""
    signing, verifying = _token_keys()
    intake_private, intake_public = new_key_pair()
    notification_private, notification_public = new_key_pair()
    return {
        "NKK_TOKEN_SIGNING_KEY": signing,
        "NKK_TOKEN_PUBLIC_KEY": verifying,
        "NKK_IDENTITY_KEYS": Fernet.generate_key().decode(),
        "NKK_LOGIN_INDEX_KEY": b64encode(secrets.token_bytes(32)).decode(),
        "NKK_INTAKE_PRIVATE_KEY": intake_private,
        "NKK_INTAKE_PUBLIC_KEY": intake_public,
        "NKK_NOTIFICATION_PRIVATE_KEY": notification_private,
        "NKK_NOTIFICATION_PUBLIC_KEY": notification_public,
        "NKK_SITE_KEY": secrets.token_urlsafe(32),
        "NKK_FILES_KEYS": Fernet.generate_key().decode(),
        "NKK_WEBHOOKS_KEYS": Fernet.generate_key().decode(),
    }


def new_passwords() -> dict[str, str]:
    """Generate a new password for every broker user and database role, and a new cookie."""
    return {name: secrets.token_urlsafe(24) for name in PASSWORDS}


def _token_keys() -> tuple[str, str]:
    """Generate an Ed25519 key pair as PEM, each on one line with escaped line ends (`\\n`), for environment files."""
    private = Ed25519PrivateKey.generate()
    signing = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    verifying = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return signing.decode().replace("\n", "\\n"), verifying.decode().replace("\n", "\\n")
