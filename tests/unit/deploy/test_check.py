"""All settings that an installation cannot work with are reported together, before anything starts."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from ops.stack.keys import new_keys, new_passwords

ROOT = Path(__file__).resolve().parents[3]
REQUIRED = set(re.findall(r"^([A-Z_]+)=$", (ROOT / ".env.example").read_text(), re.M)) - {
    "RABBITMQ_TOOLING_PASSWORD",
    "NKK_SMTP_URL",
}
GOOD = (
    new_keys()
    | new_passwords()
    | {
        "NKK_SITE_URL": "https://pengaduan.example.id",
        "NKK_SMTP_URL": "smtp://mail.example.id",
        "NKK_MAIL_FROM": "'\"Pengaduan, Kota Contoh\" <pengaduan@example.id>'",
    }
)
DOCKER = """#!/bin/sh
case "$*" in
    "image inspect "*) [ -f image ] ;;
    "compose config "*) echo "level=warning" >&2; cat composed ;;
    "run "*) cat > given; cat answer; exit "${ENDS:-0}" ;;
esac
"""


@pytest.fixture
def check(tmp_path):
    shutil.copy(ROOT / ".env.example", tmp_path)
    (tmp_path / "docker").write_text(DOCKER)
    (tmp_path / "docker").chmod(0o755)
    (tmp_path / "answer").write_text("every process takes its settings\n")

    def ask(*arguments, **environment):
        done = subprocess.run(
            [ROOT / "deploy/check.sh", *arguments],
            cwd=tmp_path,
            check=False,
            timeout=60,
            text=True,
            env={"PATH": f"{tmp_path}:{os.environ['PATH']}"} | environment,
            capture_output=True,
        )
        return done.returncode, done.stderr.splitlines()[1:] or done.stdout.splitlines()

    return ask


@pytest.fixture
def write(tmp_path):
    def put(*lines, line_end="\n", **values):
        there = [f"{name}={value}" for name, value in (GOOD | values).items()]
        (tmp_path / ".env").write_text("".join(f"{line}{line_end}" for line in [*there, *lines]), newline="")

    return put


def named(lines):
    return {line.split()[0] for line in lines}


def test_what_webhooks_need_is_missing_only_where_there_are_webhooks(check, write):
    unset = {"NKK_WEBHOOKS_KEYS": "", "POSTGRES_WEBHOOKS_PASSWORD": ""}
    write(**unset)
    assert check("written")[0] == 0
    write("COMPOSE_FILE=docker-compose.yml:deploy/webhooks.yaml", **unset)
    code, lines = check("written")
    assert (code, named(lines)) == (1, {*unset})


def test_everything_that_is_missing_is_named(check, tmp_path):
    code, lines = check()
    assert (code, named(lines)) == (1, REQUIRED | {"NKK_SMTP_URL"})
    (tmp_path / ".env").write_text("POSTGRES_PASSWORD=\nNKK_SITE_URL=''\n#NKK_MAIL_FROM=a@example.id\n")
    code, lines = check()
    assert (code, named(lines)) == (1, REQUIRED | {"NKK_SMTP_URL"})


def test_what_stands_in_the_file_or_in_the_environment_is_there(check, write):
    write(NKK_SITE_URL="", NKK_MAIL_FROM="")
    code, lines = check()
    assert (code, named(lines)) == (1, {"NKK_SITE_URL", "NKK_MAIL_FROM"})
    code, _ = check(NKK_SITE_URL="https://x.example.id", NKK_MAIL_FROM="Pengaduan <a@example.id>")
    assert code == 0


@pytest.mark.parametrize("nothing", ["", " ", "\t", "\r", "  # later", "# later", "''", '""  # later'])
def test_what_is_empty_for_compose_is_missing(check, write, nothing):
    write(NKK_MAIL_FROM=nothing)
    code, lines = check()
    assert (code, lines) == (1, ["  NKK_MAIL_FROM is missing."])


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_what_is_in_order_is_said_to_have_been_looked_at(check, write, line_end):
    write("# a remark", "", "export NKK_PORT=8443 # the port", "NKK_IMAGE=${NAMED:-nkk:local}", line_end=line_end)
    code, lines = check("written")
    assert code == 0
    assert lines[0].startswith("checked: ")
    assert "was not looked at" in lines[0]


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("NKK_MAIL_FROM", '"Pengaduan, Kota Contoh" <pengaduan@example.id>', "second"),
        ("NKK_MAIL_FROM", "'Mu'in <pengaduan@example.id>'", "second"),
        ("NKK_MAIL_FROM", '"Pengaduan', "nothing ends"),
        ("NKK_SMTP_URL", "smtp://nkk:pa$word@mail.example.id", "single quotes"),
        ("NKK_SMTP_URL", '"smtp://nkk:pa$word@mail.example.id"', "single quotes"),
        ("NKK_SMTP_URL", "smtp://nkk:pa#word@mail.example.id # the relay", "single quotes"),
        ("POSTGRES_PASSWORD", "a/b@c", "letters, digits"),
        ("RABBITMQ_GATEWAY_PASSWORD", "'a b'", "letters, digits"),
        ("NKK_SMTP_URL", "  # later", "mail-files.yaml"),
        ("NKK_PORT", "99999", "1 to"),
        ("NKK_PORT", "127.0.0.1:80", "NKK_ADDRESS"),
        ("NKK_HTTPS_PORT", "::1:0", "1 to"),
        ("NKK_TRIAGE_INSTANCES", "-1", "1 to 99"),
        ("NKK_INTAKE_INSTANCES", "two", "1 to 99"),
        ("NKK_SMPT_URL", "smtp://mail.example.id", ".env.example"),
    ],
)
def test_what_compose_would_not_read_or_could_not_use_is_named_with_what_to_write(check, write, name, value, why):
    write(**{name: value})
    code, lines = check("written")
    assert (code, named(lines)) == (1, {name})
    assert why in lines[0]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NKK_SMTP_URL", "'smtp://nkk:pa$word@mail.example.id'"),
        ("NKK_SMTP_URL", "smtp://nkk:pa$$word@mail.example.id"),
        ("NKK_MAIL_FROM", '"Pengaduan <pengaduan@example.id>"'),
        ("NKK_HTTPS_PORT", "127.0.0.1:443"),
        ("NKK_TOKEN_PUBLIC_KEY", '"-----BEGIN PUBLIC KEY-----\nx\n-----END PUBLIC KEY-----"'),
    ],
)
def test_what_compose_reads_is_taken(check, write, name, value):
    write(**{name: value})
    assert check("written")[0] == 0


def test_letters_may_be_kept_as_files(check, write):
    write(NKK_SMTP_URL="", COMPOSE_FILE="docker-compose.yml:deploy/tls.yaml")
    assert check()[0] == 1
    write(NKK_SMTP_URL="", COMPOSE_FILE="docker-compose.yml:deploy/mail-files.yaml")
    assert check()[0] == 0


def test_a_line_that_is_no_setting_is_named(check, write):
    write("NKK_PORT 8080")
    code, lines = check()
    assert (code, lines) == (1, [f"  line {len(GOOD) + 1} is none that compose reads: NAME=value."])


def test_what_values_mean_the_image_is_asked_where_there_is_one(check, write, tmp_path):
    write(NKK_SITE_URL="foo", NKK_PORT="0")
    composed = json.dumps({"services": {"intake": {"environment": {"NKK_TOKEN_SIGNING_KEY": "a\\nb"}}}})
    (tmp_path / "composed").write_text(composed)
    (tmp_path / "answer").write_text("NKK_SITE_URL=foo is not a URL with a host.\n")
    code, lines = check()
    assert (code, named(lines)) == (1, {"NKK_PORT"})
    (tmp_path / "image").touch()
    # With Podman's API, every `run --rm` exits with 0.
    for ends in ("0", "1"):
        code, lines = check(ENDS=ends)
        assert (code, named(lines)) == (1, {"NKK_PORT", "NKK_SITE_URL=foo"})
    assert (tmp_path / "given").read_text().strip() == composed
    write()
    (tmp_path / "answer").write_text("every process takes its settings\n")
    code, lines = check()
    assert (code, lines[0][-35:]) == (0, "and every process takes its settings"[-35:])


def test_what_compose_itself_refuses_is_said(check, write, tmp_path):
    write()
    (tmp_path / "image").touch()
    code, lines = check()
    assert code == 1
    assert "composed" in "".join(lines)
    (tmp_path / "answer").write_text("every written setting can be used\n")
    write(NKK_PORT="0")
    code, lines = check()
    assert (code, named(lines)) == (1, {"NKK_PORT"})


def test_what_is_missing_and_what_cannot_be_meant_are_named_in_one_round(check, write, tmp_path):
    """Compose stops at missing settings; the image checks each of the others separately."""
    (tmp_path / "image").touch()
    (tmp_path / "answer").write_text(
        "Error: 2 settings cannot be used:\n  NKK_SITE_URL=foo is not a URL with a host.\n"
        "  NKK_LIMIT_LOGIN=lots is not a rate limit.\n"
    )
    write("NKK_LIMIT_LOGIN=lots", NKK_SITE_URL="foo", NKK_MAIL_FROM="", NKK_PORT="0")
    code, lines = check(ENDS="1")
    assert (code, named(lines)) == (1, {"NKK_MAIL_FROM", "NKK_PORT", "NKK_SITE_URL=foo", "NKK_LIMIT_LOGIN=lots"})
    given = dict(line.split("\t", 1) for line in (tmp_path / "given").read_text().splitlines())
    assert given.items() >= {"NKK_SITE_URL": "foo", "NKK_LIMIT_LOGIN": "lots"}.items()
    assert not {"NKK_MAIL_FROM", "NKK_PORT"} & set(given)


@pytest.mark.parametrize("answer", ["", "Usage: nkk [OPTIONS]\n\nError: No such command 'settings'.\n"])
def test_an_image_of_another_version_is_named(check, write, tmp_path, answer):
    write()
    (tmp_path / "image").touch()
    (tmp_path / "composed").write_text("{}")
    (tmp_path / "answer").write_text(answer)
    code, lines = check()
    assert code == 1
    assert "nkk:local is of another version" in lines[0]
