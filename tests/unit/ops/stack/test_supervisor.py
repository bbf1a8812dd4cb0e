"""Programs that run together are restarted when they end, and are stopped together."""

import os
import signal
import sys
from time import monotonic

import httpx
import pytest

from ops.stack.ready import Broker
from ops.stack.run import NotReadyError, Stack
from ops.stack.supervisor import Program, Supervisor, how_it_ended, last_words
from tests.installations import eventually


@pytest.fixture
def said():
    return []


@pytest.fixture
def supervisor(said):
    running = Supervisor(said.append)
    yield running
    running.stop()


def program(tmp_path, code, name="one"):
    return Program(name, [sys.executable, "-c", code], dict(os.environ), tmp_path / f"{name}.log")


FOREVER = "import signal; print('here', flush=True)\nwhile True: signal.pause()"


def watched(supervisor, ask):
    def look():
        supervisor.watch_once()
        return ask()

    return eventually(look)


def test_a_program_that_is_killed_starts_again_and_the_screen_says_so(supervisor, said, tmp_path):
    one = program(tmp_path, FOREVER)
    supervisor.start(one)
    first = one.process.pid
    os.kill(first, signal.SIGKILL)
    watched(supervisor, lambda: one.running and one.process.pid != first)
    assert said == [f"one ended (killed by SIGKILL), starts again in 0.5 s; see {tmp_path / 'one.log'}"]


def test_a_program_that_keeps_ending_is_started_after_growing_pauses(supervisor, said, tmp_path):
    supervisor.start(program(tmp_path, "raise SystemExit(3)"))
    watched(supervisor, lambda: len(said) == 3)
    assert [text.split("starts again in ")[1].split(" s;")[0] for text in said] == ["0.5", "1", "2"]


def test_stopping_ends_every_program_in_good_order(supervisor, said, tmp_path):
    programs = [program(tmp_path, FOREVER, name) for name in ("one", "two")]
    for each in programs:
        supervisor.start(each)
    supervisor.stop()
    assert not any(each.running for each in programs)
    assert [each.process.returncode for each in programs] == [-signal.SIGTERM] * 2
    assert said == []


def test_a_program_that_ignores_the_request_is_killed(monkeypatch, said, tmp_path):
    monkeypatch.setattr("ops.stack.supervisor.STOP_SECONDS", 0.5)
    running = Supervisor(said.append)
    deaf = program(tmp_path, "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + FOREVER, "deaf")
    running.start(deaf)
    eventually(lambda: "here" in deaf.log.read_text())
    began = monotonic()
    running.stop()
    assert (deaf.process.returncode, said) == (-signal.SIGKILL, ["deaf does not end, is killed"])
    assert monotonic() - began < 30


def test_a_program_that_was_ended_stays_ended_until_it_is_started(supervisor, said, tmp_path):
    one = program(tmp_path, FOREVER)
    supervisor.start(one)
    supervisor.end(one)
    supervisor.watch_once()
    assert (one.running, said) == (False, [])
    supervisor.start(one)
    assert one.running


@pytest.mark.parametrize(
    ("code", "words"),
    [(0, "code 0"), (3, "code 3"), (-9, "killed by SIGKILL"), (-11, "killed by SIGSEGV"), (-40, "killed by signal 40")],
)
def test_how_a_program_ended_is_said_in_words(code, words):
    assert how_it_ended(code) == words


@pytest.mark.parametrize(
    ("log", "words"),
    [
        (
            'Traceback (most recent call last):\n  File "x.py", line 1\n'
            "ModuleNotFoundError: No module named 'flask'\n",
            "ModuleNotFoundError: No module named 'flask'",
        ),
        (
            '{"event": "worker failed", "error": "ImportError", "at": ["boot a.py:1", "<module> app.py:12"]}\n'
            '{"event": "Shutting down: Master"}\n',
            "worker failed: ImportError, <module> app.py:12",
        ),
        (
            "nkk.settings.SettingsError: NKK_SITE_KEY is not set.\n\n",
            "nkk.settings.SettingsError: NKK_SITE_KEY is not set.",
        ),
        ("Error: No such option: --x\n[7]\n", "Error: No such option: --x"),
        ("one\ntwo\n", "two"),
        ("", "it said nothing"),
    ],
)
def test_the_last_words_of_a_program_are_its_last_error(tmp_path, log, words):
    (tmp_path / "log").write_text(log)
    assert last_words(tmp_path / "log") == words


def test_a_program_that_cannot_start_is_named_with_its_last_words_long_before_time_is_up(said, monkeypatch, tmp_path):
    def refused(*_, **__):
        raise httpx.ConnectError("")

    monkeypatch.setattr("ops.stack.run.httpx.Client.get", refused)
    stack = Stack(tmp_path, said.append)
    stack._broker = Broker("")
    stack.port = 1
    for each in (program(tmp_path, FOREVER), program(tmp_path, "import no_such_thing", "gateway")):
        stack.programs[each.name] = each
        stack.supervisor.start(each)
    began = monotonic()
    with pytest.raises(NotReadyError) as said_of_it:
        stack.wait_until_ready(is_first=True)
    assert str(said_of_it.value) == (
        "gateway ends again and again (code 1): ModuleNotFoundError: No module named "
        f"'no_such_thing'; see {tmp_path / 'gateway.log'}"
    )
    assert monotonic() - began < 30
    stack.supervisor.stop()


def test_a_program_dies_with_whoever_started_it(tmp_path):
    parent = (
        "import signal, subprocess, sys\n"
        "from ops.stack.supervisor import dying_with_us\n"
        f"child = subprocess.Popen(dying_with_us([sys.executable, '-c', {FOREVER!r}]), start_new_session=True)\n"
        "print(child.pid, flush=True)\n"
        "while True: signal.pause()\n"
    )
    one = program(tmp_path, parent)
    one.start()
    child = int(eventually(lambda: next((line for line in one.log.read_text().splitlines() if line.isdigit()), "")))
    eventually(lambda: "here" in one.log.read_text())
    one.process.kill()
    one.process.wait()
    eventually(lambda: not _alive(child))


def _alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
