"""Zip packages of office documents, read within limits and written without dates, remarks and extra fields."""

import zipfile
import zlib
from typing import BinaryIO

from gateway.files.errors import FileRefusedError
from gateway.files.inspection.memory import memory_file

MOST_UNPACKED = 200 << 20
"""How many bytes all members may have together."""

EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip archive can hold."""

_ENCRYPTED = 1


class Package:
    """A package that is read member by member, never more than `MOST_UNPACKED` bytes in all."""

    def __init__(self, file: BinaryIO) -> None:
        self._zip = zipfile.ZipFile(file)
        self._left = MOST_UNPACKED
        members = [member for member in self._zip.infolist() if not member.is_dir()]
        if any(member.flag_bits & _ENCRYPTED for member in members):
            raise FileRefusedError("archive")
        self._members = {member.filename: member for member in members}

    @property
    def names(self) -> set[str]:
        """The names of all members."""
        return set(self._members)

    def read(self, name: str) -> bytes:
        """Return a member. Raises FileRefusedError where it is damaged, or too much was unpacked already."""
        try:
            with self._zip.open(self._members[name]) as member:
                content = member.read(self._left + 1)
        except (KeyError, zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, ValueError) as error:
            raise FileRefusedError("broken") from error
        self._left -= len(content)
        if self._left < 0:
            raise FileRefusedError("too-complex")
        return content

    def check(self) -> None:
        """Read every member. Raises FileRefusedError."""
        for name in self._members:
            self.read(name)


class NewPackage:
    """A package that is being written to memory."""

    def __init__(self) -> None:
        self.file = memory_file()
        self._zip = zipfile.ZipFile(self.file, "w")

    def write(self, name: str, content: bytes, *, packed: bool = True) -> None:
        """Add a member."""
        member = zipfile.ZipInfo(name, EPOCH)
        member.compress_type = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
        member.create_system = 0
        self._zip.writestr(member, content)

    def close(self) -> BinaryIO:
        """Return the whole package."""
        self._zip.close()
        return self.file
