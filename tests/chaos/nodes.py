"""Calls of Erlang functions on a RabbitMQ node, without the second of processor time that rabbitmqctl takes."""

import subprocess

from ops.stack.broker import PrivateNode


def tell(node: PrivateNode, order: str) -> str:
    """Return what `node` answers to an Erlang expression with its full stop. Raise AssertionError on failure."""
    environment, cookie = node._environment(), (node.folder / ".erlang.cookie").read_text()
    command = ["erl_call", "-sname", environment["RABBITMQ_NODENAME"], "-c", cookie, "-e"]
    done = subprocess.run(
        node._command(*command),
        input=f"{order}\n",
        env=environment,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert done.stdout.startswith("{ok, "), done.stdout + done.stderr
    return done.stdout.strip().removeprefix("{ok, ").removesuffix("}")
