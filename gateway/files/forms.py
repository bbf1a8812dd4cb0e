"""Forms with files, read as they arrive: the files go straight into the store, and never in the clear to a disk."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge
from werkzeug.http import parse_options_header
from werkzeug.sansio.multipart import Data, Epilogue, Event, Field, File, MultipartDecoder, NeedData

from gateway.files.arriving import in_time, pieces
from gateway.files.refusals import TooManyFiles
from gateway.files.stores import StoreError
from gateway.files.uploads import Uploads
from nkk.sop.refusals import Refused

MAX_FIELDS_BYTES = 256 * 1024
MAX_PARTS = 200
MAX_HEADERS_BYTES = 64 * 1024
FIELDS_SECONDS = 10.0
MAX_PADDING = 64
"""How many characters may stand between a boundary and the end of its line."""

Fields = MultiDict[str, str]


@dataclass
class Form:
    """What came with a form: its fields, the ids of its files by the names of their fields, and what was refused."""

    fields: Fields = field(default_factory=MultiDict)
    files: MultiDict[str, str] = field(default_factory=MultiDict)
    refusal: Refused | None = None

    @property
    def ids(self) -> list[str]:
        """The ids of all files."""
        return [id for _, id in self.files.items(multi=True)]


def receive(
    uploads: Uploads,
    owner: str,
    stream: Any,
    content_type: str,
    before_files: Callable[[Fields], bool] = lambda _fields: False,
    keeps_earlier: bool = False,
) -> Form:
    """Return a form (multipart/form-data) whose files are uploads of `owner` then, to be checked.

    `before_files` is called with the fields before the first file, such as the form's token, and returns whether the
    originals are to be kept; what it raises ends the reading before any file is read. Nothing stays of the files of a
    form that fails; but with `keeps_earlier`, where a file is one too many or too long, the form has those before it
    and the refusal. Raises BadRequest, RequestEntityTooLarge, TooManyFiles or UploadTooLong.
    """
    form, reading = Form(), _Events(pieces(stream), content_type)
    room, has_files, original = MAX_FIELDS_BYTES, False, False
    try:
        for part in reading.parts():
            if isinstance(part, Field):
                room -= reading.add_to(form.fields, part, room)
            elif reading.has_bytes() or part.filename:
                # A browser sends a part without name and bytes for a field in which nothing was chosen.
                if not has_files:
                    original, has_files = before_files(form.fields), True
                if len(form.ids) >= uploads.limits.files:
                    raise TooManyFiles({"most": uploads.limits.files})
                _receive_file(uploads, owner, part, reading, original, form)
        if not has_files:
            before_files(form.fields)
    except BaseException as failure:
        if keeps_earlier and isinstance(failure, Refused) and has_files:
            form.refusal = failure
            return form
        with suppress(StoreError):
            for id in form.ids:
                uploads.drop(owner, id)
        raise
    return form


def _receive_file(uploads: Uploads, owner: str, part: File, reading: "_Events", original: bool, form: Form) -> None:
    """Add a file to the form. Nothing stays of one that fails."""
    id = uploads.create(owner, None, part.filename, original)
    try:
        uploads.write(owner, id, 0, reading)
        uploads.finish(owner, id)
    except BaseException:
        with suppress(StoreError):
            uploads.drop(owner, id)
        raise
    form.files.add(part.name, id)


def fields_before_files(stream: Any, content_type: str) -> Fields:
    """Return the fields of a form up to its first file, and read no file.

    Raises as `receive` does, and TooSlowError where they do not come within FIELDS_SECONDS.
    """
    found, reading, room = Fields(), _Events(in_time(pieces(stream), FIELDS_SECONDS), content_type), MAX_FIELDS_BYTES
    for part in reading.parts():
        if isinstance(part, Field):
            room -= reading.add_to(found, part, room)
        elif reading.has_bytes() or part.filename:
            break
    return found


class _Decoder(MultipartDecoder):
    """Werkzeug's decoder, which also waits for the rest of a boundary that has come almost whole.

    Where a piece ended within the two characters after a boundary, it took the line break before the boundary for part
    of the file.
    """

    def _last_partial_boundary_index(self, data: bytes | bytearray) -> int:
        """Return from where on the data may be a boundary."""
        found = data.rfind(b"--" + self.boundary)
        if found < 0 or len(data) - found > len(self.boundary) + MAX_PADDING:
            return super()._last_partial_boundary_index(data)
        if data[:found].endswith(b"\r\n"):
            return found - 2
        return found - data[:found].endswith((b"\r", b"\n"))


class _Events:
    """A form's parts, and the bytes of the one that is at its turn, which can be read as a stream."""

    def __init__(self, pieces: Iterator[bytes], content_type: str) -> None:
        kind, options = parse_options_header(content_type)
        boundary = options.get("boundary", "")
        if kind != "multipart/form-data" or not 1 <= len(boundary) <= 70 or not boundary.isascii():
            raise BadRequest
        self._decoder = _Decoder(boundary.encode(), max_parts=MAX_PARTS)
        self._events = self._decoded(pieces)
        self._next: Data | None = None
        self._has_ended = True

    def parts(self) -> Iterator[Field | File]:
        """Yield the parts; the bytes of each are to be read before the next."""
        for event in self._events:
            if isinstance(event, Field | File):
                if not isinstance(event.name, str):
                    raise BadRequest
                self._next, self._has_ended = None, False
                yield event
                while not self._has_ended:
                    self.take(0, 0)

    def has_bytes(self) -> bool:
        """Return whether the part has any."""
        while self._next is None and not self._has_ended:
            self._read()
        return self._next is not None

    def take(self, _most: int, _seconds: float) -> bytes | None:
        """Return the part's next bytes; none at its end, and None where nothing came for a second."""
        if self._next is None and not self._has_ended and not self._read():
            return None
        found, self._next = self._next, None
        return found.data if found else b""

    def add_to(self, fields: Fields, field: Field, most: int) -> int:
        """Add the part, a field, to `fields`; return its length. Raises RequestEntityTooLarge as `text` does."""
        text = self.text(most)
        fields.add(field.name, text.decode("utf-8", "replace"))
        return len(text)

    def text(self, most: int) -> bytes:
        """Return all the part's bytes. Raises RequestEntityTooLarge where they are more than `most`."""
        found = bytearray()
        while self.has_bytes():
            found += self.take(0, 0) or b""
            if len(found) > most:
                raise RequestEntityTooLarge
        return bytes(found)

    def _read(self) -> bool:
        """Read on to the part's next bytes or its end; return False where nothing came for a second."""
        for event in self._events:
            if event is None:
                return False
            if isinstance(event, Data):
                self._has_ended = not event.more_data
                if event.data:
                    self._next = event
                if event.data or self._has_ended:
                    return True
        raise BadRequest

    def _decoded(self, pieces: Iterator[bytes]) -> Iterator[Event | None]:
        """Yield what the form holds, and None for each second in which nothing comes."""
        for piece in pieces:
            if not piece:
                yield None
                continue
            self._decoder.receive_data(piece)
            yield from self._known()
            if len(self._decoder.buffer) > MAX_HEADERS_BYTES:
                raise BadRequest
        self._decoder.receive_data(None)
        yield from self._known()

    def _known(self) -> Iterator[Event]:
        while True:
            try:
                event = self._decoder.next_event()
            except ValueError as error:
                raise BadRequest from error
            if isinstance(event, NeedData):
                return
            yield event
            if isinstance(event, Epilogue):
                return
