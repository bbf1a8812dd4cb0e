"""Documents made as the product makes them: in a process that has made none before.

What one document leaves behind in its process, such as a registered font, must not help the next. The product starts an
interpreter for each; here each is made in a fork of a process that has loaded everything and made nothing.
"""

import multiprocessing

from nkk import documents

_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(["nkk.documents.filling", "nkk.documents.printing", "nkk.documents.workbook"])


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


def render(*arguments, **more):
    """`nkk.documents.render` in a fork."""
    return apart(documents.render, *arguments, **more)
