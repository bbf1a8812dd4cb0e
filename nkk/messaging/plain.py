"""Messages are taken as they are: what says that it is compressed is not unpacked.

kombu unpacks a message before anybody has looked at it, so that a few hundred bytes could fill a process's memory.
Nothing of ours is ever compressed. This holds for the process: gateway and stages call it, a tool's process is its own.
"""

from kombu import compression


def unpack_nothing() -> None:
    """From now on a message with a compression is one that cannot be decoded."""
    for name in compression.encoders():
        compression.register(None, _refused, name)


def _refused(_body: bytes) -> bytes:
    raise ValueError("compressed")
