"""The verdict on a report about the dependencies, by reports in the format of pip-audit."""

from datetime import date
from typing import Any

from requirements.audit import judge

TODAY = date(2026, 3, 2)
CLEAN = {"name": "flask", "version": "3.1.2", "vulns": []}
SKIPPED = {"name": "nkk-x", "skip_reason": "Dependency not found on PyPI and could not be audited: nkk-x (1.0)"}
FLAW = {
    "name": "jinja2",
    "version": "2.4.1",
    "vulns": [
        {
            "id": "PYSEC-2019-217",
            "fix_versions": ["2.10.1"],
            "aliases": ["CVE-2019-10906", "GHSA-462w-v97r-4m45"],
            "description": "In Pallets Jinja before 2.10.1, str.format_map allows a sandbox escape.",
        }
    ],
}
UNMENDED = {"name": "x", "version": "1", "vulns": [{"id": "PYSEC-2026-1", "fix_versions": [], "aliases": []}]}


def report(*dependencies: dict[str, Any]) -> dict[str, Any]:
    return {"dependencies": list(dependencies), "fixes": []}


def test_a_known_vulnerability_fails_and_says_what_mends_it() -> None:
    verdict = judge(report(CLEAN, FLAW, UNMENDED, SKIPPED), [], TODAY)
    assert verdict is not None
    assert verdict.fails
    assert verdict.says.splitlines() == [
        "Known vulnerabilities:",
        "  jinja2 2.4.1: PYSEC-2019-217 (mended in 2.10.1)",
        "  x 1: PYSEC-2026-1 (not mended yet)",
    ]


def test_nothing_known_passes_and_names_what_the_service_does_not_know() -> None:
    verdict = judge(report(CLEAN, SKIPPED), [], TODAY)
    assert verdict is not None
    assert not verdict.fails
    assert verdict.says == "No known vulnerability in 1 packages; not known there: nkk-x."


def test_a_service_that_knows_nothing_at_all_has_not_answered() -> None:
    assert judge(report(SKIPPED, SKIPPED), [], TODAY) is None
    assert judge(report(), [], TODAY) is None
    assert judge(None, [], TODAY) is None


def test_what_is_accepted_passes_until_its_day_and_fails_the_day_after() -> None:
    for accepted in ("PYSEC-2019-217 2026-03-02 No template of strangers.", "CVE-2019-10906 2026-03-02 Why."):
        passes = judge(report(FLAW), [accepted], TODAY)
        fails = judge(report(FLAW), [accepted], date(2026, 3, 3))
        assert passes is not None
        assert fails is not None
        assert (passes.fails, fails.fails) == (False, True)


def test_nothing_is_accepted_without_a_reason_or_in_a_comment() -> None:
    for line in ("PYSEC-2019-217 2026-03-02", "# PYSEC-2019-217 2026-03-02 why", "", "PYSEC-2019-218 2026-03-02 why"):
        verdict = judge(report(FLAW), [line], TODAY)
        assert verdict is not None
        assert verdict.fails, line
