"""The settings that compose would give to the processes are checked by the processes' own rules."""

import json

import pytest
from click.testing import CliRunner

from nkk.contracts import STAGES
from ops.cli import main
from ops.stack.composed import CHECKED
from ops.stack.keys import new_keys

KEYS = new_keys()


def composed(**wrong):
    usual = {
        "AMQP_URI": "amqp://x:y@rabbitmq/nkk",
        "NKK_SITE_URL": "https://pengaduan.example.id",
        "NKK_SMTP_URL": "smtp://nkk:pa$$word@mail.example.id",
        "NKK_MAIL_FROM": "pengaduan@example.id",
        "NKK_TEMPLATES": "/templates",
        "NKK_MAX_WORKERS": None,
        "NKK_BIND": "0.0.0.0:8000",
        "WEBHOOKS_DATABASE_URL": "postgresql+psycopg2://webhooks:x@postgres/webhooks",
    } | KEYS
    named = {process: {setting.name for setting in settings} for process, settings in CHECKED.items()}
    given = usual | wrong
    services = {process: {"environment": {name: given.get(name) for name in named[process]}} for process in named}
    for stage in STAGES:
        services[stage]["environment"]["DATABASE_URL"] = f"postgresql+psycopg2://{stage}:x@postgres/{stage}"
    return json.dumps({"services": {"rabbitmq": {}} | services})


def ask(config, tmp_path):
    done = CliRunner().invoke(main, ["--var", str(tmp_path), "settings"], input=config)
    return done.exit_code, done.output


def test_what_every_process_takes_passes(tmp_path):
    assert ask(composed(), tmp_path) == (0, "every process takes its settings\n")


def test_an_installation_without_webhooks_passes_and_one_without_a_stage_is_something_else(tmp_path):
    config = json.loads(composed())
    del config["services"]["webhooks"]
    assert ask(json.dumps(config), tmp_path)[0] == 0
    del config["services"]["triage"]
    assert ask(json.dumps(config), tmp_path)[0] == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NKK_SITE_URL", "foo"),
        ("NKK_SMTP_URL", "http://x"),
        ("NKK_LIMIT_LOGIN", "lots"),
        ("NKK_TRUSTED_PROXIES", "2"),
        ("NKK_TOOL_DAYS", "90"),
        ("NKK_SITE_KEY", None),
    ],
)
def test_what_a_process_would_refuse_is_named_once(name, value, tmp_path):
    code, said = ask(composed(**{name: value}), tmp_path)
    assert code == 1
    assert said.count(name) == 1


def test_where_compose_gives_nothing_each_written_setting_is_looked_at_by_itself(tmp_path):
    lines = [f"{name}\t{value}" for name, value in KEYS.items()]
    written = [
        "NKK_SITE_URL\tfoo",
        "NKK_LIMIT_LOGIN\tlots",
        "NKK_TEMPLATES\t./of-the-host",
        "NKK_TOOLS_CERTIFICATE\t./of-the-host.pem",
        "NKK_TOOLS_ADDRESS\tall",
        "RABBITMQ_PASSWORD\tx",
        "NKK_SMTP_URL\tsmtp://nkk:pa$word@mail.example.id",
        "NKK_MAIL_FROM\t",
    ]
    done = CliRunner().invoke(main, ["--var", str(tmp_path), "settings", "--written"], input="\n".join(lines + written))
    assert done.exit_code == 1
    assert all(
        name in done.output
        for name in ("3 settings", "NKK_TOOLS_ADDRESS=all", "NKK_SITE_URL=foo", "NKK_LIMIT_LOGIN=lots")
    )
    done = CliRunner().invoke(main, ["--var", str(tmp_path), "settings", "--written"], input="\n".join(lines))
    assert (done.exit_code, done.output) == (0, "every written setting can be used\n")


def test_all_is_named_at_once(tmp_path):
    code, said = ask(composed(NKK_SITE_URL="foo", NKK_LIMIT_LOGIN="lots", NKK_MAX_WORKERS="0"), tmp_path)
    assert code == 1
    assert all(name in said for name in ("3 settings", "NKK_SITE_URL=foo", "NKK_LIMIT_LOGIN=lots", "NKK_MAX_WORKERS=0"))


@pytest.mark.parametrize("written", [[], ["--written"]], ids=["composed", "written"])
@pytest.mark.parametrize(
    "given",
    [b"", b"rubbish", b'{"services": {"web": {}}}', b"[1]", b"\xff\xfe", b'{"services": {"intake": 1}}', b"null"],
)
def test_what_is_something_else_is_answered_with_what_to_pipe_in(given, written, tmp_path):
    done = CliRunner().invoke(main, ["--var", str(tmp_path), "settings", *written], input=given)
    assert done.exit_code == 1
    assert done.output.startswith("Error: The input is ")
    assert (
        "deploy/check.sh written" if written else "docker compose config --format json | nkk settings"
    ) in done.output
