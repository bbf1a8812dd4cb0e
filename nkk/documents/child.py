"""Documents made in a child process, which has a time and a memory limit and none of our secrets.

The child is this package itself (`python -m nkk.documents`): a request in JSON goes in, a document comes out. It is a
fresh interpreter and no fork, so it may be called from any thread.
"""

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import nkk
from nkk.documents.errors import RenderingFailedError, RenderingTooSlowError
from nkk.documents.formats import require

AT_ONCE = 2
"""Children of one process at the same time."""

WAITING = 4
"""How many wait their turn: each keeps one of the caller's threads, of which others want some too."""

TOLD = 3
"""The exit code of a child that failed and says why on its standard output."""

_turns = threading.BoundedSemaphore(AT_ONCE)
_line = threading.BoundedSemaphore(AT_ONCE + WAITING)
_ROOT = str(Path(nkk.__file__).resolve().parent.parent)


def make(kind: str, fmt: str, content: dict[str, Any], templates: Path | None = None, seconds: float = 20) -> bytes:
    """The document `kind` in the format `fmt`, as `render` makes it, within `seconds`, waiting for a turn included.

    Raises UnknownKindError, UnknownFormatError, RenderingTooSlowError, or RenderingFailedError with a sentence that
    holds none of the content.
    """
    require(kind, fmt)
    return ask({"kind": kind, "fmt": fmt, "content": content, "templates": _absolute(templates)}, seconds)


def ask(request: dict[str, Any], seconds: float) -> bytes:
    """What a child answers to `request`. Raises RenderingTooSlowError, at once where enough wait already, or
    RenderingFailedError."""
    if not _line.acquire(blocking=False):
        raise RenderingTooSlowError(f"{WAITING} wait already.")
    try:
        return _in_turn(request, seconds)
    finally:
        _line.release()


def _in_turn(request: dict[str, Any], seconds: float) -> bytes:
    until = time.monotonic() + seconds
    if not _turns.acquire(timeout=seconds):
        raise RenderingTooSlowError(f"No turn came within {seconds:g} seconds.")
    try:
        answer = subprocess.run([sys.executable, "-m", "nkk.documents", f"{seconds:g}"], check=False, cwd=_ROOT,
                                env=_environment(), input=json.dumps(request).encode(), capture_output=True,
                                timeout=max(0.1, until - time.monotonic()))
    except subprocess.TimeoutExpired:
        # Without its cause, which holds the request.
        raise RenderingTooSlowError(f"It was not made within {seconds:g} seconds.") from None
    except OSError as error:
        raise RenderingFailedError(f"The child process could not be started ({type(error).__name__}).") from None
    finally:
        _turns.release()
    if answer.returncode == TOLD:
        raise RenderingFailedError(answer.stdout.decode("utf-8", "replace"))
    if answer.returncode != 0:
        raise RenderingFailedError(f"The child process ended with code {answer.returncode}.")
    return answer.stdout


def _absolute(templates: Path | None) -> str | None:
    return str(templates.resolve()) if templates else None


def _environment() -> dict[str, str]:
    """What Python needs and nothing else: our own environment holds keys and passwords."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH") if name in os.environ}
    return kept | {"PYTHONPATH": _ROOT, "PYTHONIOENCODING": "utf-8", "PYTHONDONTWRITEBYTECODE": "1"}
