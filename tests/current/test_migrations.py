"""The migrations of each stage, and of the webhooks, create the tables in their code."""

import importlib
from pathlib import Path

import pytest

from nkk.contracts import STAGES
from nkk.store.migrations import differences, downgrade, upgrade

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("folder", "module"),
    [*((f"services/{stage}", f"services.{stage}.storage") for stage in STAGES), ("webhooks", "webhooks.tables")],
)
def test_migrations_match_the_models_and_can_be_taken_back(folder: str, module: str, tmp_path: Path) -> None:
    migrations = ROOT / folder / "migrations"
    metadata = importlib.import_module(module).metadata
    url = f"sqlite:///{tmp_path}/database.db"
    assert differences(metadata, url), "an empty database must differ, or this check sees nothing"
    upgrade(migrations, url)
    assert differences(metadata, url) == []
    downgrade(migrations, url, "base")
    assert differences(metadata, url)
