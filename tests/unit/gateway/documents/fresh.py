"""Documents made as the product makes them: in a process that has made none before.

What one document leaves behind in its process, such as a registered font, must not help the next. The product starts an
interpreter for each; here each is made in a fork of a process that has loaded everything and made nothing.
"""

import functools
import json
import multiprocessing
from typing import Any

from gateway import documents
from gateway.documents import trial

PATIENCE = 300.0
"""How long a document may take where nobody asks how long: a child lets all else on the machine go first."""

_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload([f"gateway.documents.{name}" for name in ("filling", "printing", "workbook", "trial")])


def apart(call, *arguments, **more):
    """What `call` returns or raises, in a fork."""
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
    """The error as it was raised: not every kind can be made anew of its arguments."""
    error = kind.__new__(kind)
    error.args = arguments
    vars(error).update(attributes)
    return error


def render(kind, fmt, content, templates=None):
    """`gateway.documents.render` in a fork; what one content gave by our own templates is not made again.

    That it is the same each time is proved with `again`.
    """
    if templates is None:
        return _once(kind, fmt, json.dumps(content, sort_keys=True))
    return again(kind, fmt, content, templates)


def again(*arguments):
    """`gateway.documents.render` in a fork, whatever was made before."""
    return apart(documents.render, *arguments)


def problems(path):
    """What `check_templates` finds wrong with the template at `path`, in a fork and no interpreter of its own."""
    return apart(trial.problems, path)


@functools.lru_cache(maxsize=256)
def _once(kind, fmt, content):
    return again(kind, fmt, json.loads(content))


def make(*arguments: Any, **more: Any) -> bytes:
    """`gateway.documents.make`, with all the time that a busy machine takes."""
    return documents.make(*arguments, **{"seconds": PATIENCE} | more)


def check_templates(*arguments: Any, **more: Any) -> list[str]:
    """`gateway.documents.check_templates`, the same."""
    return documents.check_templates(*arguments, **{"seconds": PATIENCE} | more)
