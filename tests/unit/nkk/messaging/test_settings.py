import pytest

from nkk.messaging.settings import MissingSettingError, number, required


def test_a_setting_is_read_from_the_environment(monkeypatch):
    monkeypatch.setenv("NKK_EXAMPLE", "value")
    assert required("NKK_EXAMPLE") == "value"


@pytest.mark.parametrize("value", [None, ""])
def test_a_missing_setting_is_named(monkeypatch, value):
    monkeypatch.delenv("NKK_EXAMPLE", raising=False)
    if value is not None:
        monkeypatch.setenv("NKK_EXAMPLE", value)
    with pytest.raises(MissingSettingError, match=r"^NKK_EXAMPLE is not set"):
        required("NKK_EXAMPLE")


@pytest.mark.parametrize(("value", "expected"), [("12", 12), ("", 7), ("-1", -1), (" 3 ", 3)])
def test_a_number_is_read_or_the_default_taken(monkeypatch, value, expected):
    monkeypatch.setenv("NKK_EXAMPLE", value)
    assert number("NKK_EXAMPLE", 7) == expected


@pytest.mark.parametrize("value", ["many", "1.5", "1e3"])
def test_a_number_that_is_none_is_named(monkeypatch, value):
    monkeypatch.setenv("NKK_EXAMPLE", value)
    with pytest.raises(MissingSettingError, match=r"^NKK_EXAMPLE must be a whole number"):
        number("NKK_EXAMPLE", 7)
