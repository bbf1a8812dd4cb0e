"""What lies in the store tells nothing but sizes, and nothing in it can be changed, exchanged or cut unnoticed."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from gateway.files import sealing
from gateway.files.content import Content, Writing
from gateway.files.sealing import CHUNK, SEGMENT, DamagedError
from gateway.files.stores.directory import Directory
from tests.unit.gateway.files.stand_ins import RING, pattern

KEY = sealing.new_key()
LENGTHS = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, SEGMENT - 1, SEGMENT, SEGMENT + 1, 2 * SEGMENT, 2 * SEGMENT + CHUNK + 7]


class Watched(Directory):
    """A folder that counts the bytes that are read."""

    read = 0

    def get(self, name: str, start: int = 0, stop: int | None = None) -> bytes:
        found = super().get(name, start, stop)
        self.read += len(found)
        return found


@pytest.fixture
def store(tmp_path: Path) -> Watched:
    return Watched(tmp_path)


@pytest.fixture
def content(store: Watched) -> Content:
    return Content(store, "an-id", "kept", KEY)


def write(content: Content, plain: bytes, length: int | None = None) -> None:
    writing = Writing(content, 0, length)
    writing.add(plain)
    writing.flush(ends=True)


def objects(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("length", LENGTHS)
def test_a_content_of_any_length_is_read_as_it_was_written(content: Content, length: int) -> None:
    plain = pattern(length)
    write(content, plain)
    assert content.all_of(length) == plain
    assert content.stored() == length


@pytest.mark.parametrize("length", LENGTHS[1:])
def test_any_part_of_it_is_read(content: Content, length: int) -> None:
    plain = pattern(length)
    write(content, plain)
    edges = {0, 1, length // 2, length - 1, length, *(edge for edge in (CHUNK, SEGMENT, SEGMENT + 5) if edge <= length)}
    for start in edges:
        for stop in edges:
            assert b"".join(content.read(start, stop, length)) == plain[start:stop]


def test_no_more_is_opened_than_the_chunks_that_are_asked_for(store: Watched, content: Content) -> None:
    write(content, pattern(3 * SEGMENT))
    store.read = 0
    assert len(b"".join(content.read(SEGMENT + 5 * CHUNK, SEGMENT + 5 * CHUNK + 10, 3 * SEGMENT))) == 10
    assert store.read < CHUNK + 100


@pytest.mark.parametrize("breaks", [1, CHUNK, CHUNK + 3, SEGMENT - 1, SEGMENT, SEGMENT + 9, 2 * SEGMENT])
def test_it_is_written_in_as_many_goes_as_it_takes(content: Content, breaks: int) -> None:
    plain = pattern(2 * SEGMENT + 100)
    for end in (breaks, len(plain)):
        writing = Writing(content, content.stored(), len(plain))
        writing.add(plain[content.stored() : end])
        writing.flush()
        assert content.stored() == end
    assert content.all_of(len(plain)) == plain


def test_what_is_written_again_is_sealed_with_other_nonces(tmp_path: Path, content: Content) -> None:
    seen = set()
    for _ in range(20):
        write(content, b"the same")
        (path,) = objects(tmp_path)
        seen.add(path.read_bytes())
    assert len(seen) == 20


def test_no_byte_of_it_can_be_changed(tmp_path: Path, content: Content) -> None:
    write(content, b"of weight")
    (path,) = objects(tmp_path)
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(DamagedError):
            content.all_of(9)


def test_segments_and_chunks_can_not_be_exchanged_nor_left_out(tmp_path: Path, content: Content) -> None:
    plain = pattern(3 * SEGMENT)
    write(content, plain)
    first, second, third = sorted(objects(tmp_path))
    kept = [path.read_bytes() for path in (first, second, third)]
    first.write_bytes(kept[1])
    second.write_bytes(kept[0])
    with pytest.raises(DamagedError):
        content.all_of(len(plain))
    first.write_bytes(kept[0])
    # Of the same length, and without its end.
    second.write_bytes(kept[2])
    with pytest.raises(DamagedError):
        content.all_of(2 * SEGMENT)
    head, chunk = kept[1][:16], CHUNK + 16
    second.write_bytes(
        head + kept[1][16 + chunk : 16 + 2 * chunk] + kept[1][16 : 16 + chunk] + kept[1][16 + 2 * chunk :]
    )
    with pytest.raises(DamagedError):
        content.all_of(len(plain))


def test_one_cut_short_is_not_taken_for_whole(tmp_path: Path, content: Content) -> None:
    plain = pattern(2 * CHUNK)
    write(content, plain)
    (path,) = objects(tmp_path)
    path.write_bytes(path.read_bytes()[: 16 + CHUNK + 16])
    for size in (CHUNK, 2 * CHUNK):
        with pytest.raises(DamagedError):
            content.all_of(size)


def test_it_opens_as_no_other_file_and_under_no_other_name(tmp_path: Path, store: Watched, content: Content) -> None:
    write(content, b"mine")
    folder = next(objects(tmp_path)).parent
    for id, name in (("another", "kept"), ("an-id", "came")):
        there = folder.parents[1] / id[:2] / id
        there.mkdir(parents=True, exist_ok=True)
        (there / f"{name}-000000").write_bytes((folder / "kept-000000").read_bytes())
        with pytest.raises(DamagedError):
            Content(store, id, name, KEY).all_of(4)


def test_a_header_opens_with_every_key_of_the_ring_and_tells_nothing_of_its_facts() -> None:
    facts = {"owner": "reporter:1", "name": "Surat Budi.pdf"}
    header = sealing.seal_header(RING, b"id", KEY, facts)
    newer = [*sealing.ring_of([Fernet.generate_key().decode()]), *RING]
    assert sealing.open_header(newer, b"id", header) == (KEY, facts)
    assert sealing.unwrapped(newer, b"id", header) == (KEY, 1)
    assert b"Budi" not in header
    assert len(header) == len(sealing.seal_header(RING, b"id", KEY, facts | {"name": "x" * 200}))


@pytest.mark.parametrize("ring", [sealing.ring_of([Fernet.generate_key().decode()]), []])
def test_a_header_opens_with_no_other_key(ring: list[bytes]) -> None:
    header = sealing.seal_header(RING, b"id", KEY, {})
    with pytest.raises(DamagedError):
        sealing.open_header(ring, b"id", header)
    with pytest.raises(DamagedError):
        sealing.open_header(RING, b"other", header)
    for cut in (b"", header[:60], header[:-1]):
        with pytest.raises(DamagedError):
            sealing.open_header(RING, b"id", cut)
