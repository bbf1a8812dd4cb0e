"""The settings that a stack on this machine takes from the environment, and its messages about unused ones."""

import json
import os
from types import SimpleNamespace

import pytest

from nkk.settings import OF, SettingsError
from ops.stack.keys import new_keys
from ops.stack.ready import Broker
from ops.stack.run import Stack
from tests.certificates import own_certificate


@pytest.fixture
def stack(tmp_path, monkeypatch):
    for name in [name for name in os.environ if name.startswith("NKK_") or name == "DATABASE_URL"]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    made = Stack(tmp_path / "var", echo=print)
    made.port, made.keys, made._door = 8123, new_keys(), SimpleNamespace(fileno=lambda: 7)
    return made


def test_letters_and_documents_name_the_site_as_the_environment_does(stack, monkeypatch):
    assert stack.environment("gateway")["NKK_SITE_URL"] == "http://127.0.0.1:8123"
    monkeypatch.setenv("NKK_SITE_URL", "https://pengaduan.example.id")
    assert {stack.environment(process)["NKK_SITE_URL"] for process in ("gateway", "notification")} == {
        "https://pengaduan.example.id"
    }
    assert stack.left_aside() == []


@pytest.mark.parametrize("name", ["NKK_BIND", "NKK_MAIL_DIR", "NKK_PULSE_FOLDER", "DATABASE_URL"])
def test_what_is_set_and_settled_otherwise_is_named_with_why(stack, monkeypatch, name):
    monkeypatch.setenv(name, "/elsewhere")
    (line,) = stack.left_aside()
    assert line.startswith(f"not used: {name}. ")
    assert all(why in line for why in ("http://127.0.0.1:8123", str(stack.var), "INTAKE_DATABASE_URL"))


def test_a_setting_that_no_process_knows_is_named(stack, monkeypatch):
    monkeypatch.setenv("NKK_SMPT_URL", "smtp://mail.example.id")
    monkeypatch.setenv("NKK_MAIL_FROM", "pengaduan@example.id")
    monkeypatch.setenv("NKK_VAR", "var")
    (line,) = stack.left_aside()
    assert "NKK_SMPT_URL" in line
    assert "example" not in line


def test_the_settings_of_commands_are_known_and_no_process_is_given_what_administers_the_broker(stack, monkeypatch):
    monkeypatch.setenv("NKK_BROKER_API", "http://nkk:secret@there:15672")
    monkeypatch.setenv("NKK_TOOL_DAYS", "7")
    assert stack.left_aside() == []
    assert not any("NKK_BROKER_API" in stack.environment(process) for process in OF)


def test_commands_find_the_brokers_management_api_and_where_tools_connect(stack, monkeypatch, tmp_path):
    stack.var.mkdir()
    stack._broker = Broker("amqp://there", "http://nkk:secret@there:15672")
    stack._write_environment()
    told = running_environment(stack)
    assert told["NKK_BROKER_API"] == "http://nkk:secret@there:15672"
    assert not {"NKK_TOOLS_HOST", "NKK_TOOLS_PORT"} & set(told)
    certificate, key = own_certificate(tmp_path)
    monkeypatch.setenv("NKK_TOOLS_CERTIFICATE", str(certificate))
    monkeypatch.setenv("NKK_TOOLS_KEY", str(key))
    stack._write_environment()
    told = running_environment(stack)
    assert (told["NKK_TOOLS_HOST"], told["NKK_TOOLS_PORT"]) == ("127.0.0.1", "5671")


def test_a_broker_that_is_given_has_its_own_listeners(stack, monkeypatch, tmp_path):
    certificate, key = own_certificate(tmp_path)
    for name, value in (("AMQP_URI", "amqp://there"), ("NKK_TOOLS_CERTIFICATE", certificate), ("NKK_TOOLS_KEY", key)):
        monkeypatch.setenv(name, str(value))
    (line,) = stack.left_aside()
    assert line == "not used: NKK_TOOLS_CERTIFICATE. The broker of AMQP_URI has its own listeners"


def test_a_running_stack_says_whether_it_mails_to_people(stack, monkeypatch):
    stack.var.mkdir()
    stack._broker = Broker("amqp://there", "")
    for url in (None, "smtp://mail.example.id"):
        if url:
            monkeypatch.setenv("NKK_SMTP_URL", url)
        stack._write_environment()
        assert json.loads(stack.environment_file.read_text())["mails"] is bool(url)


def running_environment(stack):
    return json.loads(stack.environment_file.read_text())["environment"]


def test_a_certificate_without_its_key_is_refused_before_anything_starts(stack, monkeypatch, tmp_path):
    monkeypatch.setenv("NKK_TOOLS_CERTIFICATE", str(own_certificate(tmp_path)[0]))
    with pytest.raises(SettingsError, match="NKK_TOOLS_KEY is not set, and NKK_TOOLS_CERTIFICATE is"):
        stack.check_settings()


def test_a_file_for_compose_is_said_not_to_be_read(stack, tmp_path):
    assert stack.left_aside() == []
    (tmp_path / ".env").write_text("NKK_SITE_URL=https://pengaduan.example.id\n")
    (line,) = stack.left_aside()
    assert ".env" in line
