import pytest

from nkk.sop import steps
from nkk.sop.steps import PATHS, STEPS, Path, Role

# The procedure's own table: number, role, requirement, office minutes, output, owning stage.
TABLE = [
    (1, Role.REPORTER, "Form Pengaduan", 15, "Data Pemberi Aduan", "intake"),
    (2, Role.OPERATOR, "Data Pemberi Aduan", 10, "Data Pengaduan", "intake"),
    (3, Role.MAIN_TEAM, "Data Pengaduan", 120, "Laporan Pengaduan", "triage"),
    (4, Role.OPD_TEAM, "Laporan Pengaduan", 900, "Laporan Tanggapan Pengaduan", "opd_response"),
    (5, Role.MAIN_TEAM, "Laporan Tanggapan Pengaduan", 10, "Laporan Tanggapan Pengaduan", "triage"),
    (6, Role.OPERATOR, "Laporan Tanggapan Pengaduan", 30, "Laporan Tanggapan Pengaduan", "notification"),
    (7, Role.REPORTER, "Laporan Tanggapan Pengaduan", 5, "Laporan Tanggapan Pengaduan", "notification"),
]


@pytest.mark.parametrize(("step", "row"), list(zip(STEPS, TABLE, strict=True)), ids=[step.name for step in STEPS])
def test_each_step_is_the_row_of_the_procedures_table(step, row):
    assert (step.number, step.role, step.requirement, step.minutes, step.output, step.owner) == row


def test_information_skips_the_helper_team_and_the_approval():
    assert [step.number for step in PATHS[Path.INFORMATION]] == [1, 2, 3, 6, 7]


def test_a_complaint_takes_all_seven_steps():
    assert [step.number for step in PATHS[Path.COMPLAINT]] == [1, 2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize("path", list(PATHS.values()), ids=list(PATHS))
def test_each_step_on_a_path_needs_what_an_earlier_one_put_out(path):
    # The information path skips the response; its document is then written by the operator at step 6.
    made = {"Form Pengaduan", "Laporan Tanggapan Pengaduan"}
    for step in path:
        assert step.requirement in made
        made.add(step.output)


def test_a_working_day_is_450_minutes_and_the_service_takes_two():
    assert steps.MINUTES_PER_DAY == 450
    assert steps.SERVICE_MINUTES == 900


def test_an_unopened_answer_counts_as_received_after_ten_working_days():
    assert steps.RECEIPT_LAPSES_AFTER_MINUTES == 4500


def test_step_names_are_unique():
    assert len({step.name for step in STEPS}) == len(STEPS)


def test_reporters_and_programs_are_no_staff():
    assert set(steps.STAFF_ROLES) == set(Role) - {Role.REPORTER, Role.WEBSITE}
