"""Every form keeps what was typed when the log-in has ended or a stage is down."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from tests.browser.plain import PlainVisitor
from tests.browser.test_drafts import end_log_in
from tests.installations import Installation, eventually
from tests.people import PASSWORD, People

Opening = Callable[..., PlainVisitor]

OPD = "dinas-sosial"


@dataclass(frozen=True)
class Typing:
    """A form with typed text: its role, path, fields by id and button. Fields in `secrets` are not kept."""

    role: str
    path: str
    fields: dict[str, str]
    button: str
    secrets: tuple[str, ...] = ()
    checked: dict[str, str] = field(default_factory=dict)
    stage: str = "intake-1"
    state: str = ""

    def fill(self, visitor: PlainVisitor) -> None:
        for name, value in self.checked.items():
            visitor.check(name, value)
        visitor.fill(**self.fields)

    def is_kept(self, visitor: PlainVisitor) -> None:
        for name, text in self.fields.items():
            assert visitor.value(name) == ("" if name in self.secrets else text), name
        for name, value in self.checked.items():
            assert visitor.is_checked(name, value)


FORMS = {
    "complaint": Typing(
        "reporter",
        "/laporan/baru",
        {"topic": "kode-perilaku/disiplin", "subject_line": "Loket", "text": "Ceritanya."},
        "Kirim laporan",
        checked={"confidential": "yes"},
    ),
    "contact": Typing(
        "reporter",
        "/akun/kontak",
        {"email": "baru@example.id", "phone": "0812 0000 111", "password": PASSWORD},
        "Simpan kontak",
        ("password",),
    ),
    "classification": Typing(
        "main_team",
        "",
        {"note": "Mohon diperiksa.", "opd": OPD},
        "Simpan klasifikasi",
        checked={"kind": "complaint"},
        stage="triage-1",
        state="classify",
    ),
    "response": Typing(
        "opd_team", "", {"text": "Petugas telah ditegur."}, "Kirim tanggapan", stage="opd_response-1", state="respond"
    ),
    "return": Typing(
        "main_team", "", {"note": "Sebutkan kapan."}, "Kembalikan dengan catatan", stage="triage-1", state="approve"
    ),
    "answer": Typing(
        "operator", "", {"text": "Petugas telah ditegur."}, "Kirim jawaban", stage="notification-1", state="answer"
    ),
    "account": Typing(
        "admin",
        "/admin/staf/baru",
        {"username": "petugas-sementara", "name": "Petugas", "password": PASSWORD},
        "Tambah akun",
        ("password",),
        checked={"role": "operator"},
    ),
    "agencies": Typing(
        "admin", "/admin/perangkat-daerah", {"opd-key-10": "kecamatan", "opd-name-10": "Kecamatan"}, "Simpan daftar"
    ),
    "category": Typing(
        "admin",
        "/admin/kategori/baru",
        {"key": "sementara", "name": "Sementara", "sub-key-0": "satu", "sub-name-0": "Satu"},
        "Simpan kategori",
    ),
    "day": Typing(
        "admin",
        "/admin/kalender",
        {"day": "2098-12-30", "name": "Penutupan", "hours": "08.00-12.00"},
        "Tambah hari",
        checked={"kind": "open"},
    ),
    "season": Typing(
        "admin",
        "/admin/kalender",
        {
            "season_name": "Ramadan",
            "first": "2098-03-01",
            "last": "2098-03-20",
            "weekdays": "08.00-12.00",
            "friday": "08.00-11.00",
        },
        "Tambah musim",
    ),
    "week": Typing("admin", "/admin/kalender/pekan", {"day-5": "08.00-11.00"}, "Simpan pekan"),
    "national days": Typing(
        "admin",
        "/admin/kalender/hari-nasional?tahun=2099",
        {},
        "Masukkan ke kalender",
        checked={"hari-2099-01-01": "ya"},
    ),
    "addresses": Typing(
        "admin",
        "/admin/alamat-tim",
        {"operator-email": "operator@example.id"},
        "Simpan alamat",
        stage="notification-1",
    ),
}


@pytest.fixture
def plainly(visiting: Opening) -> Opening:
    """Return a function that logs a visitor without scripts in, who has no draft in the browser to fall back on."""
    return lambda username, password: visiting(plain=True).log_in(username, password)


@pytest.fixture
def at_form(people: People, plainly: Opening) -> Opening:
    """Return a function that opens a form, filled in and logged in as its role."""

    def complaint(state: str) -> str:
        ticket = people.submit(people.reporter())
        acts = [
            (people.operator, "handover", None),
            (people.main_team, "classification", {"kind": "complaint", "opd": OPD}),
            (people.opd_team(OPD), "response", {"text": "Sudah."}),
            (people.main_team, "approval", {"approved": True}),
        ]
        desk, count = {
            "classify": ((people.main_team, "triage"), 1),
            "respond": ((people.opd_team(OPD), "opd"), 2),
            "approve": ((people.main_team, "triage"), 3),
            "answer": ((people.operator, "answers"), 4),
        }[state]
        for person, act, form in acts[:count]:
            person.act(f"/complaints/{ticket}/{act}", form)
        eventually(lambda: ticket in desk[0].desk(desk[1]))
        return ticket

    def opened(typing: Typing) -> PlainVisitor:
        if typing.role == "reporter":
            account = people.reporter().account
            assert account is not None
            visitor = plainly(str(account["username"]), PASSWORD)
        else:
            visitor = plainly(**people.credentials(typing.role, OPD if typing.role == "opd_team" else None))
        visitor.open(f"/laporan/{complaint(typing.state)}" if typing.state else typing.path)
        typing.fill(visitor)
        return visitor

    return opened


@pytest.mark.parametrize("typing", FORMS.values(), ids=FORMS)
def test_a_log_in_that_ends_takes_nothing_that_was_typed(at_form: Opening, typing: Typing) -> None:
    # Without scripts there is no draft in the browser, so the form itself must carry the text.
    visitor = at_form(typing)
    end_log_in(visitor)
    visitor.press(typing.button)
    assert "Tulisan Anda tidak hilang." in visitor.read()
    visitor.fill(**visitor.credentials)
    visitor.press("Masuk")
    visitor.press("Lanjutkan")
    typing.is_kept(visitor)
    assert visitor.offers(typing.button)


@pytest.mark.parametrize("stage", ["intake-1", "triage-1", "opd_response-1", "notification-1"])
def test_a_stage_that_is_down_is_said_and_takes_nothing_that_was_typed(
    whole: Installation, at_form: Opening, stage: str
) -> None:
    forms = [typing for typing in FORMS.values() if typing.stage == stage]
    opened = [at_form(typing) for typing in forms]
    whole.take_down(stage)
    try:
        for typing, visitor in zip(forms, opened, strict=True):
            visitor.press(typing.button)
            assert "Sebagian layanan sedang tidak dapat dihubungi" in visitor.read(), typing
            assert "tidak hilang" in visitor.read()
    finally:
        whole.bring_up(stage)
        whole.wait_until_ready()
    for typing, visitor in zip(forms, opened, strict=True):
        if visitor.offers("Kembali ke formulir saya"):
            visitor.press("Kembali ke formulir saya")
        typing.is_kept(visitor)


@pytest.mark.parametrize("button", ["Serahkan kepada Tim NKK Utama", "Saya kerjakan"])
def test_a_button_pressed_after_the_log_in_has_ended_is_there_again_after_it(
    people: People, plainly: Opening, button: str
) -> None:
    ticket = people.submit(people.reporter())
    visitor = plainly(**people.credentials("operator"))
    visitor.open(f"/laporan/{ticket}")
    end_log_in(visitor)
    visitor.press(button)
    visitor.fill(**visitor.credentials)
    visitor.press("Masuk")
    assert visitor.response.url.path == f"/laporan/{ticket}"
    visitor.press(button)
    assert visitor.count("//*[@class='notice good']") == 1


def test_an_account_to_be_disabled_is_there_again_after_a_log_in(people: People, plainly: Opening) -> None:
    username = f"petugas-{uuid.uuid4().hex[:8]}"
    people.admin.post(
        "/staff", {"username": username, "password": PASSWORD, "name": "Petugas", "role": "operator"}, expect=201
    )
    admin = plainly(**people.credentials("admin"))
    admin.open(f"/admin/staf/{username}")
    end_log_in(admin)
    admin.press("Nonaktifkan akun")
    admin.fill(**admin.credentials)
    admin.press("Masuk")
    assert admin.response.url.path == f"/admin/staf/{username}"
    admin.press("Nonaktifkan akun")
    admin.press("Ya, nonaktifkan")
    assert f"Akun {username} dinonaktifkan." in admin.read()
