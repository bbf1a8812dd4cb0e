"""Asking a RabbitMQ node of ours for one of its own functions, without the second of processor a rabbitmqctl takes."""

import subprocess

from ops.stack.broker import PrivateNode


def tell(node: PrivateNode, order: str) -> str:
    """What `node` answers to an Erlang expression, which ends with a full stop. AssertionError where it does not."""
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
