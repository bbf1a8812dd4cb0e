"""Reporters' identities: encrypted at rest, sealed in transit, looked up by keyed hashes.

Threats: a stolen database (identities are encrypted with keys outside it; user names and e-mail addresses are stored as
keyed hashes), a reader of the broker's messages (registrations, log-ins and identities are sealed), a stolen key (keys
rotate: the first key of the ring encrypts, all decrypt). Stored and sent identities are padded to hide their length.
"""

import hashlib
import hmac
import json
from datetime import datetime
from typing import Any

from cryptography.fernet import Fernet, MultiFernet

from nkk.messaging.boxes import Call, UnreadableBoxError, open_box
from nkk.messaging.host import DependencyProvider
from nkk.settings import (
    NKK_IDENTITY_KEYS,
    NKK_INTAKE_PRIVATE_KEY,
    NKK_LOGIN_INDEX_KEY,
    NKK_NOTIFICATION_PUBLIC_KEY,
    NKK_TOKEN_SIGNING_KEY,
)
from nkk.sop import text
from nkk.sop.mailbox import canonical, postbox_of
from nkk.trust.sealing import IDS, CannotOpenError, padded, seal, unseal

SMALLEST_IDENTITY = 1_024
"""The least number of bytes that an identity is padded to before encryption, so that its length reveals nothing."""


class Vault:
    """Intake's keys: the identity key ring, the key of the hashes, its private key, and notification's public key."""

    def __init__(self, identity_keys: list[str], index_key: str, private_key: str, contact_key: str) -> None:
        self._ring = MultiFernet([Fernet(key) for key in identity_keys])
        self._index_key = index_key.encode()
        self._private_key = private_key
        self._contact_key = contact_key

    def encrypt(self, identity: dict[str, Any]) -> str:
        """Encrypt `identity`, padded, with the newest key."""
        return self._ring.encrypt(padded(identity, SMALLEST_IDENTITY)).decode()

    def decrypt(self, token: str) -> dict[str, Any]:
        """Decrypt the identity in `token`. Raises cryptography's InvalidToken where no key of the ring fits."""
        return json.loads(self._ring.decrypt(token.encode()))

    def reencrypt(self, token: str) -> str:
        """Re-encrypt the identity with the newest key, padded, which identities of earlier versions are not."""
        return self.encrypt(self.decrypt(token))

    def login_index(self, username: str) -> str:
        """Return the hash by which a user name is looked up: HMAC-SHA256 with a key that is not in the database."""
        return hmac.new(self._index_key, text.user_name(username).encode(), hashlib.sha256).hexdigest()

    def address_index(self, email: str) -> str:
        """Return the hash by which an e-mail address is looked up, ignoring case."""
        return self.hidden("address", canonical(email).lower())

    def postbox_index(self, email: str) -> str:
        """Return the hash by which codes to an e-mail address are counted, the same for its different spellings."""
        return self.hidden("postbox", postbox_of(email))

    def barred(self, nip: str) -> str:
        """Return the hash of a NIP, by which a report about somebody is hidden from that person's staff accounts."""
        return self.hidden("nip", nip)

    def hidden(self, *parts: str) -> str:
        """Return `parts` as the key of a row that does not reveal them: HMAC-SHA256 with the key of the hashes."""
        return hmac.new(self._index_key, "\0".join(parts).encode(), hashlib.sha256).hexdigest()

    def open(self, box: Any, method: str, now: datetime) -> Call:
        """Open the gateway's sealed call of `method`. Raises UnreadableBoxError or StaleBoxError."""
        return open_box(box, self._private_key, method, now)

    def opened(self, box: str) -> dict[str, Any]:
        """Return what the gateway sealed within a call that is not sealed itself. Raises UnreadableBoxError."""
        try:
            return unseal(box, self._private_key)
        except CannotOpenError as error:
            raise UnreadableBoxError("A sealed field cannot be opened.") from error

    def seal_for_notification(self, content: dict[str, Any]) -> str:
        """Seal `content`, such as an e-mail address, for the notification service."""
        return seal(content, self._contact_key)

    def seal_reporter(self, ticket: str, reporter_id: str) -> str:
        """Seal a report's reporter for the notification service. The ticket inside binds it to this report."""
        return seal({"ticket": ticket, "reporter_id": reporter_id}, self._contact_key, IDS)


class VaultProvider(DependencyProvider):
    """The provider that gives each worker the Vault."""

    def setup(self) -> None:
        self._vault = Vault(
            identity_keys=NKK_IDENTITY_KEYS.get(),
            index_key=NKK_LOGIN_INDEX_KEY.get(),
            private_key=NKK_INTAKE_PRIVATE_KEY.get(),
            contact_key=NKK_NOTIFICATION_PUBLIC_KEY.get(),
        )

    def get_dependency(self, worker_ctx: Any) -> Vault:
        return self._vault


class SigningKeyProvider(DependencyProvider):
    """The provider that gives each worker the key that signs access tokens."""

    def setup(self) -> None:
        self._key = NKK_TOKEN_SIGNING_KEY.get()

    def get_dependency(self, worker_ctx: Any) -> str:
        return self._key
