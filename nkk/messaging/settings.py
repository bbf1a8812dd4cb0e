"""Settings come from the environment, and a missing one is named."""

import os


class MissingSettingError(Exception):
    """An environment variable this process cannot work without is not set."""


def required(name: str) -> str:
    """The environment variable `name`. Raises MissingSettingError where it is unset or empty."""
    value = os.environ.get(name, "")
    if not value:
        hint = "`nkk keys` prints a fresh set; see" if name.endswith(("_KEY", "_KEYS")) else "See"
        raise MissingSettingError(f"{name} is not set. {hint} docs/operations.md.")
    return value


def required_key(name: str) -> str:
    """The environment variable `name` as a PEM text."""
    return as_pem(required(name))


def as_pem(text: str) -> str:
    """A PEM text as an environment file holds it, its line ends written as `\\n`, in its own form."""
    return text.replace("\\n", "\n")


def number(name: str, default: int) -> int:
    """The environment variable `name` as a whole number."""
    value = os.environ.get(name, "")
    try:
        return int(value) if value else default
    except ValueError:
        raise MissingSettingError(f"{name} must be a whole number, not {value!r}.") from None
