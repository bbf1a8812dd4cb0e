"""What the child process gives up before it reads a stranger's file.

Its libraries decode what an attacker wrote, in C. One that is taken over there finds nothing to read but programs,
nothing to write, no network, and no other process: the kernel refuses (Landlock, landlock(7); seccomp, seccomp(2)).
Kernels and machines that have neither leave the process as it is.
"""

import ctypes
import errno
import os
import platform
import shutil
import signal
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

from gateway import children

_LIBC = ctypes.CDLL(None, use_errno=True)

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_ABI_VERSION = 1
_PATH_BENEATH = 1
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
_OF_FILES = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
"""All that a rule may allow of files, by the version from which it is known."""

_TCP, _SCOPES = 3, 3
"""To bind and to connect (from version 4); abstract sockets and signals to other processes (from version 6)."""

_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _SECCOMP_FILTER = 38, 22, 2
_AUDIT_ARCHES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_DENIED = {
    # socket, ptrace, process_vm_readv and _writev, io_uring_setup, bpf, perf_event_open, userfaultfd, keyctl, add_key,
    # request_key, unshare, setns, mount
    "x86_64": (41, 101, 310, 311, 425, 321, 298, 323, 250, 248, 249, 272, 308, 165),
    "aarch64": (198, 117, 270, 271, 425, 280, 241, 282, 219, 217, 218, 97, 268, 40),
}
_OTHER_SYSTEM = 0x40000000
"""Numbers from here on are those of x32, under which the same calls have others."""


def confine() -> None:
    """Give up files, network and other processes, and end with the parent. Threads that run already keep them."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    _LIBC.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    _confine_files()
    _confine_calls()


def version() -> int:
    """Return the version of Landlock that the kernel has, 0 without it."""
    return max(0, _LIBC.syscall(_CREATE_RULESET, None, 0, _ABI_VERSION))


def _confine_files() -> None:
    known = version()
    if not known:
        return
    files = max(rights for since, rights in _OF_FILES.items() if since <= known)
    handled = struct.pack("=QQQ", files, _TCP if known >= 4 else 0, _SCOPES if known >= 6 else 0)
    handled = handled[: 8 if known < 4 else 16 if known < 6 else 24]
    ruleset = _LIBC.syscall(_CREATE_RULESET, handled, len(handled), 0)
    if ruleset < 0:
        return
    try:
        for path, rights in _allowed():
            _allow(ruleset, path, rights)
        _LIBC.syscall(_RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)


def _allowed() -> Iterator[tuple[Path, int]]:
    """Yield what stays: programs and libraries, and the names of what lies beside ours."""
    read = _READ_FILE | _READ_DIR | _EXECUTE
    ours = [Path(children.ROOT, name) for name in ("gateway", "nkk")]
    programs = [Path(found).resolve().parent for name in ("ffmpeg", "ffprobe") if (found := shutil.which(name))]
    system = [Path(name) for name in ("/usr", "/lib", "/lib64", "/bin")]
    for path in {*ours, *programs, *system, Path(sys.prefix), Path(sys.base_prefix)}:
        yield path, read
    yield Path(children.ROOT), _READ_DIR
    yield Path("/etc/ld.so.cache"), _READ_FILE
    yield Path("/dev/null"), _READ_FILE | _WRITE_FILE
    yield Path("/dev/urandom"), _READ_FILE


def _allow(ruleset: int, path: Path, rights: int) -> None:
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        _LIBC.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, struct.pack("=Qi", rights, descriptor), 0)
    finally:
        os.close(descriptor)


def _confine_calls() -> None:
    """Have the calls of `_DENIED` fail, and those of another architecture's numbers."""
    machine = platform.machine()
    if machine not in _DENIED:
        return
    denied = _DENIED[machine]
    # Each instruction: code, jump if true, jump if false, constant.
    program = [(0x20, 0, 0, 4), (0x15, 1, 0, _AUDIT_ARCHES[machine]), (0x06, 0, 0, 0x00050000 | errno.EPERM)]
    program += [(0x20, 0, 0, 0), (0x35, len(denied) + 1, 0, _OTHER_SYSTEM)]
    program += [(0x15, len(denied) - at, 0, number) for at, number in enumerate(denied)]
    program += [(0x06, 0, 0, 0x7FFF0000), (0x06, 0, 0, 0x00050000 | errno.EPERM)]
    written = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *each) for each in program))
    header = struct.pack("@HP", len(program), ctypes.addressof(written))
    _LIBC.prctl(_PR_SET_SECCOMP, _SECCOMP_FILTER, header, 0, 0)
