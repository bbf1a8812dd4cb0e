"""Documents rendered as in production: in a process that has rendered none before.

What one document leaves behind in its process, such as a registered font, must not help the next. The product starts an
interpreter for each; here each is rendered in a fork of a process that has loaded everything and rendered nothing.
"""

import functools
import json
import multiprocessing
from typing import Any

from gateway import documents
from gateway.documents import trial

PATIENCE = 300.0
"""The time limit of a document where a test sets none. It is long, because the child runs at low priority."""

_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload([f"gateway.documents.{name}" for name in ("filling", "printing", "workbook", "trial")])


def apart(call, *arguments, **more):
    """Return what `call` returns, or raise what it raises, in a fork."""
    receiver, sender = _forks.Pipe(duplex=False)
    child = _forks.Process(target=_answer, args=(sender, call, arguments, more))
    child.start()
    sender.close()
    try:
        result, failed = receiver.recv()
    finally:
        child.join()
    if failed is not None:
        raise _error(*failed)
    return result


def _answer(sender, call, arguments, more):
    try:
        answer = call(*arguments, **more), None
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the caller's
        answer = None, (type(error), error.args, vars(error))
    sender.send(answer)


def _error(kind, arguments, attributes):
    """Return the error as it was raised. Not every class can be constructed from its arguments."""
    error = kind.__new__(kind)
    error.args = arguments
    vars(error).update(attributes)
    return error


def render(kind, fmt, content, templates=None):
    """Return `gateway.documents.render` in a fork; the result for the built-in templates is cached by content.

    Use `again` to prove that it is the same each time.
    """
    if templates is None:
        return _once(kind, fmt, json.dumps(content, sort_keys=True))
    return again(kind, fmt, content, templates)


def again(*arguments):
    """Return `gateway.documents.render` in a fork, without a cache."""
    return apart(documents.render, *arguments)


def problems(path):
    """Return what `check_templates` reports about the template at `path`, in a fork instead of a new interpreter."""
    return apart(trial.problems, path)


@functools.lru_cache(maxsize=256)
def _once(kind, fmt, content):
    return again(kind, fmt, json.loads(content))


def make(*arguments: Any, **more: Any) -> bytes:
    """Return `gateway.documents.make`, with a long time limit for a busy machine."""
    return documents.make(*arguments, **{"seconds": PATIENCE} | more)


def check_templates(*arguments: Any, **more: Any) -> list[str]:
    """Return `gateway.documents.check_templates`, with a long time limit for a busy machine."""
    return documents.check_templates(*arguments, **{"seconds": PATIENCE} | more)
