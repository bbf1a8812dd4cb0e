"""What an installation lacks is named all at once, before anything starts."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
REQUIRED = set(re.findall(r"^([A-Z_]+)=$", (ROOT / ".env.example").read_text(), re.M)) - {
    "RABBITMQ_TOOLING_PASSWORD", "NKK_SMTP_URL"}


@pytest.fixture
def check(tmp_path):
    shutil.copy(ROOT / ".env.example", tmp_path)

    def ask(**environment):
        done = subprocess.run([ROOT / "deploy/check.sh"], cwd=tmp_path, env={"PATH": os.environ["PATH"]} | environment,
                              capture_output=True, text=True, check=False, timeout=60)
        return done.returncode, set(done.stderr.split()[3:])

    return ask


def test_everything_that_is_missing_is_named(check, tmp_path):
    assert check() == (1, REQUIRED)
    (tmp_path / ".env").write_text("POSTGRES_PASSWORD=\nNKK_SITE_URL=''\n#NKK_MAIL_FROM=a@example.id\n")
    assert check() == (1, REQUIRED)


def test_what_stands_in_the_file_or_in_the_environment_is_there(check, tmp_path):
    lines = dict.fromkeys(REQUIRED - {"NKK_SITE_URL", "NKK_MAIL_FROM"}, "x")
    (tmp_path / ".env").write_text("".join(f"{name}={value}\n" for name, value in lines.items()))
    assert check() == (1, {"NKK_SITE_URL", "NKK_MAIL_FROM"})
    assert check(NKK_SITE_URL="https://x.example.id", NKK_MAIL_FROM="Pengaduan <a@example.id>") == (0, set())
