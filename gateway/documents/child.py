"""Documents made in a child process, which has time and memory limits and none of the gateway's secrets.

The child is this package (`python -m gateway.documents`): it reads a request as JSON and writes the document. It is a
new interpreter and not a fork, so any thread may start it.
"""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from gateway import children
from gateway.documents.errors import RenderingFailedError, RenderingTooSlowError
from gateway.documents.formats import require
from gateway.documents.turns import Turns

AT_ONCE = 2
"""How many children of a process run at the same time, one of them for staff only."""

WAITING = 4
"""How many requests wait for a turn. Each holds a thread of the caller, and other requests need threads too."""

TOLD = 3
"""The exit code of a child that failed and wrote the reason to its standard output."""

OF_ONE = 2
"""How many documents an account may have running or waiting."""

_turns = Turns(AT_ONCE, WAITING, OF_ONE)


def make(
    kind: str,
    fmt: str,
    content: dict[str, Any],
    templates: Path | None = None,
    seconds: float = 20,
    account: str = "",
    is_staff: bool = True,
) -> bytes:
    """Return the document `kind` in format `fmt`, as `render` makes it, within `seconds` including the wait for a turn.

    `account` is any name that identifies the caller's account for the turns. Raises UnknownKindError,
    UnknownFormatError, RenderingTooSlowError, or RenderingFailedError with a sentence that contains nothing of the
    content.
    """
    require(kind, fmt)
    request = {"kind": kind, "fmt": fmt, "content": content, "templates": _absolute(templates)}
    return ask(request, seconds, account, is_staff)


def ask(request: dict[str, Any], seconds: float, account: str = "", is_staff: bool = True) -> bytes:
    """Return a child's answer to `request`.

    Raises RenderingFailedError, or RenderingTooSlowError: at once where too many wait already.
    """
    until = time.monotonic() + seconds
    with _turns.turn(account, is_staff, until):
        answer = _run(request, seconds, until)
    if answer.returncode == TOLD:
        raise RenderingFailedError(answer.stdout.decode("utf-8", "replace"))
    if answer.returncode != 0:
        raise RenderingFailedError(f"The child process ended with code {answer.returncode}.")
    return answer.stdout


def _run(request: dict[str, Any], seconds: float, until: float) -> "subprocess.CompletedProcess[bytes]":
    try:
        return subprocess.run(
            [sys.executable, "-m", "gateway.documents", f"{seconds:g}"],
            check=False,
            cwd=children.ROOT,
            env=children.environment(),
            input=json.dumps(request).encode(),
            capture_output=True,
            timeout=max(0.1, until - time.monotonic()),
        )
    except subprocess.TimeoutExpired:
        # Without its cause, which holds the request.
        raise RenderingTooSlowError(f"The document was not ready within {seconds:g} seconds.") from None
    except OSError as error:
        raise RenderingFailedError(f"The child process could not be started ({type(error).__name__}).") from None


def _absolute(templates: Path | None) -> str | None:
    return str(templates.resolve()) if templates else None
