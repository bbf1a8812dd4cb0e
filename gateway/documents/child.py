"""Documents made in a child process, which has a time and a memory limit and none of our secrets.

The child is this package itself (`python -m gateway.documents`): a request in JSON goes in, a document comes out.
It is a fresh interpreter and no fork, so it may be called from any thread.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from gateway.documents.errors import RenderingFailedError, RenderingTooSlowError
from gateway.documents.formats import require
from gateway.documents.turns import Turns

AT_ONCE = 2
"""Children of one process at the same time, one of them for staff alone."""

WAITING = 4
"""How many wait their turn: each keeps one of the caller's threads, of which others want some too."""

TOLD = 3
"""The exit code of a child that failed and says why on its standard output."""

OF_ONE = 2
"""How many of them one account may have."""

_turns = Turns(AT_ONCE, WAITING, OF_ONE)
_ROOT = str(Path(__file__).resolve().parents[2])


def make(
    kind: str,
    fmt: str,
    content: dict[str, Any],
    templates: Path | None = None,
    seconds: float = 20,
    account: str = "",
    is_staff: bool = True,
) -> bytes:
    """The document `kind` in the format `fmt`, as `render` makes it, within `seconds`, waiting for a turn included.

    It is the turn of `account`, a name that only has to differ from the others'. Raises UnknownKindError,
    UnknownFormatError, RenderingTooSlowError, or RenderingFailedError with a sentence that holds none of the content.
    """
    require(kind, fmt)
    request = {"kind": kind, "fmt": fmt, "content": content, "templates": _absolute(templates)}
    return ask(request, seconds, account, is_staff)


def ask(request: dict[str, Any], seconds: float, account: str = "", is_staff: bool = True) -> bytes:
    """What a child answers to `request`. Raises RenderingTooSlowError, at once where enough wait already, or
    RenderingFailedError."""
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
            cwd=_ROOT,
            env=_environment(),
            input=json.dumps(request).encode(),
            capture_output=True,
            timeout=max(0.1, until - time.monotonic()),
        )
    except subprocess.TimeoutExpired:
        # Without its cause, which holds the request.
        raise RenderingTooSlowError(f"It was not made within {seconds:g} seconds.") from None
    except OSError as error:
        raise RenderingFailedError(f"The child process could not be started ({type(error).__name__}).") from None


def _absolute(templates: Path | None) -> str | None:
    return str(templates.resolve()) if templates else None


def _environment() -> dict[str, str]:
    """What Python needs and nothing else: our own environment holds keys and passwords."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH") if name in os.environ}
    return kept | {"PYTHONPATH": _ROOT, "PYTHONIOENCODING": "utf-8", "PYTHONDONTWRITEBYTECODE": "1"}
