"""Keyed hashes and encryption for ids that would reveal who wrote a complaint.

Threats: a copy of the database, which must not reveal which reports have the same author or whose account wrote one,
and the logs of mail servers, which hold Message-IDs with addresses. Every hash is HMAC-SHA256 with a key that is in no
database: it is derived from notification's private key, which opens the sealed boxes anyway.
"""

import hashlib
import hmac
import json
import os
from base64 import b64decode, b64encode
from datetime import datetime

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from nkk.messaging.host import DependencyProvider
from nkk.settings import NKK_NOTIFICATION_PRIVATE_KEY
from nkk.sop.clock import write_instant
from nkk.sop.mailbox import postbox_of
from nkk.trust.sealing import IDS, CannotOpenError, public_key_of, seal, unseal

_NONCE = 12


class Keyed:
    """Notification's private key, and the hashes and encryption derived from it."""

    def __init__(self, private_key: str) -> None:
        self._private_key = private_key
        self._public_key = public_key_of(private_key)
        self._key = _derived(private_key, b"nkk notification: hashes of ids")
        self._hiding = AESGCM(_derived(private_key, b"nkk notification: what is hidden"))

    def author(self, ticket: str, reporter_id: str) -> str:
        """Return the hash by which a complaint's author is recognised, another for each complaint against linking."""
        return self._hash("author", ticket, reporter_id)

    def reporter(self, reporter_id: str) -> str:
        """Return the hash under which a reporter's contact is stored."""
        return self._hash("reporter", reporter_id)

    def postbox(self, email: str) -> str:
        """Return the hash under which an address's counts are stored, the same for its different spellings."""
        return self._hash("postbox", postbox_of(email))

    def farewells(self, email: str) -> str:
        """Return the hash under which letters to an address about its replacement are counted."""
        return self._hash("farewells", postbox_of(email))

    def seal_farewell(self, sealed_contact: str, reporter: str, since: datetime) -> str:
        """Return the box of such a letter: the old address, its account (a keyed hash), and since when it was in use.

        A box that cannot be opened now is returned unchanged.
        """
        try:
            email = unseal(sealed_contact, self._private_key)["email"]
        except (CannotOpenError, KeyError):
            return sealed_contact
        return seal({"email": email, "account": reporter, "since": write_instant(since)}, self._public_key)

    def hidden(self, name: str, content: bytes) -> str:
        """Encrypt `content`, bound to `name`: it cannot be decrypted under another name."""
        nonce = os.urandom(_NONCE)
        return b64encode(nonce + self._hiding.encrypt(nonce, content, name.encode())).decode()

    def shown(self, name: str, hidden: str) -> bytes:
        """Decrypt what was hidden under `name`. Raises CannotOpenError."""
        try:
            whole = b64decode(hidden)
            return self._hiding.decrypt(whole[:_NONCE], whole[_NONCE:], name.encode())
        except (InvalidTag, ValueError):
            raise CannotOpenError("encrypted with another key, or under another name") from None

    def message_id(self, id_: str) -> str:
        """Return the Message-ID of a letter: the same for a second copy, and without a link to a row or a log line."""
        return self._hash("message", id_)[:32]

    def open_reporter(self, sealed_reporter: str, ticket: str) -> str:
        """Return the reporter id in the box that intake sealed for `ticket`. Raises CannotOpenError.

        A box sealed for another complaint is refused. Threat: exchanged boxes would redirect letters.
        """
        match unseal(sealed_reporter, self._private_key):
            case {"ticket": str(about), "reporter_id": str(reporter_id)} if about == ticket:
                return reporter_id
        raise CannotOpenError("the box was sealed for another complaint")

    def seal_reporter(self, ticket: str, reporter_id: str) -> str:
        """Seal a reporter id as intake does, for events from before intake did so."""
        return seal({"ticket": ticket, "reporter_id": reporter_id}, self._public_key, IDS)

    def _hash(self, *of: str) -> str:
        return hmac.new(self._key, json.dumps(of).encode(), hashlib.sha256).hexdigest()


def _derived(private_key: str, purpose: bytes) -> bytes:
    return HKDF(SHA256(), 32, None, purpose).derive(b64decode(private_key))


class KeyedProvider(DependencyProvider):
    """The provider that gives each worker the Keyed."""

    def setup(self) -> None:
        self._keyed = Keyed(NKK_NOTIFICATION_PRIVATE_KEY.get())

    def get_dependency(self, worker_ctx: object) -> Keyed:
        return self._keyed
