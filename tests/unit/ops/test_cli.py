"""The command line reports errors in a sentence."""

import json
import subprocess
import sys
import warnings
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import pytest
from amqp.exceptions import AccessRefused
from click.testing import CliRunner

from nkk.contracts import STAGES
from nkk.messaging.calls import RefusedRemotelyError, StageUnavailableError
from nkk.sop import faults
from ops.cli import main
from ops.cli.running import _mail, open_site
from ops.stack.keys import PASSWORDS, new_keys
from ops.stack.quarantine import Item
from ops.stack.run import occupied, write_secret
from ops.stack.staff import Admin
from tests.builders import TICKET


@pytest.fixture
def run(monkeypatch, tmp_path):
    for name in ("AMQP_URI", "DATABASE_URL", *new_keys()):
        monkeypatch.delenv(name, raising=False)

    def invoke(*arguments):
        return CliRunner().invoke(main, ["--var", str(tmp_path), *arguments])

    return invoke


@pytest.mark.parametrize("pair", ["triage", "triage=0", "triage=x", "archive=2", "triage=33", "=2"])
def test_a_scale_that_cannot_be_is_refused_before_anything_starts(run, pair):
    done = run("run", "--scale", pair)
    assert done.exit_code == 2
    assert "STAGE=N" in done.output


def test_all_that_cannot_be_of_a_scale_is_named_at_once(run):
    done = run(
        "run",
        "--scale",
        "triage=x",
        "--scale",
        "foo=2",
        "--scale",
        "intake=-1",
        "--scale",
        "notification=2",
        "--scale",
        "notification=3",
        "--scale",
        "opd_response=²",
    )
    assert done.exit_code == 2
    assert all(
        repr(pair) in done.output for pair in ("triage=x", "foo=2", "intake=-1", "notification=3", "opd_response=²")
    )
    assert "notification=2" not in done.output


@pytest.mark.parametrize(
    "command",
    [
        ["topology"],
        ["status"],
        ["subscribe", "triage", "--as", "x"],
        ["quarantine", "list", "triage"],
        ["staff", "disable", "x"],
        ["letters", "list"],
        ["tools", "list"],
        ["webhooks", "list"],
    ],
)
def test_where_no_stack_runs_it_says_so_and_names_the_folder(run, command, tmp_path):
    done = run(*command)
    assert done.exit_code == 1
    assert f"no stack is running in {tmp_path}" in done.output
    assert "Traceback" not in done.output


def test_a_tool_without_its_uri_is_told_to_set_it(run):
    assert "or set NKK_TOOL_URI to the URI that `nkk tools add` printed." in run("subscribe", "triage").output


@pytest.mark.parametrize("process", ["triage", "gateway"])
def test_health_says_that_nothing_runs_here(run, monkeypatch, tmp_path, process):
    monkeypatch.setenv("NKK_PULSE_FOLDER", str(tmp_path / "pulse"))
    done = run("health", process)
    assert (done.exit_code, done.output) == (1, f"Error: no process of {process} works here ({tmp_path / 'pulse'})\n")


def test_a_database_that_is_not_named_is_asked_for(run):
    assert "INTAKE_DATABASE_URL, TRIAGE_DATABASE_URL, " in run("migrate").output
    assert "TRIAGE_DATABASE_URL is not set, and no stack is running" in run("migrate", "triage").output
    assert "nkk keys" not in run("migrate").output
    assert "no such service: archive" in run("migrate", "archive").output


def test_a_named_database_is_migrated(run, monkeypatch, tmp_path):
    monkeypatch.setenv("TRIAGE_DATABASE_URL", f"sqlite:///{tmp_path}/t.db")
    done = run("migrate", "triage")
    assert (done.exit_code, done.output) == (0, "triage: up to date\n")


def test_keys_prints_an_environment_file_with_every_secret(run):
    done = run("keys")
    lines = dict(line.split("=", 1) for line in done.output.splitlines())
    assert set(lines) == set(new_keys()) | set(PASSWORDS)
    assert all(lines.values())


def test_what_to_retry_has_to_be_said(run, monkeypatch):
    monkeypatch.setenv("AMQP_URI", "amqp://localhost")
    assert "name event ids, or --all" in run("quarantine", "retry", "triage").output
    assert "name event ids, or --all" in run("quarantine", "retry", "triage", "x", "--all").output


def test_what_is_no_stage_has_no_quarantine(run):
    assert "is not one of" in run("quarantine", "list", "archive").output


@pytest.mark.parametrize("command", [["add", "kepala", "--name", "Kepala", "--role", "admin"], ["reset", "kepala"]])
def test_a_password_is_a_line_of_an_input_that_is_no_terminal_and_nothing_is_said_of_it(monkeypatch, command, tmp_path):
    kept = []
    monkeypatch.setattr(
        "ops.cli.accounts.as_admin",
        lambda act: act(SimpleNamespace(call_sealed=lambda method, content: kept.append(content["password"]))),
    )
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        done = CliRunner().invoke(main, ["--var", str(tmp_path), "staff", *command], input="rahasia sekali 42 \r\n")
    assert (done.exit_code, kept, warned) == (0, ["rahasia sekali 42 "], [])
    assert "rahasia" not in done.output
    none = CliRunner().invoke(main, ["--var", str(tmp_path), "staff", *command], input="")
    assert (none.exit_code, len(kept)) == (2, 1)
    assert "no password" in none.output


def test_which_letters_has_to_be_said(run, monkeypatch):
    monkeypatch.setenv("AMQP_URI", "amqp://localhost")
    assert "name letters (`nkk letters list`), or --all" in run("letters", "retry").output
    assert "name letters (`nkk letters list`), or --all" in run("letters", "retry", "x", "--all").output
    assert "name letters (`nkk letters list`)" in run("letters", "drop", "--yes").output


@pytest.mark.parametrize("command", [["retry"], ["drop", "--yes"]])
def test_of_each_letter_that_stays_as_it_is_a_sentence_says_why(run, monkeypatch, command):
    left = {"b": "sent", "c": "being_sent", "d": "dropped", "e": "unknown", "f": "not_kept"}
    monkeypatch.setattr("ops.cli.letters.FREE_SECONDS", 0)
    monkeypatch.setattr(
        "ops.cli.letters.as_admin",
        lambda act: act(
            SimpleNamespace(call=lambda method, ids, stage: {"done": [id_ for id_ in ids if id_ == "a"], "left": left})
        ),
    )
    done = run("letters", *command, *"abcdef")
    assert done.exit_code == 1
    first, _, *others = done.output.splitlines()
    assert first == f"letters {'retried' if command == ['retry'] else 'dropped'}: 1"
    assert [line.split(": ")[0].strip() for line in others] == list(left)
    assert len({line.split(": ")[1] for line in others}) == len(left)
    left.clear()
    assert run("letters", *command, "a").exit_code == 0


@pytest.mark.parametrize("command", [["retry"], ["drop", "--yes"]])
def test_letters_that_go_with_one_that_is_being_sent_are_waited_for(run, monkeypatch, command):
    monkeypatch.setattr("ops.cli.letters.PAUSE", 0)
    answers = iter(
        [
            {"done": ["a"], "left": dict.fromkeys("bcd", "being_sent") | {"e": "unknown"}},
            {"done": [], "left": dict.fromkeys("bcd", "being_sent")},
            {"done": ["b"], "left": {"c": "sent", "d": "being_sent"}},
            {"done": ["d"], "left": {}},
        ]
    )
    asked = []
    monkeypatch.setattr(
        "ops.cli.letters.as_admin",
        lambda act: act(SimpleNamespace(call=lambda method, ids, stage: asked.append("".join(ids)) or next(answers))),
    )
    done = run("letters", *command, *"abcde")
    assert asked == ["abcde", "bcd", "bcd", "d"]
    first, _, *others = done.output.splitlines()
    assert first == f"letters {'retried' if command == ['retry'] else 'dropped'}: 3"
    assert [line.split(": ")[0].strip() for line in others] == ["c", "e"]


def test_an_event_that_is_not_in_quarantine_is_named(run, monkeypatch):
    monkeypatch.setenv("AMQP_URI", "amqp://localhost")
    monkeypatch.setattr("ops.stack.quarantine.retry", lambda uri, stage, ids: (["a"], {"b": "forged: x"}))
    done = run("quarantine", "retry", "triage", "a", "b", "c")
    assert done.exit_code == 1
    assert done.output.splitlines()[:3] == [
        "1 sent back to triage",
        "b stays in quarantine: forged: x",
        "c: not in the quarantine of triage (`nkk quarantine list triage`)",
    ]


def test_who_drops_an_event_that_is_not_there_is_not_asked_and_nothing_is_lost_unasked(run, monkeypatch):
    def held(uri, stage):
        return [Item("a", "x.y.v1", "application/json", None, {}, b"{}")]

    dropped = []
    monkeypatch.setenv("AMQP_URI", "amqp://localhost")
    monkeypatch.setattr("ops.stack.quarantine.items", held)
    monkeypatch.setattr("ops.stack.quarantine.drop", lambda uri, stage, event_id: dropped.append(event_id))
    done = run("quarantine", "drop", "triage", "xyz")
    assert (done.exit_code, "Drop it?" in done.output) == (1, False)
    assert "xyz is not in the quarantine of triage" in done.output
    asked = run("quarantine", "drop", "triage", "a")
    assert '"type": "x.y.v1"' in asked.output
    assert "Drop it?" in asked.output
    assert dropped == []
    assert run("quarantine", "drop", "triage", "a", "--yes").exit_code == 0
    assert dropped == ["a"]


class Frozen:
    """A client of stages that never answer, which records the timeout of each call."""

    def __init__(self):
        self.waited = []

    def call(self, stage, method, *args, context=None, timeout=None):
        self.waited.append(timeout)
        raise StageUnavailableError(stage)


@pytest.mark.parametrize(
    ("command", "stage"),
    [
        (["letters", "retry", "--all"], "notification"),
        (["letters", "retry", "x"], "notification"),
        (["letters", "list"], "notification"),
        (["letters", "drop", "--yes", "x"], "notification"),
        (["republish", "triage", "--since", "2026-03-02"], "triage"),
        (["identity", "rotate"], "intake"),
        (["staff", "list"], "intake"),
        (["staff", "let-in", "kepala"], "intake"),
        (["clock", "NKK-2026-6GKQ-DHSZ"], "notification"),
        (["report", "2026-03"], "intake"),
    ],
)
def test_a_stage_that_hangs_is_named_as_soon_as_by_any_other_command(run, monkeypatch, command, stage):
    client = Frozen()
    keys = new_keys()
    monkeypatch.setattr(f"ops.cli.{MODULES.get(command[0], command[0])}.as_admin", lambda act: act(Admin(client, keys)))
    done = run(*command)
    assert done.exit_code == 1
    assert f"{stage} does not answer; is it running? (`nkk status`)" in done.output
    assert client.waited == [None]


MODULES = {"republish": "events", "identity": "accounts", "staff": "accounts", "clock": "clocks", "report": "clocks"}


def test_of_a_user_name_that_is_taken_it_is_said_once_and_of_an_agency_that_is_none_which_there_are(run, monkeypatch):
    def refused(name, code, fault):
        def call_sealed(method, content):
            raise RefusedRemotelyError(name, code, {"fields": fault})

        admin = SimpleNamespace(call_sealed=call_sealed, call=lambda method: {"opds": {"dinkes": "Dinas Kesehatan"}})
        monkeypatch.setattr("ops.cli.accounts.as_admin", lambda act: act(admin))
        return run("staff", "add", "tim", "--name", "Tim", "--role", "opd_team", "--password", "x").output

    taken = refused("UsernameTaken", "username-taken", {"username": [faults.USERNAME_TAKEN()]})
    assert taken == "Error: This user name is taken. Choose another.\n"
    lacking = refused("InvalidInput", "invalid-input", {"opd": [faults.TEAM_WITHOUT_OPD()]})
    assert lacking.endswith("opd: An OPD team belongs to one OPD of the roster (GET /opds). The keys are: dinkes\n")


def test_a_file_of_the_installation_that_is_damaged_is_named(run, tmp_path):
    with occupied(tmp_path):
        write_secret(tmp_path / "running.json", "rubbish")
        done = run("status")
    assert (done.exit_code, done.output) == (
        1,
        f"Error: {tmp_path / 'running.json'} cannot be read as the JSON that nkk wrote there: put it back from a "
        "backup.\n",
    )


def test_a_password_that_is_no_text_is_refused_in_a_sentence(run, monkeypatch, tmp_path):
    done = CliRunner().invoke(main, ["--var", str(tmp_path), "staff", "reset", "kepala"], input=b"\xff\xfe\n")
    assert done.exit_code == 2
    assert "the password on the input is not UTF-8 text" in done.output


def test_the_templates_that_are_there_are_named_and_where_none_is_that_is_said(run, monkeypatch, tmp_path):
    monkeypatch.setattr("gateway.documents.check_templates", lambda folder: [])
    none = run("templates", str(tmp_path))
    assert none.exit_code == 1
    assert (
        f"there is no template in {tmp_path}; a template is named after its document: form-pengaduan.docx, "
        in none.output
    )
    (tmp_path / "tanda-terima.docx").write_bytes(b"")
    assert run("templates", str(tmp_path)).output == (
        "can be used: tanda-terima.docx; every other document is made from its built-in template\n"
    )


def test_a_subscription_beside_a_stack_looks_for_its_broker_anew(run, monkeypatch, tmp_path):
    def started(port):
        write_secret(
            tmp_path / "running.json", json.dumps({"url": "", "environment": {"AMQP_URI": f"amqp://x:{port}"}})
        )

    def listen(stage, name, uri, **_):
        asked.append(uri())
        started(2)
        asked.append(uri())
        (tmp_path / "running.json").unlink()
        asked.append(uri())
        return []

    asked = []
    # It is set here, so that what the command adds to the environment is removed afterwards.
    monkeypatch.setenv("AMQP_URI", "amqp://given")
    monkeypatch.setattr("ops.cli.events.subscribe_to", listen)
    with occupied(tmp_path):
        started(1)
        assert run("subscribe", "triage", "--as", "x").exit_code == 0
        assert asked == ["amqp://given"] * 3
        asked.clear()
        started(1)
        monkeypatch.delenv("AMQP_URI")
        assert run("subscribe", "triage", "--as", "x").exit_code == 0
    assert asked == ["amqp://x:1", "amqp://x:2", "amqp://x:1"]


def test_a_subscription_says_that_it_listens_when_it_does_and_not_before(run, monkeypatch):
    def refused(stage, name, uri, **_):
        raise AccessRefused("Login was refused.")

    def heard(stage, name, uri, on_listening, **_):
        on_listening()
        yield {"id": "one"}

    monkeypatch.setenv("AMQP_URI", "amqp://localhost")
    monkeypatch.setattr("ops.cli.events.subscribe_to", refused)
    done = run("subscribe", "triage", "--as", "x")
    assert (done.exit_code, done.output) == (1, "Error: the broker refuses: Login was refused.\n")
    monkeypatch.setattr("ops.cli.events.subscribe_to", heard)
    done = run("subscribe", "triage", "--as", "x")
    assert done.stderr.startswith("listening to triage as tool.x.triage; ")
    assert done.stdout == '{"id": "one"}\n'
    monkeypatch.undo()
    assert "listening" not in run("subscribe", "triage", "--as", "a b").output


def test_a_subscription_with_a_tools_credential_needs_neither_a_stack_nor_a_name(run, monkeypatch):
    def heard(stage, name, uri, on_listening, **_):
        on_listening()
        yield {"id": f"{name} {uri}"}

    uri = "amqp://tool.my-tool:s3cret@localhost/nkk"
    monkeypatch.setenv("NKK_TOOL_URI", uri)
    monkeypatch.setattr("ops.cli.events.subscribe_to", heard)
    done = run("subscribe", "triage")
    assert done.stderr.startswith("listening to triage as tool.my-tool.triage; ")
    assert done.stdout == f'{{"id": "None {uri}"}}\n'
    monkeypatch.setenv("NKK_TOOL_URI", "s3cret")
    assert "NKK_TOOL_URI is not a URL" in run("subscribe", "triage").output
    assert "s3cret" not in run("subscribe", "triage").output


@pytest.mark.parametrize(
    ("written", "since"),
    [
        (None, None),
        ("first", "first"),
        ("2026-11-01", datetime(2026, 11, 1, tzinfo=UTC)),
        ("2026-11-01T08:30", datetime(2026, 11, 1, 8, 30, tzinfo=UTC)),
        ("2026-11-01T08:30:15Z", datetime(2026, 11, 1, 8, 30, 15, tzinfo=UTC)),
        ("2026-11-01T08:30+07:00", datetime(2026, 11, 1, 1, 30, tzinfo=UTC)),
    ],
)
def test_since_when_past_events_are_printed(run, monkeypatch, written, since):
    asked = []
    monkeypatch.setenv("AMQP_URI", "amqp://localhost")
    monkeypatch.setattr("ops.cli.events.subscribe_to", lambda *_, since, **__: asked.append(since) or [])
    assert run("subscribe", "triage", "--as", "x", *(("--since", written) if written else ())).exit_code == 0
    assert asked == [since]


@pytest.mark.parametrize("written", ["", "yesterday", "2026-13-01", "01-11-2026", "2026-11-01T25:00"])
def test_a_moment_that_cannot_be_read_is_named(run, written):
    done = run("subscribe", "triage", "--since", written)
    assert done.exit_code == 2
    assert f"{written!r} is no moment: write 2026-11-01" in done.output


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "mail is kept in /var/mail and goes to nobody (NKK_SMTP_URL is not set)"),
        (
            {
                "NKK_SMTP_URL": "smtp://nkk:s3cret@mail.example.id:587?starttls=1",
                "NKK_MAIL_FROM": "NKK <nkk@example.id>",
            },
            "mail goes out by smtp://mail.example.id:587 (NKK_SMTP_URL), from NKK <nkk@example.id>",
        ),
    ],
)
def test_a_stack_says_where_mail_really_goes_and_no_password(settings, said):
    stack = SimpleNamespace(environment=lambda process: {"NKK_MAIL_DIR": "/var/mail"} | settings)
    assert _mail(stack) == said


def test_the_version_is_the_packages(run):
    assert run("--version").output == f"nkk {metadata.version('nkk')}\n"


@pytest.fixture
def opened(monkeypatch):
    """The addresses that a browser was asked to open."""
    asked = []
    monkeypatch.setattr("webbrowser.open", asked.append)
    for screen in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(screen, raising=False)
    return asked


def test_where_there_is_a_screen_a_browser_opens_the_site(opened, monkeypatch, capsys):
    monkeypatch.setenv("DISPLAY", ":0")
    open_site("http://127.0.0.1:8080", Path("var"))
    assert opened == ["http://127.0.0.1:8080"]
    assert "http://127.0.0.1:8080" in capsys.readouterr().err


def test_without_a_screen_the_url_is_said_and_nothing_fails(opened, monkeypatch, capsys):
    open_site("http://127.0.0.1:8080", Path("var"))
    said = capsys.readouterr().err
    assert "http://127.0.0.1:8080" in said
    assert "no screen" in said
    assert opened == []
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr("webbrowser.open", lambda url: False)
    open_site("http://127.0.0.1:8080", Path("var"))
    assert "no browser" in capsys.readouterr().err


def test_a_demonstration_beside_a_stack_opens_its_site_afterwards_where_that_is_asked(run, monkeypatch, tmp_path):
    done = []

    def run_it(url, _staff, _echo, _folder, lapse, age):
        done.append(f"carried {url}, {'none' if age is None else 'some'} stay")
        return True

    monkeypatch.setattr("ops.demo.journey.run", run_it)
    monkeypatch.setattr("ops.cli.running.open_site", lambda url, var: done.append(f"opened {url}"))
    with occupied(tmp_path):
        started(tmp_path)
        (tmp_path / "staff.json").write_text("{}")
        assert run("demo").exit_code == run("demo", "--open").exit_code == 0
    assert done == ["carried http://there, none stay", "carried http://there, some stay", "opened http://there"]


def started(var, **more):
    """Write what a stack in `var` writes when it starts."""
    environment = {f"{stage.upper()}_DATABASE_URL": f"sqlite:////{stage}.db" for stage in STAGES}
    write_secret(var / "running.json", json.dumps({"url": "http://there", "environment": environment} | more))


@pytest.fixture
def lapsed(monkeypatch):
    """The questions that were made to lapse, each as (database, ticket)."""
    found = []
    monkeypatch.setattr("ops.demo.lapsing.let_lapse", lambda url, ticket: found.append((url, ticket)) or 1)
    return found


LAPSE = ("demo", "--lapse", TICKET)


def test_a_question_lapses_on_a_stack_that_mails_to_nobody(run, lapsed, tmp_path):
    with occupied(tmp_path):
        started(tmp_path, mails=False)
        done = run(*LAPSE)
    assert (done.exit_code, lapsed) == (0, [("sqlite:////notification.db", TICKET)])
    assert TICKET in done.output


def test_a_question_lapses_on_no_stack_that_mails_to_people(run, lapsed, tmp_path):
    with occupied(tmp_path):
        for more in ({"mails": True}, {}):
            started(tmp_path, **more)
            refused = run(*LAPSE)
            assert (refused.exit_code, lapsed) == (1, [])
            assert "NKK_SMTP_URL" in refused.output


def test_a_question_lapses_only_on_a_stack_that_runs_in_the_folder(run, lapsed, monkeypatch, tmp_path):
    # The database of an office, whose processes were started one by one.
    monkeypatch.setenv("NOTIFICATION_DATABASE_URL", "sqlite:////office.db")
    started(tmp_path, mails=False)
    refused = run(*LAPSE)
    assert (refused.exit_code, lapsed) == (1, [])
    assert "no stack is running" in refused.output


def test_what_is_no_ticket_or_has_no_open_question_is_said(run, lapsed, monkeypatch, tmp_path):
    with occupied(tmp_path):
        started(tmp_path, mails=False)
        assert "is not a ticket" in run("demo", "--lapse", "NKK-2026-7H4K").output
        assert lapsed == []
        monkeypatch.setattr("ops.demo.lapsing.let_lapse", lambda url, ticket: 0)
        refused = run(*LAPSE)
    assert refused.exit_code == 1
    assert f"no open question about {TICKET}" in refused.output


def test_commands_read_no_package_that_is_for_one_of_them_alone():
    """Each of these would slow down the start of every command."""
    program = "import sys, ops.cli; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert "ops.stack.run" in loaded
    assert not {"docker", "requests", "alembic", "sqlalchemy", "reportlab", "docx", "openpyxl", "PIL"} & set(loaded)
