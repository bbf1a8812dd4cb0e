"""What notification keeps and shows in the place of ids that would tell who wrote what.

Threats: a copy of the database (it is not to say which two reports have one author, nor whose account wrote one), and
the logs of mail servers, which keep Message-IDs beside addresses. Every hash is HMAC-SHA256 under a key that is in no
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
    """Notification's private key, and what is counted from it."""

    def __init__(self, private_key: str) -> None:
        self._private_key = private_key
        self._public_key = public_key_of(private_key)
        self._key = _derived(private_key, b"nkk notification: hashes of ids")
        self._hiding = AESGCM(_derived(private_key, b"nkk notification: what is hidden"))

    def author(self, ticket: str, reporter_id: str) -> str:
        """What says of a complaint that a caller wrote it: another for each complaint, so that no two lead to one."""
        return self._hash("author", ticket, reporter_id)

    def reporter(self, reporter_id: str) -> str:
        """What a reporter's contact is kept under."""
        return self._hash("reporter", reporter_id)

    def postbox(self, email: str) -> str:
        """What is counted at an address, however that is written, is kept under."""
        return self._hash("postbox", postbox_of(email))

    def farewells(self, email: str) -> str:
        """Return what letters that tell an address that it was replaced are counted under."""
        return self._hash("farewells", postbox_of(email))

    def seal_farewell(self, sealed_contact: str, reporter: str, since: datetime) -> str:
        """Return the box of such a letter: the address, and which account (a keyed hash) was reached there since when.
        A box that cannot be opened now is kept as it is."""
        try:
            email = unseal(sealed_contact, self._private_key)["email"]
        except (CannotOpenError, KeyError):
            return sealed_contact
        return seal({"email": email, "account": reporter, "since": write_instant(since)}, self._public_key)

    def hidden(self, name: str, content: bytes) -> str:
        """`content` that nobody else can read, or put under another `name`."""
        nonce = os.urandom(_NONCE)
        return b64encode(nonce + self._hiding.encrypt(nonce, content, name.encode())).decode()

    def shown(self, name: str, hidden: str) -> bytes:
        """What was hidden under `name`. Raises CannotOpenError."""
        try:
            whole = b64decode(hidden)
            return self._hiding.decrypt(whole[:_NONCE], whole[_NONCE:], name.encode())
        except (InvalidTag, ValueError):
            raise CannotOpenError("hidden with another key, or under another name") from None

    def message_id(self, id_: str) -> str:
        """The Message-ID of a letter: its second copy has the same, and it leads to no row and no line of a log."""
        return self._hash("message", id_)[:32]

    def open_reporter(self, sealed_reporter: str, ticket: str) -> str:
        """The reporter id in the box that intake sealed for `ticket`. Raises CannotOpenError, also where the box was
        sealed for another complaint: whoever could exchange boxes would have letters go elsewhere."""
        match unseal(sealed_reporter, self._private_key):
            case {"ticket": str(about), "reporter_id": str(reporter_id)} if about == ticket:
                return reporter_id
        raise CannotOpenError("the box was sealed for another complaint")

    def seal_reporter(self, ticket: str, reporter_id: str) -> str:
        """The box that intake would have sealed: for what was heard before it did."""
        return seal({"ticket": ticket, "reporter_id": reporter_id}, self._public_key, IDS)

    def _hash(self, *of: str) -> str:
        return hmac.new(self._key, json.dumps(of).encode(), hashlib.sha256).hexdigest()


def _derived(private_key: str, purpose: bytes) -> bytes:
    return HKDF(SHA256(), 32, None, purpose).derive(b64decode(private_key))


class KeyedProvider(DependencyProvider):
    """Gives each worker the Keyed."""

    def setup(self) -> None:
        self._keyed = Keyed(NKK_NOTIFICATION_PRIVATE_KEY.get())

    def get_dependency(self, worker_ctx: object) -> Keyed:
        return self._keyed
