"""A file's content in the store: written from beginning to end, also in several goes, and read from anywhere."""

from collections.abc import Iterator

from gateway.files.sealing import (
    CHUNK,
    IN_SEGMENT,
    PREFIX,
    SEGMENT,
    TAG,
    DamagedError,
    open_chunks,
    plain_size,
    seal_segment,
    sealed_size,
)
from gateway.files.stores import Store


class Content:
    """The content `name` of a file: `came` as it arrived, or what is kept of it, or its preview."""

    def __init__(self, store: Store, id: str, name: str, key: bytes) -> None:
        self._store, self._key = store, key
        self._folder, self._name = f"files/{id}", name
        self._about = f"{id}/{name}".encode()

    def stored(self) -> int:
        """Return how many bytes are in the store."""
        sizes = self._store.sizes(self._folder)
        count = 0
        while (size := sizes.get(self._object(count))) == sealed_size(SEGMENT):
            count += 1
        return count * SEGMENT + plain_size(size or 0)

    def read(self, start: int, stop: int, size: int) -> Iterator[bytes]:
        """Yield the bytes from `start` to before `stop` of a content that has `size` whole.

        No more is opened than the chunks that hold them. Raises MissingError or DamagedError.
        """
        last = max(0, -(-size // CHUNK) - 1)
        while start < stop:
            number, within = divmod(start, SEGMENT)
            ends = min(stop - number * SEGMENT, SEGMENT)
            for chunk in self._chunks(number, within // CHUNK, -(-ends // CHUNK), last):
                offset = start % CHUNK
                piece = chunk[offset : offset + stop - start]
                if not piece:
                    raise DamagedError("it is cut short")
                yield piece
                start += len(piece)

    def all_of(self, size: int) -> bytes:
        """Return the whole of a small content. Raises MissingError or DamagedError."""
        return b"".join(self.read(0, size, size))

    def begun(self, number: int, length: int | None) -> bytes:
        """Return what the segment `number`, perhaps not whole, holds of a content that is to have `length` bytes."""
        sealed = self._store.get(f"{self._folder}/{self._object(number)}")
        there = number * SEGMENT + plain_size(len(sealed))
        last = max(0, -(-there // CHUNK) - 1) if there == length else -1
        return b"".join(
            open_chunks(self._key, self._about, sealed[:PREFIX], sealed[PREFIX:], number * IN_SEGMENT, last)
        )

    def put(self, number: int, plain: bytes | bytearray, ends: bool) -> None:
        """Store the segment `number`. Raises StoreFullError."""
        sealed = seal_segment(self._key, self._about, number, plain, ends)
        self._store.put(f"{self._folder}/{self._object(number)}", sealed)

    def remove(self) -> None:
        """Remove all of it from the store."""
        for name in self._store.sizes(self._folder):
            if name.startswith(f"{self._name}-"):
                self._store.delete(f"{self._folder}/{name}")

    def _chunks(self, number: int, first: int, stop: int, last: int) -> Iterator[bytes]:
        """Yield the chunks `first` to before `stop` of the segment `number`."""
        name = f"{self._folder}/{self._object(number)}"
        end = PREFIX + stop * (CHUNK + TAG)
        if first == 0:
            sealed = self._store.get(name, 0, end)
            prefix, sealed = sealed[:PREFIX], sealed[PREFIX:]
        else:
            prefix = self._store.get(name, 0, PREFIX)
            sealed = self._store.get(name, PREFIX + first * (CHUNK + TAG), end)
        found = 0
        for chunk in open_chunks(self._key, self._about, prefix, sealed, number * IN_SEGMENT + first, last):
            found += 1
            yield chunk
        if found < stop - first:
            raise DamagedError("it is cut short")

    def _object(self, number: int) -> str:
        return f"{self._name}-{number:06}"


class Writing:
    """A content that is being written from the byte `offset` on; `length` is None where its end is not known before."""

    def __init__(self, content: Content, offset: int = 0, length: int | None = None) -> None:
        self._content, self._length = content, length
        # Of what ends with a whole segment, that one is taken again, because it may be the last.
        self._number = max(0, offset - 1) // SEGMENT
        self._plain = bytearray(content.begun(self._number, length) if offset else b"")
        self._flushed = len(self._plain)

    @property
    def offset(self) -> int:
        """The bytes that were given so far, with those that were there before."""
        return self._number * SEGMENT + len(self._plain)

    @property
    def stored(self) -> int:
        """The bytes of it that are in the store."""
        return self._number * SEGMENT + self._flushed

    def add(self, piece: bytes) -> None:
        """Add bytes; a segment is stored as soon as it is whole and more follow. Raises StoreFullError."""
        view = memoryview(piece)
        while view:
            if len(self._plain) == SEGMENT:
                self.flush()
                self._number, self._flushed = self._number + 1, 0
                self._plain.clear()
            room = SEGMENT - len(self._plain)
            self._plain += view[:room]
            view = view[room:]

    def flush(self, ends: bool = False) -> None:
        """Store what was given so far; `ends` where nothing follows. Raises StoreFullError."""
        ends = ends or self.offset == self._length
        if self._flushed < len(self._plain) or ends:
            self._content.put(self._number, self._plain, ends)
            self._flushed = len(self._plain)
