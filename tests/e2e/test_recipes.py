"""The recipes of docs/recipes.md, run one after another in one shell."""

import json
import re
import subprocess
import sys
from pathlib import Path
from shlex import quote

import pytest

from ops.stack.broker import PrivateNode
from ops.stack.run import Stack
from tests.installations import installation, new_vhost
from tests.people import People

RECIPES = Path(__file__).resolve().parents[2] / "docs" / "recipes.md"
STEPS = re.compile(r"^## (?P<title>[^\n]+)$|^```sh\n(?P<commands>.*?)^```$", re.M | re.S)

STRICT = "set -euo pipefail\nrecipe=\ntrap 'echo \"in: $recipe\" >&2; kill $(jobs -p) 2> /dev/null || true' ERR EXIT\n"


def as_script() -> str:
    """Return a script of all `sh` blocks, each with the title of its recipe."""
    steps = STEPS.finditer(RECIPES.read_text("utf-8"))
    return STRICT + "".join(step["commands"] or f"recipe={quote(step['title'])}\n" for step in steps)


@pytest.mark.long
@pytest.mark.usefixtures("curl")
def test_each_recipe_does_what_it_says(rabbit: PrivateNode, tmp_path: Path) -> None:
    (tmp_path / ".venv").symlink_to(sys.prefix)
    with installation(tmp_path / "var", new_vhost(rabbit), stack_cls=Stack) as running:
        People(running).close()
        done = subprocess.run(
            ["bash", "-c", as_script()], cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False
        )
    assert done.returncode == 0, done.stderr
    assert "events waiting" in done.stdout
    assert "kalender versi" in done.stdout
    assert re.search(r"\d+ identities are encrypted with the newest key", done.stderr)
    assert "dinas-pariwisata" in json.loads((tmp_path / "var" / "recipes" / "catalogue.json").read_text())["opds"]
    assert (tmp_path / "var" / "recipes" / "data-pengaduan.pdf").read_bytes().startswith(b"%PDF")
