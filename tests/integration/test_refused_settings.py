"""A process with unusable settings does not start; it ends and names all of them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from nkk.settings import OF
from ops.stack import SERVICES
from ops.stack.run import PYTHONWARNINGS, ROOT

WRONG = {
    "AMQP_URI": "broker.example.id",
    "DATABASE_URL": "mysql://nkk:s3cret@db/nkk",
    "NKK_TOKEN_PUBLIC_KEY": "s3cret",
    "NKK_IDENTITY_KEYS": "s3cret",
    "NKK_MAX_WORKERS": "many",
    "NKK_RETRY_DELAYS": "soon",
    "NKK_MAIL_FROM": "Pengaduan, Kota <pengaduan@example.id>",
    "NKK_SITE_URL": "pengaduan.example.id",
    "NKK_SMTP_URL": "smtp://nkk:s3cret@mail.example.id?startls=1",
    "NKK_LIMIT_LOGIN": "often",
    "NKK_TRUSTED_PROXIES": "0.0.0.0/0",
    "NKK_GATEWAY_THREADS": "some",
}


def started(*command: str, **settings: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("NKK_")}
    return subprocess.run(
        [str(Path(sys.executable).with_name(command[0])), *command[1:]],
        cwd=ROOT,
        text=True,
        env=kept | {"PYTHONWARNINGS": PYTHONWARNINGS} | settings,
        capture_output=True,
        timeout=120,
        check=False,
    )


def is_named(name: str, said: str) -> bool:
    return any(line.strip().startswith((f"{name} ", f"{name}=")) for line in said.splitlines())


def stage_command(stage: str) -> tuple[str, ...]:
    return ("nameko", "run", "--config", "services/nameko.yaml", SERVICES[stage])


@pytest.mark.parametrize("process", OF)
def test_a_process_names_all_that_it_cannot_use_or_lacks_and_repeats_no_secret(process: str) -> None:
    commands = {
        "gateway": ("gunicorn", "--config", "gateway/gunicorn.py", "gateway:create_app()"),
        "webhooks": ("nkk", "webhooks", "run"),
    }
    ended = started(*commands.get(process) or stage_command(process), **WRONG)
    said = ended.stdout + ended.stderr
    assert ended.returncode != 0
    assert {setting.name for setting in OF[process] if is_named(setting.name, said)} == {
        setting.name for setting in OF[process] if setting.name in WRONG or setting.default is None
    }
    assert "s3cret" not in said
    assert "Traceback" not in said


def test_the_whole_is_not_begun_where_one_process_could_not_start(tmp_path: Path) -> None:
    wrong = {name: value for name, value in WRONG.items() if name != "DATABASE_URL"}
    ended = started("nkk", "--var", str(tmp_path), "run", **wrong, INTAKE_DATABASE_URL="mysql://nkk:s3cret@db/nkk")
    assert ended.returncode == 1
    assert all(is_named(name, ended.stderr) for name in [*wrong, "INTAKE_DATABASE_URL"]), ended.stderr
    assert "s3cret" not in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not (tmp_path / "db").exists()
    assert not (tmp_path / "log").exists()
