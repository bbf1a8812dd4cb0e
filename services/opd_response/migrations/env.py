"""Alembic's entry: migrates the database of services.opd_response."""

from nkk.store.migrations import run
from services.opd_response.storage import metadata

run(metadata)
