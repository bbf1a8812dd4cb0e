"""Uploads by the clients that others have made, as they are: tuspy, tus-js-client (which Uppy uses) and curl."""

import hashlib
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tusclient.client import TusClient

from ops.stack.broker import install_packages
from tests.chaos.proxy import Proxy
from tests.installations import Installation, eventually
from tests.people import People, Person

DATABASES = ["postgres"]

HERE = Path(__file__).parent / "uploading"
TEXT = b"".join(f"Baris {number} dari bukti.\n".encode() for number in range(120_000))


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the script with the clients of npm."""
    folder = tmp_path_factory.mktemp("uploading")
    shutil.copytree(HERE, folder, dirs_exist_ok=True)
    if not shutil.which("npm"):
        install_packages("nodejs", "npm")
    command = ["npm", "ci", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture
def reporter(people: People) -> Person:
    return people.reporter()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "surat.txt"
    path.write_bytes(TEXT)
    return path


def is_ready(reporter: Person, location: str) -> dict[str, Any]:
    """Wait until an upload is ready, and check that all of it came."""
    id = location.rpartition("/")[2]

    def told() -> dict[str, Any]:
        found: dict[str, Any] = reporter.get(f"/uploads/{id}")
        assert found["state"] != "refused", found
        return found if found["state"] == "ready" else {}

    found = eventually(told)
    assert (found["came_size"], found["came_sha256"]) == (len(TEXT), hashlib.sha256(TEXT).hexdigest())
    assert (found["media_type"], found["name"]) == ("text/plain", "surat.txt")
    return found


@pytest.mark.parametrize("chunk", [None, 100_000, 1_000_000])
def test_tuspy(whole: Installation, reporter: Person, file: Path, chunk: int | None) -> None:
    client = TusClient(f"{whole.url}/api/v1/uploads", headers={"Authorization": f"Bearer {reporter.token}"})
    how = {"chunk_size": chunk} if chunk else {}
    with file.open("rb") as stream:
        sending = client.uploader(file_stream=stream, metadata={"filename": "surat.txt"}, **how)
        sending.upload()
    is_ready(reporter, sending.url)


@pytest.mark.parametrize("chunk", ["", "300000"])
def test_tus_js_client(whole: Installation, reporter: Person, scripts: Path, file: Path, chunk: str) -> None:
    command = ["node", "send.mjs", f"{whole.url}/api/v1/uploads", str(reporter.token), str(file), chunk]
    done = subprocess.run(command, cwd=scripts, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    is_ready(reporter, done.stdout.strip())


def test_one_whose_line_breaks_again_and_again_arrives_whole(
    whole: Installation, reporter: Person, scripts: Path, file: Path
) -> None:
    with Proxy([("127.0.0.1", whole.stack.port)]) as line:
        line.behave("delay")
        endpoint = f"http://127.0.0.1:{line.port}/api/v1/uploads"
        command = ["node", "send.mjs", endpoint, str(reporter.token), str(file)]
        with subprocess.Popen(command, cwd=scripts, stdout=subprocess.PIPE, text=True) as sending:
            for _ in range(3):
                eventually(lambda: line.connections > 0)
                line.behave("reset")
                eventually(lambda: line.connections == 0)
                line.behave("delay")
            line.behave("pass")
            location, _ = sending.communicate(timeout=120)
    assert sending.returncode == 0
    is_ready(reporter, location.strip())


@pytest.mark.usefixtures("curl")
def test_curl_and_other_simple_clients(whole: Installation, reporter: Person, file: Path) -> None:
    endpoint, bearer = f"{whole.url}/api/v1/uploads", f"Authorization: Bearer {reporter.token}"
    command = ["curl", "--silent", "--show-error", "--fail", "-H", bearer, "-F", f"file=@{file}", endpoint]
    done = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    is_ready(reporter, done["uploads"][0]["id"])
