"""The compose file as data: secrets, permissions, and the order of starting."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from ipaddress import ip_address, ip_network
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from nkk.contracts import STAGES
from nkk.store.database import TELLS_NO_TEXT
from ops.stack import SERVICES
from ops.stack.container import WITH_COOKIE
from ops.stack.keys import NEEDED, PASSWORDS, new_keys
from tests.certificates import own_certificate

ROOT = Path(__file__).resolve().parents[3]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
PARTS: dict[str, dict[str, Any]] = COMPOSE["services"]
TLS = yaml.safe_load((ROOT / "deploy/tls.yaml").read_text())
TOOLS: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "deploy/tools.yaml").read_text())["services"]
WEBHOOKS: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "deploy/webhooks.yaml").read_text())["services"]
RUNNING = [*STAGES, "gateway"]
FOREIGN = ("rabbitmq", "postgres")
OURS = [name for name in PARTS if name not in FOREIGN]
LASTING = [*RUNNING, *FOREIGN]
ONE_SHOT = [name for name in OURS if name not in RUNNING]

SECRETS = {*new_keys(), *PASSWORDS}
VARIABLE = re.compile(r"\$\{(\w+)(?::?([-?])([^}]*))?\}")


def environment(part: str) -> dict[str, str]:
    return {name: value or "" for name, value in PARTS[part].get("environment", {}).items()}


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for item in value.values():
            yield from strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)
    elif isinstance(value, str):
        yield value


def variables(value: Any) -> set[tuple[str, str, str]]:
    """Return (name, "?" or "-", what follows) of every variable in `value`."""
    return {found for text in strings(value) for found in VARIABLE.findall(text)}


@pytest.mark.parametrize("name", sorted(SECRETS))
def test_a_secret_is_required_and_has_no_default(name):
    uses = {kind for used, kind, _ in variables([PARTS, WEBHOOKS]) if used == name}
    assert uses == {"?"}


def test_no_secret_is_written_out():
    for part in PARTS:
        for name, value in environment(part).items():
            if name in SECRETS:
                assert VARIABLE.fullmatch(value), f"{part}: {name}"
                assert VARIABLE.fullmatch(value)[1] == name, f"{part}: {name} is another's"
            if "://" in value:
                password = re.fullmatch(r"[a-z0-9+]+://[a-z_]+:(.*)@[a-z]+(/[a-z_]+|:15672)", value)
                assert VARIABLE.fullmatch(password[1]), f"{part}: {name}"


@pytest.mark.parametrize("part", RUNNING)
def test_a_process_holds_the_keys_it_needs_and_no_others(part):
    assert set(environment(part)) & set(new_keys()) == set(NEEDED[part])


@pytest.mark.parametrize(
    ("key", "owners"),
    [
        ("NKK_TOKEN_SIGNING_KEY", {"intake", "console"}),
        ("NKK_IDENTITY_KEYS", {"intake"}),
        ("NKK_LOGIN_INDEX_KEY", {"intake"}),
        ("NKK_INTAKE_PRIVATE_KEY", {"intake"}),
        ("NKK_NOTIFICATION_PRIVATE_KEY", {"notification"}),
        ("NKK_FILES_KEYS", {"gateway"}),
    ],
)
def test_a_private_key_reaches_its_owner_only(key, owners):
    assert {part for part in PARTS if key in {name for name, *_ in variables(PARTS[part])}} == owners


def test_the_console_is_started_by_hand_only():
    assert PARTS["console"]["profiles"] == ["console"]


@pytest.mark.parametrize("part", RUNNING)
def test_a_process_has_a_broker_user_of_its_own(part):
    variable = f"RABBITMQ_{part.upper()}_PASSWORD"
    assert environment(part)["AMQP_URI"] == f"amqp://{part}:${{{variable}:?unset}}@rabbitmq/nkk"
    holders = {name for name in PARTS if variable in {used for used, *_ in variables(PARTS[name])}}
    assert holders == {part, "definitions"}


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_has_a_database_and_a_role_of_its_own(stage):
    variable = f"POSTGRES_{stage.upper()}_PASSWORD"
    url = f"postgresql+psycopg2://{stage}:${{{variable}:?unset}}@postgres/{stage}"
    assert environment(stage)["DATABASE_URL"] == url
    assert environment(f"migrate-{stage}") == {"DATABASE_URL": url}
    holders = {name for name in PARTS if variable in {used for used, *_ in variables(PARTS[name])}}
    assert holders == {stage, f"migrate-{stage}", "postgres"}


def test_the_gateway_reaches_no_database():
    assert "DATABASE_URL" not in environment("gateway")
    assert "data" not in PARTS["gateway"]["networks"]


def test_every_service_gets_its_database_when_the_server_is_new():
    script = (ROOT / "deploy/postgres/databases.sh").read_text()
    assert f"|| set -- {' '.join(STAGES)}\n" in script
    assert 'REVOKE ALL ON DATABASE :"service" FROM PUBLIC' in script
    assert "REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC" in script


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_is_run_by_name(stage):
    assert PARTS[stage]["command"] == ["nameko", "run", "--config", "services/nameko.yaml", SERVICES[stage]]


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_starts_after_its_migrations_and_the_topology(stage):
    waits = {name: wait["condition"] for name, wait in PARTS[stage]["depends_on"].items()}
    assert waits == {
        "rabbitmq": "service_healthy",
        "topology": "service_completed_successfully",
        f"migrate-{stage}": "service_completed_successfully",
    }
    assert PARTS[f"migrate-{stage}"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    assert PARTS[f"migrate-{stage}"]["command"] == ["nkk", "migrate", stage]


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_can_be_scaled_by_a_setting(stage):
    assert not {"ports", "hostname"} & set(PARTS[stage])
    assert PARTS[stage]["deploy"] == {"replicas": f"${{NKK_{stage.upper()}_INSTANCES:-1}}"}


@pytest.mark.parametrize("part", RUNNING)
def test_a_process_of_ours_is_asked_how_it_is_itself_and_without_a_space(part):
    # Podman splits a check at spaces.
    check = PARTS[part]["healthcheck"]["test"]
    assert check == ["CMD", "python", "-m", "nkk.messaging.pulse", part]


@pytest.mark.parametrize("part", [*PARTS.values(), TLS["services"]["proxy"]])
def test_what_is_logged_is_kept_by_a_driver_that_docker_and_podman_have(part):
    assert part["logging"] == {"driver": "json-file", "options": {"max-size": "10m", "max-file": "5"}}


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_has_time_to_finish_what_is_in_flight(stage):
    from nkk.messaging.draining import DRAIN_SECONDS
    from nkk.messaging.relay import FLUSH_SECONDS

    assert int(PARTS[stage]["stop_grace_period"].removesuffix("s")) >= DRAIN_SECONDS + FLUSH_SECONDS


@pytest.mark.parametrize("part", PARTS)
def test_no_container_has_a_fixed_name(part):
    assert "container_name" not in PARTS[part]


@pytest.mark.parametrize("part", LASTING)
def test_what_lasts_comes_back_and_says_how_it_is(part):
    assert PARTS[part]["restart"] == "unless-stopped"
    assert PARTS[part]["healthcheck"]["test"][0] == "CMD"


@pytest.mark.parametrize("part", ONE_SHOT)
def test_what_runs_once_does_not_come_back(part):
    assert PARTS[part]["restart"] == "no"


@pytest.mark.parametrize("part", PARTS)
def test_nothing_runs_with_more_rights_than_it_needs(part):
    assert PARTS[part]["cap_drop"] == ["ALL"]
    assert PARTS[part]["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "cap_add", "pid", "devices"} & set(PARTS[part])
    assert PARTS[part].get("network_mode", "none") == "none"


@pytest.mark.parametrize("part", FOREIGN)
def test_a_foreign_image_is_pinned_and_not_run_as_root(part):
    assert re.fullmatch(r"[a-z]+:\d+(\.\d+)*(-\w+)?", PARTS[part]["image"])
    assert PARTS[part]["user"] == part


@pytest.mark.parametrize("part", OURS)
def test_our_containers_are_one_image_that_cannot_be_written(part):
    assert PARTS[part]["image"] == "${NKK_IMAGE:-nkk:local}"
    assert PARTS[part]["read_only"] is True
    assert "user" not in PARTS[part]


def test_the_image_is_pinned_locked_and_not_run_as_root():
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    assert {line.split()[1] for line in lines if line.startswith("FROM ")} == {"python:3.12-slim"}
    assert any("pip install --require-hashes" in line for line in lines)
    assert [line for line in lines if line.startswith("USER ")] == ["USER 10001:10001"]
    assert all(line.split(None, 1)[1].startswith("[") for line in lines if line.startswith(("CMD", "ENTRYPOINT")))


@pytest.mark.parametrize("part", [name for name in PARTS if "command" in PARTS[name]])
def test_a_command_is_started_without_a_shell(part):
    # A shell in between would not pass on the signal to stop.
    assert isinstance(PARTS[part]["command"], list)


def test_nothing_enters_the_image_unless_it_is_named():
    rules = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    assert rules[0] == "*"
    assert not {"!.", "!.env", "!var", "!.git", "!tests"} & set(rules)


def test_the_gateway_and_the_management_pages_are_published_for_this_machine_alone():
    published = {name: part["ports"] for name, part in PARTS.items() if "ports" in part}
    assert published == {
        "gateway": ["${NKK_ADDRESS:-127.0.0.1}:${NKK_PORT:-8080}:8000"],
        "rabbitmq": ["127.0.0.1:${NKK_RABBITMQ_UI_PORT:-15672}:15672"],
    }
    assert COMPOSE["networks"]["bus"]["internal"] is True
    assert COMPOSE["networks"]["data"]["internal"] is True


def test_letters_are_kept_as_files_only_where_there_is_no_mail_server():
    assert "volumes" not in PARTS["notification"]
    without = yaml.safe_load((ROOT / "deploy/mail-files.yaml").read_text())["services"]["notification"]
    assert without == {"environment": {"NKK_SMTP_URL": "", "NKK_MAIL_DIR": "/mail"}, "volumes": ["mail:/mail"]}


def test_an_agencys_own_templates_are_mounted_for_reading_into_the_gateway_alone():
    added = yaml.safe_load((ROOT / "deploy/templates.yaml").read_text())["services"]
    assert added == {
        "gateway": {
            "environment": {"NKK_TEMPLATES": "/templates"},
            "volumes": ["${NKK_TEMPLATES_FOLDER:?unset}:/templates:ro"],
        }
    }


def test_the_brokers_listener_for_tools_speaks_tls_alone_and_is_for_this_machine_unless_set_otherwise():
    assert TOOLS["rabbitmq"]["ports"] == ["${NKK_TOOLS_ADDRESS:-127.0.0.1}:${NKK_TOOLS_PORT:-5671}:5671"]
    conf = dict(
        line.split(" = ") for line in (ROOT / "deploy/rabbitmq/tls.conf").read_text().splitlines() if "=" in line
    )
    assert conf["listeners.ssl.default"] == "5671"
    assert not any(name.startswith("listeners.tcp") for name in conf)
    secrets = [f"/run/secrets/{name}" for name in TOOLS["rabbitmq"]["secrets"]]
    assert [conf["ssl_options.certfile"], conf["ssl_options.keyfile"]] == secrets


def test_only_topology_and_console_hold_what_administers_the_broker():
    holders = {name for name in PARTS if "NKK_BROKER_API" in environment(name)}
    assert holders == {"topology", "console"}
    for name in holders:
        assert environment(name)["NKK_BROKER_API"] == "http://admin:${RABBITMQ_ADMIN_PASSWORD:?unset}@rabbitmq:15672"


@pytest.fixture
def with_tls(tmp_path):
    """Run the broker's start script with a certificate and a key; the server that it would start says so."""
    (tmp_path / "rabbitmq-server").write_text("#!/bin/sh\ncat .erlang.cookie\necho ' served'\n")
    (tmp_path / "rabbitmq-server").chmod(0o755)

    def run(certificate, key):
        given = {"CERTIFICATE": str(certificate), "KEY": str(key), "HOME": str(tmp_path), "ERLANG_COOKIE": "secret"}
        return subprocess.run(
            ["sh", str(ROOT / "deploy/rabbitmq/with-tls.sh")],
            env=given | {"PATH": f"{tmp_path}:{os.environ['PATH']}"},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_the_broker_starts_with_its_cookie_where_certificate_and_key_belong_together(with_tls, tmp_path):
    done = with_tls(*own_certificate(tmp_path))
    assert (done.stdout, done.returncode) == ("secret served\n", 0), done.stderr


def test_a_certificate_or_key_that_cannot_be_used_is_said_in_a_sentence_and_nothing_starts(with_tls, tmp_path):
    for folder in ("other", "old"):
        (tmp_path / folder).mkdir()
    certificate, key = own_certificate(tmp_path)
    _, other = own_certificate(tmp_path / "other")
    expired, of_expired = own_certificate(tmp_path / "old", lasts=timedelta(days=-1))
    refused = {
        with_tls(tmp_path / "none", key).stderr: r"NKK_TOOLS_CERTIFICATE is no file that user \d+ can read\.",
        with_tls(key, key).stderr: r"NKK_TOOLS_CERTIFICATE is no certificate in PEM, followed by its chain\.",
        with_tls(certificate, certificate).stderr: r"NKK_TOOLS_KEY is no private key in PEM without a passphrase\.",
        with_tls(certificate, other).stderr: r"NKK_TOOLS_KEY is not the key of NKK_TOOLS_CERTIFICATE\.",
        with_tls(expired, of_expired).stderr: r"NKK_TOOLS_CERTIFICATE has expired: renew it\.",
    }
    for said, expected in refused.items():
        assert re.fullmatch(expected + r"\n", said), said
    assert not (tmp_path / ".erlang.cookie").exists()


def test_webhooks_hold_their_own_secrets_and_no_others():
    url = "postgresql+psycopg2://webhooks:${POSTGRES_WEBHOOKS_PASSWORD:?unset}@postgres/webhooks"
    assert WEBHOOKS["webhooks"]["environment"] == {
        "AMQP_URI": "amqp://rabbitmq/nkk",
        "WEBHOOKS_DATABASE_URL": url,
        "NKK_WEBHOOKS_KEYS": "${NKK_WEBHOOKS_KEYS:?unset}",
        "NKK_WEBHOOKS_ALLOWED": None,
    }
    assert WEBHOOKS["migrate-webhooks"]["environment"] == {"WEBHOOKS_DATABASE_URL": url}
    assert {name for name in WEBHOOKS["webhooks"]["environment"] if name in new_keys()} == set(NEEDED["webhooks"])
    superuser = {part for part in WEBHOOKS if "POSTGRES_PASSWORD" in {name for name, *_ in variables(WEBHOOKS[part])}}
    assert superuser == {"webhooks-database"}
    assert "ports" not in WEBHOOKS["webhooks"]


def test_webhooks_give_way_to_everything_else():
    assert WEBHOOKS["webhooks"]["cpu_shares"] == 20


def test_webhooks_come_after_their_database_and_run_with_no_more_rights_than_the_others():
    assert [*WEBHOOKS] == ["webhooks-database", "migrate-webhooks", "webhooks", "console"]
    for part in ("webhooks-database", "migrate-webhooks", "webhooks"):
        found = WEBHOOKS[part]
        assert (found["cap_drop"], found["security_opt"]) == (["ALL"], ["no-new-privileges:true"])
        assert found["logging"] == PARTS["intake"]["logging"]
    for part in ("migrate-webhooks", "webhooks"):
        same = ("build", "image", "init", "read_only", "tmpfs")
        assert {name: WEBHOOKS[part][name] for name in same} == {name: PARTS["intake"][name] for name in same}
    database = WEBHOOKS["webhooks-database"]
    assert (database["image"], database["user"]) == (PARTS["postgres"]["image"], "postgres")
    assert WEBHOOKS["migrate-webhooks"]["depends_on"] == {
        "webhooks-database": {"condition": "service_completed_successfully"}
    }
    check = WEBHOOKS["webhooks"]["healthcheck"]
    assert check["test"] == ["CMD", "python", "-m", "nkk.messaging.pulse", "webhooks"]
    assert {**check, "test": None} == {**PARTS["intake"]["healthcheck"], "test": None}


def test_the_proxy_with_tls_is_the_one_whose_word_is_taken_and_meets_the_gateway_alone():
    proxy, gateway = TLS["services"]["proxy"], TLS["services"]["gateway"]
    door = TLS["networks"]["door"]
    assert door["internal"] is True
    assert gateway["environment"] == {"NKK_TRUSTED_PROXIES": door["ipam"]["config"][0]["subnet"]}
    assert [name for name, part in TLS["services"].items() if "door" in part["networks"]] == ["gateway", "proxy"]
    assert not set(proxy["networks"]) & {name for part in PARTS.values() for name in part.get("networks", [])}
    # nginx resolves a name only once, so a replaced gateway must have the same address.
    network = ip_network(VARIABLE.fullmatch(door["ipam"]["config"][0]["subnet"])[3])
    there = [VARIABLE.fullmatch(part["networks"]["door"]["ipv4_address"])[3] for part in (gateway, proxy)]
    assert [ip_address(each) for each in there] == list(network.hosts())[1:3]
    # Neighbours may also remember its hardware address, so it is derived from the IP address, as Docker does.
    last_of_network = int(list(network.hosts())[1])
    number = ":".join(f"{byte:02x}" for byte in b"\x02\x42" + last_of_network.to_bytes(4, "big"))
    assert gateway["networks"]["door"]["mac_address"] == number
    (alias,) = gateway["networks"]["door"]["aliases"]
    assert f"server {alias}:8000;" in (ROOT / "deploy/nginx/nginx.conf").read_text()


def test_the_proxy_runs_with_no_more_rights_than_it_needs_and_writes_to_memory_alone():
    proxy = TLS["services"]["proxy"]
    assert (proxy["user"], proxy["read_only"], proxy["tmpfs"]) == ("101:101", True, ["/tmp"])
    assert (proxy["cap_drop"], proxy["security_opt"]) == (["ALL"], ["no-new-privileges:true"])
    assert re.fullmatch(r"nginx:\d+\.\d+", proxy["image"])
    written = re.findall(r"^\s*(?:\w+_temp_path|pid) (\S+);", (ROOT / "deploy/nginx/nginx.conf").read_text(), re.M)
    assert len(written) == 6
    assert all(path.startswith("/tmp/") for path in written)


def test_every_variable_is_explained_and_none_has_a_value():
    lines = (ROOT / ".env.example").read_text().splitlines()
    named = [(re.fullmatch(r"#?([A-Z_]+)=(.*)", line), before) for before, line in pairwise(lines)]
    named = [(match, before) for match, before in named if match]
    assert all(match[2] == "" for match, _ in named)
    assert all(before.startswith("# ") for _, before in named)
    added = [yaml.safe_load(file.read_text()) for file in sorted((ROOT / "deploy").glob("*.yaml"))]
    every = [*PARTS.values(), *WEBHOOKS.values()]
    handed_on = {name for part in every for name, value in part.get("environment", {}).items() if value is None}
    assert {match[1] for match, _ in named} == {name for name, *_ in variables([PARTS, *added])} | handed_on


def test_what_is_mounted_from_the_repository_is_there_and_read_only():
    mounts = [mount for part in PARTS.values() for mount in part.get("volumes", []) if str(mount).startswith("./")]
    assert len(mounts) == 2
    for mount in mounts:
        source, _, mode = mount.split(":")
        assert (ROOT / source).is_file()
        assert mode == "ro"


def test_the_broker_loads_what_is_rendered():
    *_, source, target = PARTS["definitions"]["command"]
    assert json.loads((ROOT / source).read_text())["users"]
    assert f"load_definitions = {target}" in (ROOT / "deploy/rabbitmq/rabbitmq.conf").read_text()


def test_the_brokers_cookie_is_written_before_it_starts():
    command = PARTS["rabbitmq"]["command"]
    assert command[-1].replace("$$", "$") == WITH_COOKIE
    assert environment("rabbitmq") == {"ERLANG_COOKIE": "${RABBITMQ_ERLANG_COOKIE:?unset}"}
    holders = {part for part in PARTS if "RABBITMQ_ERLANG_COOKIE" in {name for name, *_ in variables(PARTS[part])}}
    assert holders == {"rabbitmq"}


def test_the_database_server_logs_no_statement_that_failed():
    options = dict(option.split("=") for option in PARTS["postgres"]["command"] if "=" in option)
    assert options.items() >= TELLS_NO_TEXT.items()
