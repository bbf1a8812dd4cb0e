"""The servers that fork test programs (see forks.py): each imports its program's modules, then forks on request.

Only the standard library is imported before eventlet's monkey patching.
"""

import ctypes
import fcntl
import gc
import importlib
import json
import os
import signal
import socket
import sys
import traceback
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

LARGEST_ORDER = 1 << 17
PR_SET_PDEATHSIG = 1


def serve(program: str, modules: Sequence[str]) -> None:
    """Fork for each order on the socket at standard input, until that is closed."""
    # Created before eventlet replaces the class, so that its calls block.
    orders = socket.socket(fileno=0)
    if program == "nameko":
        # Patched first, as `nameko run` does.
        with warnings.catch_warnings():
            # eventlet announces its retirement; the programs silence that by a filter of their own.
            warnings.simplefilter("ignore")
            importlib.import_module("eventlet").monkey_patch()
    for module in modules:
        importlib.import_module(module)
    if program == "gunicorn":
        importlib.import_module("tests.compiled").share_compiled_templates()
    gc.collect()
    gc.freeze()
    while True:
        content, received, _, _ = socket.recv_fds(orders, LARGEST_ORDER, 16)
        if not content:
            return
        order = json.loads(content)
        if "ended" in order:
            answer = _ended(order["ended"])
        elif not (answer := os.fork()):
            orders.close()
            _become(program, order, received)
        else:
            _ENDED.pop(answer, None)
        for inherited in received:
            os.close(inherited)
        orders.send(json.dumps(answer).encode())


def serve_children(modules: Sequence[str]) -> None:
    """Fork for each connection to the socket at standard input, and send it the exit code."""
    listener = socket.socket(fileno=os.dup(0))
    for module in modules:
        importlib.import_module(module)
    gc.collect()
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        line, _ = listener.accept()
        with line:
            if not os.fork():
                listener.close()
                _mind(line)


def _mind(line: socket.socket) -> None:
    """Run one child of a gateway in a fork of this one, and send its exit code."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    content, received, _, _ = socket.recv_fds(line, LARGEST_ORDER, 3)
    child = os.fork()
    if not child:
        _make(json.loads(content), received)
    for each in received:
        os.close(each)
    _, status = os.waitpid(child, 0)
    line.send(str(os.waitstatus_to_exitcode(status)).encode())
    os._exit(0)


def _make(order: dict[str, Any], received: Sequence[int]) -> None:
    """Run as `python -m MODULE ARGUMENTS…`, which is how a gateway starts its children."""
    code = 1
    try:
        os.environ.clear()
        os.environ.update(order["environment"])
        for place, each in enumerate(received):
            os.dup2(each, place)
            os.close(each)
        _, module, *arguments = order["arguments"]
        sys.argv[:] = [module, *arguments]
        code = importlib.import_module(f"{module}.__main__").main() or 0
        sys.stdout.flush()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    finally:
        os._exit(code)


_ENDED: dict[int, int] = {}
"""The exit codes of the forks that have ended: two threads of a test may ask about the same one."""


def _ended(pid: int) -> int | None:
    if pid not in _ENDED:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            _ENDED[pid] = os.waitstatus_to_exitcode(status)
    return _ENDED.get(pid)


def _become(program: str, order: dict[str, Any], received: Sequence[int]) -> None:
    """Run as the program, and exit with its code."""
    code = 1
    try:
        os.setsid()
        if program == "nameko":
            # A fork has its server's epoll, by which the kernel would wake it for what any other fork waits for.
            importlib.import_module("eventlet.hubs").use_hub()
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        os.environ.clear()
        os.environ.update(order["environment"])
        _own_files(order["out"], order["errors"], dict(zip(received, order["sockets"], strict=True)))
        sys.argv[:] = [program, *order["arguments"]]
        sys.executable = order["python"]
        code = _main(program)() or 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
    except BaseException:  # noqa: BLE001
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _own_files(out: str, errors: str, places: Mapping[int, int]) -> None:
    """Redirect the output, and move the sockets to the numbers that the environment names."""
    # Moved out of the way first, because a socket's number may be where another one arrived.
    spare = {fcntl.fcntl(received, fcntl.F_DUPFD, 512): place for received, place in places.items()}
    for received in places:
        os.close(received)
    for moved, place in spare.items():
        os.dup2(moved, place, inheritable=True)
        os.close(moved)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for name, place in ((out, 1), (errors, 2)):
        written = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        os.dup2(written, place)
        os.close(written)


MAIN = {"nameko": "nameko.cli:cli", "gunicorn": "gunicorn.app.wsgiapp:run", "nkk": "ops.cli:main"}
"""The entry point of each program's script."""


def _main(program: str) -> Callable[[], Any]:
    module, _, name = MAIN[program].partition(":")
    return getattr(importlib.import_module(module), name)  # type: ignore[no-any-return]


if __name__ == "__main__":
    if sys.argv[1] == "children":
        serve_children(sys.argv[2:])
    else:
        serve(sys.argv[1], sys.argv[2:])
