"""What runs elsewhere in an agency: programs that listen to a stage as tools, and a receiver of webhooks.

`python -m bench.elsewhere STAGE` reads the tools' URIs from standard input, listens with each of them, and receives
POST requests. It prints its port; a GET request there is answered with the numbers of events that were `heard` and
`posted`. Here it shares the processors with the installation, but only takes what nobody else wants.
"""

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from subprocess import PIPE, Popen
from threading import Thread
from urllib.request import urlopen

from nkk.client import subscribe
from nkk.priority import give_way
from ops.stack.ports import LOOPBACK


class Elsewhere:
    """One such process, as the bench sees it."""

    def __init__(self, pid: int, port: int) -> None:
        self.pid, self.port = pid, port

    def count(self) -> dict[str, int]:
        """Return how many events were `heard` by all tools, and how many were `posted`."""
        with urlopen(f"http://{LOOPBACK}:{self.port}/", timeout=60) as answer:
            return json.load(answer)


@contextmanager
def running(stage: str, uris: Iterable[str] = ()) -> Iterator[Elsewhere]:
    """Run a process that listens to `stage` with `uris`, and yield it when it listens for webhooks."""
    command = [sys.executable, "-m", "bench.elsewhere", stage]
    # In a session of its own: Linux shares the processors among sessions first.
    with Popen(command, stdin=PIPE, stdout=PIPE, text=True, start_new_session=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write("\n".join(uris))
            process.stdin.close()
            yield Elsewhere(process.pid, int(process.stdout.readline()))
        finally:
            process.kill()


def main() -> None:
    """Listen and receive until killed."""
    give_way(19)
    stage, uris = sys.argv[1], sys.stdin.read().split()
    heard, posted = [0] * len(uris), [0]

    class Receiver(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            posted[0] += 1
            self.send_response(204)
            self.end_headers()

        def do_GET(self) -> None:
            body = json.dumps({"heard": sum(heard), "posted": posted[0]}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    def listen(number: int, uri: str) -> None:
        for _ in subscribe(stage, uri=uri):
            heard[number] += 1

    server = ThreadingHTTPServer((LOOPBACK, 0), Receiver)
    for number, uri in enumerate(uris):
        Thread(target=listen, args=[number, uri], daemon=True).start()
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
