"""Files as ciphertext: sealed chunk by chunk with a key of their own, which the ring of NKK_FILES_KEYS wraps.

XChaCha20-Poly1305 (libsodium). A content is stored in segments of 16 chunks, one object each. A segment begins with 15
random bytes; a chunk's nonce is those, the chunk's number within the content and whether it is the content's last. So
chunks can be neither exchanged nor left out, nor can a content be cut short, and a segment that is written again with
more bytes never repeats a nonce.
"""

import json
from base64 import urlsafe_b64decode
from collections.abc import Iterator, Sequence
from typing import Any

from nacl.bindings import (
    crypto_aead_xchacha20poly1305_ietf_decrypt,
    crypto_aead_xchacha20poly1305_ietf_encrypt,
)
from nacl.exceptions import CryptoError
from nacl.utils import random

CHUNK = 64 * 1024
IN_SEGMENT = 16
SEGMENT = IN_SEGMENT * CHUNK
"""The bytes of a whole segment, before they are sealed."""

TAG, NONCE, KEY = 16, 24, 32
PREFIX = 16
"""The first bytes of a segment: its version, and the random part of its nonces."""

VERSION = b"\x01"
WRAPPED = NONCE + KEY + TAG
HEADER = 1024
"""The padded length of a header's facts; longer ones take a multiple of it, so that it tells nothing of a name."""


class DamagedError(Exception):
    """What lies in the store was changed, is cut short or was sealed with another key."""


def sealed_size(plain: int) -> int:
    """Return the bytes of a segment that holds `plain` bytes."""
    return PREFIX + plain + TAG * max(1, -(-plain // CHUNK))


def plain_size(sealed: int) -> int:
    """Return the bytes in a segment of `sealed` bytes."""
    whole, rest = divmod(max(0, sealed - PREFIX), CHUNK + TAG)
    return whole * CHUNK + max(0, rest - TAG)


def seal_segment(key: bytes, about: bytes, number: int, plain: bytes | bytearray, ends: bool) -> bytes:
    """Return the segment `number` of the content `about`; `ends` where the content ends with it."""
    prefix = VERSION + random(PREFIX - 1)
    sealed = bytearray(prefix)
    starts = range(0, max(1, len(plain)), CHUNK)
    for count, start in enumerate(starts, number * IN_SEGMENT):
        nonce = _nonce(prefix, count, ends and start == starts[-1])
        chunk = bytes(memoryview(plain)[start : start + CHUNK])
        sealed += crypto_aead_xchacha20poly1305_ietf_encrypt(chunk, about, nonce, key)
    return bytes(sealed)


def open_chunks(key: bytes, about: bytes, prefix: bytes, sealed: bytes, first: int, last: int) -> Iterator[bytes]:
    """Yield the chunks in `sealed`, of a segment with this `prefix`, from the content's chunk `first` on.

    `last` is the number of the content's last chunk, or -1 while its end is not there. Raises DamagedError.
    """
    if prefix[:1] != VERSION or len(prefix) != PREFIX:
        raise DamagedError("not a segment of this version")
    for count, start in enumerate(range(0, len(sealed), CHUNK + TAG), first):
        yield _opened(sealed[start : start + CHUNK + TAG], about, _nonce(prefix, count, count == last), key)


def seal_header(ring: Sequence[bytes], about: bytes, key: bytes, facts: dict[str, Any]) -> bytes:
    """Return a file's header: its key, wrapped with the newest of the `ring`, and `facts` sealed with that key."""
    written = json.dumps(facts).encode()
    wrapped = _sealed(key, about, ring[0])
    return VERSION + wrapped + _sealed(written.ljust(-(-len(written) // HEADER) * HEADER), about, key)


def open_header(ring: Sequence[bytes], about: bytes, header: bytes) -> tuple[bytes, dict[str, Any]]:
    """Return the key and the facts in `header`. Raises DamagedError."""
    key = unwrapped(ring, about, header)[0]
    facts: dict[str, Any] = json.loads(_unsealed(header[1 + WRAPPED :], about, key))
    return key, facts


def unwrapped(ring: Sequence[bytes], about: bytes, header: bytes) -> tuple[bytes, int]:
    """Return the file's key in `header`, and which key of the `ring` wraps it, counted from 0. Raises DamagedError."""
    if header[:1] != VERSION:
        raise DamagedError("not a header of this version")
    for number, outer in enumerate(ring):
        try:
            return _unsealed(header[1 : 1 + WRAPPED], about, outer), number
        except DamagedError:
            continue
    raise DamagedError("no key of NKK_FILES_KEYS opens it")


def ring_of(keys: Sequence[str]) -> list[bytes]:
    """Return the keys of NKK_FILES_KEYS as bytes."""
    return [urlsafe_b64decode(key) for key in keys]


def new_key() -> bytes:
    """Return a new key of a file."""
    return random(KEY)


def _nonce(prefix: bytes, count: int, is_last: bool) -> bytes:
    return prefix[1:] + count.to_bytes(8, "big") + bytes([is_last])


def _sealed(plain: bytes, about: bytes, key: bytes) -> bytes:
    nonce = random(NONCE)
    return nonce + crypto_aead_xchacha20poly1305_ietf_encrypt(plain, about, nonce, key)


def _unsealed(sealed: bytes, about: bytes, key: bytes) -> bytes:
    return _opened(sealed[NONCE:], about, sealed[:NONCE], key)


def _opened(sealed: bytes, about: bytes, nonce: bytes, key: bytes) -> bytes:
    try:
        return crypto_aead_xchacha20poly1305_ietf_decrypt(sealed, about, nonce, key)
    except (CryptoError, ValueError, TypeError) as error:
        raise DamagedError("it cannot be opened") from error
