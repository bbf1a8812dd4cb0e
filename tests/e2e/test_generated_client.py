"""A client that a public generator makes from the OpenAPI document submits a complaint."""

import json
import shutil
import subprocess
from pathlib import Path

import httpx
import pytest

from ops.stack.broker import install_packages
from tests.builders import complaint_form
from tests.installations import Installation
from tests.people import REGISTRATION, People

DATABASES = ["postgres"]
PROGRAM = Path(__file__).parent / "generated"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The program and the generator, with the versions and digests of its lock."""
    if not shutil.which("npm"):
        install_packages("nodejs", "npm")
    shutil.copytree(PROGRAM, tmp_path, dirs_exist_ok=True, ignore=shutil.ignore_patterns("node_modules"))
    run(tmp_path, "npm", "ci", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund")
    return tmp_path


def run(folder: Path, *command: str) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.long
def test_a_generated_client_submits_a_complaint_and_reads_it(whole: Installation, people: People, folder: Path) -> None:
    (folder / "openapi.json").write_text(httpx.get(f"{whole.url}/api/v1/openapi.json").text)
    generator = "node_modules/swagger-typescript-api/dist/cli.js"
    run(folder, "node", generator, "generate", "--js", "--path=openapi.json", "--output=.", "--name=client")
    given = {"registration": REGISTRATION | {"username": "klien-buatan"}, "complaint": complaint_form()}
    (folder / "package.json").write_text('{"type": "module"}')
    printed = json.loads(run(folder, "node", "report.mjs", whole.url, json.dumps(given)))
    first, again = printed["receipts"]
    assert first == again
    assert printed["known"]["ticket"] == first["ticket"]
    assert printed["known"]["category"] == given["complaint"]["category"]
    assert printed["refusal"]["type"] == "urn:nkk:problem:invalid-input"
    people.operator.get(f"/complaints/{first['ticket']}")
