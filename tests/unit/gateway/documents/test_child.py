import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from gateway import children
from gateway.documents import RenderingFailedError, RenderingTooSlowError, child
from gateway.documents.sample import sample
from gateway.documents.turns import Turns
from tests.installations import eventually
from tests.unit.gateway.documents.fresh import make, render
from tests.unit.gateway.documents.test_templates import adding, own

AUTOGROUP = Path("/proc/self/autogroup")

KIND = "form-pengaduan"
ENDLESS = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"


def test_a_child_makes_what_we_make():
    assert make(KIND, "pdf", sample()) == render(KIND, "pdf", sample())


def test_a_child_uses_an_agencys_template(tmp_path):
    own(tmp_path, adding("Kalimat dinas"))
    assert make(KIND, "docx", sample(), tmp_path) == render(KIND, "docx", sample(), tmp_path)


def test_a_template_without_an_end_is_ended(tmp_path):
    own(tmp_path, adding(ENDLESS))
    with pytest.raises(RenderingTooSlowError, match="not ready within 2 seconds"):
        make(KIND, "docx", sample(), tmp_path, seconds=2)


def test_a_template_that_fills_the_memory_is_ended(tmp_path):
    own(tmp_path, adding("{{ (text * 99999 * 20)|length }}"))
    with pytest.raises(RenderingFailedError, match=r"MemoryError|ended with code"):
        make(KIND, "docx", {**sample(), "text": "rahasia" * 100}, tmp_path)


@pytest.mark.parametrize("text", ["{{ nama }}", "{{ legal_basis[text] }}", "{{ text + 1 }}"])
def test_a_failure_says_why_without_the_content(tmp_path, text):
    own(tmp_path, adding(text))
    with pytest.raises(RenderingFailedError) as failed:
        make(KIND, "docx", {**sample(), "text": "rahasia"}, tmp_path)
    assert str(failed.value)
    assert "rahasia" not in f"{failed.value} {failed.value.__cause__} {failed.value.__context__}"


def test_content_of_another_form_fails_without_quoting_it():
    with pytest.raises(RenderingFailedError, match=r"^submitted_at does not match the contract"):
        make(KIND, "docx", {"submitted_at": "rahasia"})


def test_a_child_that_crashes_is_reported(monkeypatch):
    monkeypatch.setattr(child.sys, "executable", "/bin/false")
    with pytest.raises(RenderingFailedError, match="code 1"):
        make(KIND, "docx", {})


def test_a_child_that_cannot_be_started_gives_its_turn_back(monkeypatch):
    monkeypatch.setattr(child.sys, "executable", "/none")
    for _ in range(child.AT_ONCE + 1):
        with pytest.raises(RenderingFailedError, match="could not be started"):
            make(KIND, "docx", {}, seconds=1)


def test_a_child_lets_all_else_go_first():
    asked = "import os, json; from gateway.children import limit; limit(5, 1 << 30); print(os.nice(0))"
    ours, childs = os.nice(0), subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert int(childs.stdout) == min(ours + 10, 19)


@pytest.mark.skipif(not AUTOGROUP.exists(), reason="this kernel does not share the processors among sessions")
def test_a_child_with_a_session_of_its_own_lets_other_sessions_go_first():
    asked = f"from gateway.children import limit; limit(5, 1 << 30); print(open({str(AUTOGROUP)!r}).read().split()[-1])"
    command = [sys.executable, "-c", asked]
    childs = subprocess.run(command, capture_output=True, text=True, check=True, start_new_session=True)
    assert childs.stdout.split() == ["10"]


def test_a_child_is_given_none_of_our_secrets(monkeypatch):
    monkeypatch.setenv("NKK_INTAKE_PRIVATE_KEY", "rahasia")
    monkeypatch.setenv("DATABASE_URL", "rahasia")
    assert "rahasia" not in children.environment().values()
    assert set(children.environment()) <= {
        "PATH",
        "LANG",
        "LC_ALL",
        "LD_LIBRARY_PATH",
        "PYTHONPATH",
        "PYTHONIOENCODING",
        "PYTHONDONTWRITEBYTECODE",
    }


def test_a_child_is_given_that_environment_and_no_other(monkeypatch, tmp_path):
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\nenv\n")
    program.chmod(0o700)
    monkeypatch.setattr(child.sys, "executable", str(program))
    monkeypatch.setenv("NKK_INTAKE_PRIVATE_KEY", "rahasia")
    assert b"rahasia" not in make(KIND, "docx", {})


def test_who_gets_no_turn_is_told_so(monkeypatch):
    monkeypatch.setattr(child, "_turns", Turns(1, 1, 2))
    with (
        child._turns.turn("a", True, time.monotonic()),
        pytest.raises(RenderingTooSlowError, match="No place became free"),
    ):
        make(KIND, "docx", {}, seconds=0.2)


def test_threads_take_turns():
    def one(number):
        return make("tanda-terima", "docx", sample(), account=str(number))

    with ThreadPoolExecutor(5) as pool:
        assert list(pool.map(one, range(5))) == [render("tanda-terima", "docx", sample())] * 5


def test_while_staff_print_and_print_every_reporter_has_a_turn(monkeypatch, tmp_path):
    program, over = tmp_path / "program", threading.Event()
    program.write_text("#!/bin/sh\nsleep 0.2\n")
    program.chmod(0o700)
    monkeypatch.setattr(child.sys, "executable", str(program))

    def print_and_print(number):
        while not over.wait(0.01):
            with suppress(RenderingTooSlowError):
                make(KIND, "docx", {}, account=f"staff-{number}")

    with ThreadPoolExecutor(6) as pool:
        staff = [pool.submit(print_and_print, number) for number in range(6)]
        try:
            eventually(lambda: len(child._turns._line) >= child.WAITING - 1)
            for number in range(6):
                make(KIND, "docx", {}, account=f"reporter-{number}", is_staff=False)
        finally:
            over.set()
    assert [each.result() for each in staff] == [None] * 6


def test_a_child_works_in_any_folder(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "json.py").write_text("raise SystemExit(9)")
    assert make("tanda-terima", "docx", sample()).startswith(b"PK")


def test_who_only_calls_make_carries_no_layout_libraries():
    code = (
        "import sys, gateway.documents; print(sorted({'docx', 'lxml', 'reportlab', 'xlsxwriter'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
