"""The printed report of a run, and the published pages."""

import json

import pytest

from bench import headline, publish, report


@pytest.fixture(autouse=True)
def _with_headline(found):
    found |= headline.figures(found["sections"])


def rows(found, title):
    return next(rows for named, rows in report.tables(found) if named.startswith(title))


def test_each_aim_stands_beside_what_was_found(found):
    shown = report.text(found)

    assert rows(found, "Aims")[1] == (
        "complaints accepted per second, times django-helpdesk's tickets",
        5.0,
        "at least 5",
        "met",
    )
    assert "MISSED" not in shown


def test_a_missed_aim_is_said_plainly_in_table_and_page(found):
    found["desk_p99_ms"] = 120.0

    assert ("the same, p99 (ms)", 120.0, "below 100", "MISSED") in rows(found, "Aims")
    assert "**Missed:**\n\n- the same, p99 (ms): 120, below 100 is the aim" in publish.page(found, [])


def test_a_run_that_met_every_aim_says_so(found):
    assert "Every aim that was measured is met." in publish.page(found, [])


def test_a_section_that_failed_is_named_with_its_reason(found):
    del found["sections"]["scale"]
    found["failed"] = {"scale": "RuntimeError: not within 300 s"}

    assert "FAILED scale: RuntimeError: not within 300 s" in report.text(found)


def test_a_small_run_says_that_its_figures_mean_nothing(found):
    found["quick"] = True

    assert "mean nothing" in report.text(found)


def test_slow_connections_stand_beside_none(found):
    assert rows(found, "Worklists (ms) beside 200 slow connections from 10")[1:] == [
        ("without them", 10.0, 20.0),
        ("with them", 12.0, 30.0),
        ("times", 1.2, 1.5),
    ]
    assert ("a worklist's p99 beside 200 slow connections, times that without", 1.5, "below 2", "met") in rows(
        found, "Aims"
    )


def test_each_process_has_its_part_in_the_cost_of_tools_and_webhooks(found):
    assert rows(found, "Processor time (ms) for each complaint, by process") == [
        ("", "without", "with"),
        ("broker", 2.0, 3.0),
        ("intake-1", 3.0, 3.0),
        ("webhooks", "", 8.0),
        ("the load itself", 0.5, 0.5),
        ("together", 5.5, 14.5),
    ]


def test_what_was_refused_on_the_way_is_shown(found):
    assert "approve 404: 2" in report.text(found)


def test_the_page_has_command_date_tables_plots_and_plans(found, tmp_path):
    publish.publish(json.loads(json.dumps(found)), tmp_path)

    page = (tmp_path / "README.md").read_text()
    assert "2026-03-02, `make bench`" in page
    assert "| django-helpdesk, as documented | 80.0 |" in page
    assert all(f"({name})" in page for name in [path.name for path in tmp_path.glob("*.svg")])
    assert len(list(tmp_path.glob("*.svg"))) == 5
    plans = (tmp_path / "plans.md").read_text()
    assert "1,000,000 complaints" in plans
    assert "```sql\nSELECT 1\n```" in plans


def test_a_run_in_parts_is_not_published(found, tmp_path):
    del found["sections"]["scale"], found["sections"]["hop"]

    with pytest.raises(publish.IncompleteError, match="without hop, scale"):
        publish.publish(found, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_small_run_is_not_published(found, tmp_path):
    found["quick"] = True

    with pytest.raises(publish.IncompleteError, match="small size"):
        publish.publish(found, tmp_path)


def test_files_are_held_to_their_memory_and_to_the_worklists_beside_them(found):
    assert ("memory of a gateway process for an upload of the greatest size (MB)", 4.0, "below 8", "met") in rows(
        found, "Aims"
    )
    assert rows(found, "Worklists (ms) beside 20 such uploads")[-1] == ("times", 1.2, 1.8)
    assert rows(found, "Memory of a worker")[1] == ("an upload, with its check", 4.0)
