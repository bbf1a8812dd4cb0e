"""Files with random changes are refused by name or come out; none makes a fault of ours."""

import io
import random
import zipfile
from time import monotonic

import pytest

from gateway.files.errors import SENTENCES, FileRefusedError
from gateway.files.kinds import KINDS
from tests.corpus import office, pdfs, pictures
from tests.effort import FUZZ_SECONDS, SEED
from tests.unit.gateway.files.inspecting import inspected

MADE = {
    "jpeg": pictures.jpeg(pictures.TURNED, pictures.profile()),
    "png": pictures.png(pictures.profile()),
    "webp": pictures.webp(),
    "heic": pictures.heic(),
    "pdf": pdfs.telling(),
    "encrypted pdf": pdfs.encrypted(),
    "docx": office.document(),
    "xlsx": office.workbook(),
    "pptx": office.presentation(),
    "odt": office.text_document(),
    "ods": office.spreadsheet(),
    "text": "Jalan; rusak\nselama; setahun\n".encode("utf-16"),
}
CASES = 6
"""How many changed files of each sort `make test` tries."""

INTERESTING = (
    b"\0",
    b"\xff",
    b"\xff" * 4,
    b"\0" * 4,
    b"\x7f\xff\xff\xff",
    b"\x80\0\0\0",
    b"<",
    b">>",
    b"endobj",
    b"\xff\xd9",
)


def mutated(content: bytes, chance: random.Random) -> bytes:
    """Return `content` with some bytes changed, put in, left out, doubled, or cut off."""
    changed = bytearray(content)
    for _ in range(chance.choice((1, 2, 5, 20))):
        at = chance.randrange(len(changed) + 1)
        length = chance.choice((1, 2, 4, 16, 100, 1000))
        way = chance.randrange(6)
        if way == 0 and at < len(changed):
            changed[at] ^= 1 << chance.randrange(8)
        elif way == 1:
            changed[at:at] = chance.choice(INTERESTING)
        elif way == 2:
            put = chance.choice(INTERESTING)
            changed[at : at + len(put)] = put
        elif way == 3:
            del changed[at : at + length]
        elif way == 4:
            changed[at:at] = changed[at : at + length] * chance.choice((1, 10))
        elif chance.random() < 0.2:
            del changed[at:]
    return bytes(changed)


def mutated_within(content: bytes, chance: random.Random) -> bytes:
    """Return a package of which one member was changed before it was packed."""
    written = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as target:
        chosen = chance.choice(source.namelist())
        for name in source.namelist():
            member = source.read(name)
            target.writestr(name, mutated(member, chance) if name == chosen else member)
    return written.getvalue()


@pytest.mark.long
@pytest.mark.parametrize("name", MADE)
def test_a_changed_file_is_refused_by_name_or_comes_out(name: str) -> None:
    chance = random.Random(f"{SEED} {name}")
    until = monotonic() + FUZZ_SECONDS / len(MADE)
    cases = 0
    while cases < CASES or monotonic() < until:
        cases += 1
        packed = zipfile.is_zipfile(io.BytesIO(MADE[name])) and chance.random() < 0.7
        content = (mutated_within if packed else mutated)(MADE[name], chance)
        original = chance.random() < 0.2
        try:
            kept = inspected(content, original, seconds=30)
        except FileRefusedError as refused:
            assert refused.code in SENTENCES
        except Exception as error:
            raise AssertionError(f"case {cases} of {name} with SEED={SEED}") from error
        else:
            assert kept.kind in KINDS.values()
            assert not original or kept.content == content
