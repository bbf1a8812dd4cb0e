"""The migrations of each stage make the tables its code works with."""

import importlib
from pathlib import Path

import pytest

from nkk.contracts import STAGES
from nkk.store.migrations import differences, downgrade, upgrade

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("stage", STAGES)
def test_migrations_match_the_models_and_can_be_taken_back(stage: str, tmp_path: Path) -> None:
    folder = ROOT / "services" / stage / "migrations"
    metadata = importlib.import_module(f"services.{stage}.storage").metadata
    url = f"sqlite:///{tmp_path}/{stage}.db"
    assert differences(metadata, url), "an empty database must differ, or this check sees nothing"
    upgrade(folder, url)
    assert differences(metadata, url) == []
    downgrade(folder, url, "base")
    assert differences(metadata, url)
