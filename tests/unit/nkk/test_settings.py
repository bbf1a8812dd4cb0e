"""Invalid settings are reported at start, all together, with what is wrong and what to write; no secret is repeated."""

import socket

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from nkk import settings
from nkk.settings import OF, OPERATING, Setting, SettingsError, check
from nkk.settings.mail import MailServer
from nkk.settings.numbers import number
from ops.stack.keys import NEEDED, new_keys


def _pem_pair(key):
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return tuple(each.decode().replace("\n", "\\n") for each in (private, public))


EXAMPLE = Setting("NKK_EXAMPLE", number(1, 20), "7")
KEYS = new_keys()
RSA = _pem_pair(rsa.generate_private_key(65537, 2048))
GOOD = KEYS | {
    "AMQP_URI": "amqp://nkk:secret@broker:5672/nkk",
    "NKK_BROKER_API": "http://admin:secret@broker:15672",
    "DATABASE_URL": "postgresql+psycopg2://nkk:secret@db/intake",
    "WEBHOOKS_DATABASE_URL": "postgresql+psycopg2://webhooks:secret@db/webhooks",
    "NKK_SITE_URL": "https://pengaduan.example.id",
    "NKK_MAIL_FROM": "Pengaduan NKK <pengaduan@example.id>",
    "NKK_SMTP_URL": "smtp://nkk:p%40ss@mail.example.id:587?starttls=1",
    "NKK_RETRY_DELAYS": "0.2,1,5",
    "NKK_TRUSTED_PROXIES": "10.0.0.0/8, ::1/128, unix",
    "NKK_LIMIT_LOGIN": "20/hour",
    "NKK_CLAMD": "clamd:3310",
    "NKK_BIND": "unix:/run/nkk.sock",
    "NKK_LIMIT_STORAGE": "redis://:secret@counts:6379/0",
}

BAD = [
    ("AMQP_URI", "http://broker"),
    ("AMQP_URI", "broker"),
    ("AMQP_URI", "amqp://nkk:s3cret@"),
    ("AMQP_URI", "amqp://nkk:s3cret@broker:port/nkk"),
    ("AMQP_URI", "amqp://nkk:s3cret@bro ker/nkk"),
    ("DATABASE_URL", "postgres"),
    ("DATABASE_URL", "mysql://nkk:s3cret@db/intake"),
    ("DATABASE_URL", "sqlite://"),
    ("DATABASE_URL", "postgresql://nkk:s3cret@db:port/intake"),
    ("DATABASE_URL", "postgresql://nkk:s3cret@db"),
    ("NKK_MAX_WORKERS", "many"),
    ("NKK_MAX_WORKERS", "0"),
    ("NKK_MAX_WORKERS", "1.5"),
    ("NKK_MAX_WORKERS", "-1"),
    ("NKK_RETRY_DELAYS", "soon"),
    ("NKK_RETRY_DELAYS", "1,,5"),
    ("NKK_RETRY_DELAYS", "-1"),
    ("NKK_RETRY_DELAYS", "1e9"),
    ("NKK_RETRY_DELAYS", "inf"),
    ("NKK_WEBHOOKS_KEYS", "s3cret"),
    ("NKK_WEBHOOKS_ALLOWED", "https://kasus.example.id"),
    ("NKK_WEBHOOKS_CA", "/no/such/file"),
    ("NKK_SITE_URL", "pengaduan.example.id"),
    ("NKK_SITE_URL", "https://"),
    ("NKK_SITE_URL", "ftp://example.id"),
    ("NKK_SITE_URL", "https://pengaduan.côte.example"),
    ("NKK_SITE_URL", "https://example.id/?a=b"),
    ("NKK_SITE_URL", "https://example.id\nBcc: a@b"),
    ("NKK_SITE_URL", "https://example.id:99999"),
    ("NKK_SMTP_URL", "mail.example.id"),
    ("NKK_SMTP_URL", "smtp://"),
    ("NKK_SMTP_URL", "smtp://host/path"),
    ("NKK_SMTP_URL", "smtp://host?startls=1"),
    ("NKK_SMTP_URL", "smtp://host?starttls=yes"),
    ("NKK_SMTP_URL", "smtps://host?starttls=1"),
    ("NKK_SMTP_URL", "smtp://nkk@host"),
    ("NKK_SMTP_URL", "smtp://nkk:s3cret/x@host"),
    ("NKK_SMTP_URL", "http://nkk:s3cret@host"),
    ("NKK_MAIL_FROM", "Pengaduan, Kota Contoh <pengaduan@example.id>"),
    ("NKK_MAIL_FROM", "a@example.id, b@example.id"),
    ("NKK_MAIL_FROM", "Pengaduan"),
    ("NKK_MAIL_FROM", "pengaduan@localhost"),
    ("NKK_MAIL_FROM", "<>"),
    ("NKK_MAIL_FROM", "tim: a@example.id, b@example.id;"),
    ("NKK_MAIL_FROM", "a@example.id\nBcc: b@example.id"),
    ("NKK_MAIL_FROM", "Jörg <jörg@example.id>"),
    ("NKK_MAIL_FROM", "Nama <a@example.id> lagi"),
    ("NKK_TOKEN_PUBLIC_KEY", "s3cret"),
    ("NKK_TOKEN_SIGNING_KEY", KEYS["NKK_TOKEN_PUBLIC_KEY"]),
    ("NKK_IDENTITY_KEYS", "s3cret"),
    ("NKK_IDENTITY_KEYS", KEYS["NKK_IDENTITY_KEYS"] + ","),
    ("NKK_INTAKE_PRIVATE_KEY", "s3cret"),
    ("NKK_NOTIFICATION_PUBLIC_KEY", "c2hvcnQ="),
    ("NKK_TRUSTED_PROXIES", "1"),
    ("NKK_TRUSTED_PROXIES", "10.0.0.1/8"),
    ("NKK_TRUSTED_PROXIES", "0.0.0.0/0"),
    ("NKK_TRUSTED_PROXIES", "proxy"),
    ("NKK_LIMIT_LOGIN", "often"),
    ("NKK_LIMIT_STORAGE", "memcached://s3cret"),
    ("NKK_LIMIT_STORAGE", "sqlite://counts"),
    ("NKK_BIND", "8080"),
    ("NKK_RPC_TIMEOUT", "0"),
    ("NKK_GATEWAY_THREADS", "x"),
    ("NKK_LIVE_STREAMS", "-1"),
    ("NKK_TEMPLATES", "/nowhere/at/all"),
    ("NKK_FILES_KEYS", "s3cret"),
    ("NKK_FILE_MB", "0"),
    ("NKK_FILES_MOST", "many"),
    ("NKK_UPLOAD_HOURS", "-1"),
    ("NKK_UPLOAD_THREADS", "0"),
    ("NKK_UPLOAD_MB_PER_SECOND", "1"),
    ("NKK_CLAMD", "clamd"),
    ("NKK_CLAMD", "clamd:0"),
    ("NKK_CLAMD", "clamd:port"),
    ("NKK_CLAMD", ":3310"),
    ("NKK_CLAMD", "tcp://clamd:3310"),
    ("NKK_CLAMD", "user@clamd:3310"),
    ("NKK_FILES", "http://bucket"),
    ("NKK_FILES", "s3://key:s3cret@host"),
    ("NKK_FILES", "s3://key:s3cret@host/B"),
    ("NKK_FILES", "s3://host/bucket"),
    ("NKK_FILES", "s3://key@host/bucket"),
    ("NKK_FILES", "s3://key:s3cret@host/bucket?tls=2"),
    ("NKK_FILES", "s3://key:s3cret@host/bucket?tsl=1"),
    ("NKK_FILES", "s3://key:s3cret@host/bucket?region="),
    ("NKK_FILES", "s3://key:s3cret@host/bucket?tls=1&tls=0"),
    ("NKK_FILES", "s3://key:s3cret@host/bucket/../other?x"),
    ("NKK_FILES", "s3://key:s3cret@a..b/bucket"),
    ("NKK_BROKER_API", "http://host:15672"),
    ("NKK_BROKER_API", "amqp://nkk:s3cret@host:5672"),
    ("NKK_BROKER_API", "http://nkk:s3cret@host:15672/api/"),
    ("NKK_TOOLS_CERTIFICATE", "/nowhere/at/all.pem"),
    ("NKK_TOOLS_KEY", "/nowhere/at/all.key"),
    ("NKK_TOOLS_ADDRESS", "localhost"),
    ("NKK_TOOLS_PORT", "127.0.0.1:5671"),
    ("NKK_TOOLS_HOST", "amqp..example.id"),
    ("NKK_TOOL_DAYS", "50"),
    ("NKK_TOOL_EVENTS", "0"),
    ("NKK_TOOL_EVENTS", "10000"),
    ("NKK_SMTP_URL", "smtp://host?starttls=1&starttls=1"),
    ("NKK_SMTP_URL", "smtp://host?starttls=0&starttls=1"),
    ("NKK_SMTP_URL", "smtp://nkk:s3cret%C3%A9@host"),
    ("NKK_SMTP_URL", "smtp://nkk%00:s3cret@host"),
    ("NKK_SMTP_URL", "smtp://.."),
    ("NKK_SMTP_URL", "smtp://a..b"),
    ("NKK_SMTP_URL", "smtp://127.0.0.1%2f.example.id"),
    ("NKK_SMTP_URL", f"smtp://{'a' * 64}.example.id"),
    ("AMQP_URI", "amqp://nkk:s3cret@a..b/nkk"),
    ("AMQP_URI", "amqp://nkk:s3cret@-a/nkk"),
    ("NKK_LIMIT_STORAGE", "redis://:s3cret@..:6379"),
    ("NKK_LOGIN_INDEX_KEY", " "),
    ("NKK_LOGIN_INDEX_KEY", "changeme"),
    ("NKK_SITE_KEY", "x"),
    ("NKK_SITE_KEY", "x" * 40),
    ("NKK_SITE_KEY", KEYS["NKK_SITE_KEY"] + "\r"),
    ("NKK_TOKEN_PUBLIC_KEY", RSA[1]),
    ("NKK_TOKEN_SIGNING_KEY", RSA[0]),
    ("NKK_LIMIT_LOGIN", "0/hour"),
    ("NKK_LIMIT_LOGIN", "1/99999999999 year"),
    ("NKK_LIMIT_RESET", "5/minute;0/day"),
    ("NKK_BIND", "127.0.0.1:99999"),
    ("NKK_BIND", "fd://999"),
    ("NKK_BIND", "fd://x"),
    ("NKK_BIND", "unix:rel"),
    ("NKK_BIND", "[127.0.0.1:80"),
    ("NKK_BIND", "a..b:80"),
    ("NKK_BIND", "::1:80"),
    ("NKK_SITE_URL", "https://%"),
    ("NKK_SITE_URL", "https://-"),
    ("NKK_SITE_URL", "https://x?"),
    ("NKK_WEBSITE_ORIGINS", "*"),
    ("NKK_WEBSITE_ORIGINS", "https://*.example.id"),
    ("NKK_WEBSITE_ORIGINS", "null"),
    ("NKK_WEBSITE_ORIGINS", "kota.example.id"),
    ("NKK_WEBSITE_ORIGINS", "https://kota.example.id/"),
    ("NKK_WEBSITE_ORIGINS", "https://kota.example.id/lapor"),
    ("NKK_WEBSITE_ORIGINS", "https://kota.example.id?a=b"),
    ("NKK_WEBSITE_ORIGINS", "https://kota.example.id?"),
    ("NKK_WEBSITE_ORIGINS", "https://kota.example.id#a"),
    ("NKK_WEBSITE_ORIGINS", "https://me:pass@kota.example.id"),
    ("NKK_WEBSITE_ORIGINS", "https://@kota.example.id"),
    ("NKK_WEBSITE_ORIGINS", "https://Kota.example.id"),
    ("NKK_WEBSITE_ORIGINS", "HTTPS://kota.example.id"),
    ("NKK_WEBSITE_ORIGINS", "https://kota.example.id:443"),
    ("NKK_WEBSITE_ORIGINS", "https://kota.example.id:08443"),
    ("NKK_WEBSITE_ORIGINS", "https://kota.example.id:"),
    ("NKK_WEBSITE_ORIGINS", "http://localhost:80"),
    ("NKK_WEBSITE_ORIGINS", "http://[0:0:0:0:0:0:0:1]:8000"),
    ("NKK_WEBSITE_ORIGINS", "http://kota.example.id"),
    ("NKK_WEBSITE_ORIGINS", "http://192.168.1.1"),
    ("NKK_WEBSITE_ORIGINS", "ftp://kota.example.id"),
    ("NKK_WEBSITE_ORIGINS", "file://"),
    ("NKK_WEBSITE_ORIGINS", "https://kôta.example.id"),
    ("NKK_WEBSITE_ORIGINS", "https://kota.example.id,https://lain.example.id,https://kota.example.id"),
    ("NKK_WEBSITE_ORIGINS", "https://kota.example.id https://lain.example.id"),
    ("NKK_SITE_URL", "https://x#"),
    ("NKK_SITE_URL", "https://x:"),
    ("NKK_SITE_URL", "https://:@x"),
    ("DATABASE_URL", "sqlite:///:memory:"),
    ("DATABASE_URL", "postgresql://nkk:s3cret@db:99999/intake"),
    ("DATABASE_URL", "postgresql://nkk:s3cret@db/intake?sslmod=require"),
    ("DATABASE_URL", "sqlite:////x.db?mode=memory"),
    ("DATABASE_URL", "postgresql://nkk:s3cret@a..b/intake"),
    ("DATABASE_URL", "postgresql://nkk:s3cret@db:0/intake"),
    ("NKK_RETRY_DELAYS", ",".join(["1"] * 500)),
    ("NKK_TRUSTED_PROXIES", "0.0.0.0/1,128.0.0.0/1"),
    ("NKK_TRUSTED_PROXIES", "8000::/1"),
    ("NKK_LIVE_STREAMS", "16"),
]


def everything():
    return {setting.name: setting for settings_ in (*OF.values(), OPERATING) for setting in settings_}


@pytest.mark.parametrize(("value", "expected"), [("12", 12), ("", 7), (None, 7), (" 3 ", 3)])
def test_a_setting_is_read_from_the_environment_or_its_default_is_taken(monkeypatch, value, expected):
    monkeypatch.delenv("NKK_EXAMPLE", raising=False)
    if value is not None:
        monkeypatch.setenv("NKK_EXAMPLE", value)
    assert EXAMPLE.get() == expected


@pytest.mark.parametrize("value", [None, ""])
def test_a_missing_setting_is_named_with_where_to_have_it_from(value):
    for setting, where in ((settings.AMQP_URI, "docs/operations.md"), (settings.NKK_SITE_KEY, "nkk keys")):
        with pytest.raises(SettingsError, match=f"^{setting.name} is not set") as refused:
            setting.get({} if value is None else {setting.name: value})
        assert where in str(refused.value)


@pytest.mark.parametrize("process", OF)
def test_every_process_takes_settings_as_they_are_written(process):
    check(OF[process], GOOD)


@pytest.mark.parametrize("process", OF)
def test_every_key_of_a_process_is_checked(process):
    assert {setting.name for setting in OF[process]} >= set(NEEDED[process])


# By number, because each test process generates its own keys.
@pytest.mark.parametrize(("name", "value"), BAD, ids=[f"{number} {name}" for number, (name, _) in enumerate(BAD)])
def test_what_cannot_be_used_is_refused_by_name_and_no_secret_is_repeated(name, value):
    with pytest.raises(SettingsError) as refused:
        check(everything().values(), GOOD | {name: value})
    (fault,) = refused.value.faults
    assert fault.startswith(name)
    assert fault.endswith((".", ")"))
    assert "s3cret" not in fault
    assert str(refused.value) == fault


def test_all_that_cannot_be_used_is_named_at_once_each_in_a_line():
    wrong = {"AMQP_URI": "broker", "NKK_MAIL_FROM": "Pengaduan", "NKK_SMTP_URL": "mail", "NKK_TOKEN_PUBLIC_KEY": ""}
    with pytest.raises(SettingsError) as refused:
        check(OF["notification"], GOOD | wrong)
    first, *lines = str(refused.value).splitlines()
    assert first == "4 settings cannot be used:"
    assert sorted(line.split()[0].split("=")[0] for line in lines) == sorted(wrong)


@pytest.mark.parametrize(
    ("written", "header", "address"),
    [
        ("pengaduan@example.id", "pengaduan@example.id", "pengaduan@example.id"),
        ("Pengaduan NKK <Pengaduan@Example.id>", "Pengaduan NKK <Pengaduan@example.id>", "Pengaduan@example.id"),
        (
            '"Pengaduan, Kota Contoh" <pengaduan@example.id>',
            '"Pengaduan, Kota Contoh" <pengaduan@example.id>',
            "pengaduan@example.id",
        ),
        (
            "Pengaduan Côte <pengaduan@bücher.example>",
            "Pengaduan Côte <pengaduan@xn--bcher-kva.example>",
            "pengaduan@xn--bcher-kva.example",
        ),
    ],
)
def test_a_sender_is_one_address_with_or_without_a_name(written, header, address):
    found = settings.NKK_MAIL_FROM.get({"NKK_MAIL_FROM": written})
    assert (found.header, found.address) == (header, address)


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("x", "no address, because it has no @"),
        ("Pengaduan \u200b<pengaduan@example.id>", "an invisible character (U+200B)"),
        ("a@example.id\nBcc: b@example.id", "an invisible character (U+000A)"),
        ("Pengaduan, Kota Contoh <pengaduan@example.id>", "a name with a comma or colon but without quotes"),
        ("Nama <a@example.id> lagi", "the address in < and >"),
        ("pengaduan@localhost", "a whole domain"),
        ("pengad\u00fcan@example.id", "plain letters"),
        (f"{'a' * 65}@example.id", "not a valid address"),
    ],
)
def test_of_a_sender_is_said_what_is_really_wrong_and_what_to_write(written, why):
    with pytest.raises(SettingsError) as refused:
        settings.NKK_MAIL_FROM.get({"NKK_MAIL_FROM": written})
    assert why in str(refused.value)
    assert "Write one address" in str(refused.value)


def test_all_that_is_wrong_with_a_mail_server_is_said_at_once():
    with pytest.raises(SettingsError) as refused:
        settings.NKK_SMTP_URL.get({"NKK_SMTP_URL": "smtp://nkk@a..b/x?starttls=0&starttls=1"})
    assert all(
        why in str(refused.value)
        for why in ("host", "unsupported parts", "starttls more than once", "a user without a password")
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "postgresql://nkk:secret@opd_response_db:5432/intake?sslmode=require&application_name=nkk"),
        ("DATABASE_URL", "postgresql:///intake?host=/run/postgresql"),
        ("DATABASE_URL", "sqlite:////x.db"),
        ("DATABASE_URL", "postgresql://nkk@[::1]/intake"),
        ("AMQP_URI", "amqps://nkk:secret@broker.example.id.:5671/nkk"),
        ("NKK_BIND", "[::1]:8080"),
        ("NKK_BIND", ":8080"),
        ("NKK_BIND", "localhost:8080"),
        ("NKK_BIND", "127.0.0.1:65535"),
        ("NKK_SITE_URL", "http://127.0.0.1:8080/"),
        ("NKK_SITE_URL", "https://example.id/pengaduan"),
        ("NKK_LIMIT_LOGIN", "5/minute;100/day"),
        ("NKK_TRUSTED_PROXIES", "10.0.0.0/8,192.168.0.0/16,fc00::/7"),
        ("NKK_LIVE_STREAMS", "15"),
        ("NKK_WEBSITE_ORIGINS", "https://kota.example.id, https://kota.example.id:8443,https://xn--kta-3na.example.id"),
        ("NKK_WEBSITE_ORIGINS", "http://localhost:8000,http://127.0.0.1,http://[::1]:8000,http://situs.localhost:8000"),
        ("NKK_WEBSITE_ORIGINS", ""),
    ],
)
def test_what_works_is_taken(name, value):
    check(everything().values(), GOOD | {name: value})


@pytest.mark.parametrize("written", ["https://example.id/nkk", "https://example.id/nkk/", "https://example.id/nkk//"])
def test_what_follows_the_address_of_the_site_follows_one_slash(written):
    assert settings.NKK_SITE_URL.get({"NKK_SITE_URL": written}) == "https://example.id/nkk"


def test_a_socket_that_was_left_open_can_be_listened_at():
    with socket.socket(socket.AF_UNIX) as held:
        assert settings.NKK_BIND.get({"NKK_BIND": f"fd://{held.fileno()}"}) == f"fd://{held.fileno()}"


@pytest.mark.parametrize(
    ("written", "server"),
    [
        ("", None),
        ("smtp://mail.example.id", MailServer("mail.example.id", 25)),
        ("smtp://mail.example.id:587/?starttls=0", MailServer("mail.example.id", 587)),
        (
            "smtp://nkk:p%40ss%2Fword@mail.example.id:587?starttls=1",
            MailServer("mail.example.id", 587, starttls=True, user="nkk", password="p@ss/word"),
        ),
        ("smtp://mail.example.id?starttls=1&", MailServer("mail.example.id", 25, starttls=True)),
        ("smtp://mail.example.id?starttls=%31", MailServer("mail.example.id", 25, starttls=True)),
        ("smtps://mail.example.id", MailServer("mail.example.id", 465, is_tls=True)),
        ("smtp://[::1]:2525", MailServer("::1", 2525)),
    ],
)
def test_a_mail_server_is_read_once(written, server):
    found = settings.NKK_SMTP_URL.get({"NKK_SMTP_URL": written})
    assert found == server
    assert "p@ss" not in f"{found} {found!r}"


def test_a_url_of_another_scheme_is_told_so():
    with pytest.raises(SettingsError, match=r"begin with the scheme amqp or amqps\. Write it like amqp://host"):
        settings.AMQP_URI.get({"AMQP_URI": "http://broker"})
