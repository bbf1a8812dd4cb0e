"""Small disks that a test fills: a tmpfs each, mounted where its databases are."""

import os
import secrets
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

MEGABYTES = 96
BLOCK = 4096


@contextmanager
def small_disk(folder: Path, owner: int | None = None) -> Iterator[Path | None]:
    """Yield a disk of MEGABYTES at `folder`; None where this machine does not allow mounting."""
    folder.mkdir(parents=True, exist_ok=True)
    if cannot():
        yield None
        return
    options = f"size={MEGABYTES}m,mode=0700"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], check=True)
    try:
        if owner is not None:
            os.chown(folder, owner, -1)
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def cannot() -> str | None:
    """Return why no disk can be mounted here; None where one can."""
    folder = Path(tempfile.gettempdir()) / f"nkk-mount-{secrets.token_hex(4)}"
    folder.mkdir()
    try:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], check=True, capture_output=True)
        subprocess.run(["umount", str(folder)], check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        return f"small disks cannot be mounted: {error}"
    finally:
        folder.rmdir()
    return None


def fill(disk: Path) -> None:
    """Fill `disk` to the last block."""
    with (disk / "filler").open("wb", buffering=0) as filler:
        for size in (256 * BLOCK, BLOCK):
            with suppress(OSError):
                while filler.write(b"\0" * size):
                    pass


def empty(disk: Path) -> None:
    """Free the space again."""
    (disk / "filler").unlink(missing_ok=True)
