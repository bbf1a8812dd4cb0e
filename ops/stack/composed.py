"""The check of the settings that docker compose would give each process, before anything starts."""

import json

from nkk.settings import (
    NKK_TEMPLATES,
    NKK_TOOL_DAYS,
    NKK_TOOL_EVENTS,
    NKK_TOOLS_CERTIFICATE,
    NKK_TOOLS_KEY,
    NKK_WEBHOOKS_CA,
    OF,
    OPERATING,
    SettingsError,
    check,
)

ELSEWHERE = (NKK_TEMPLATES, NKK_TOOLS_CERTIFICATE, NKK_TOOLS_KEY, NKK_WEBHOOKS_CA)
"""Settings that name files outside this container, which cannot be checked here."""

CHECKED = OF | {"topology": (NKK_TOOL_DAYS, NKK_TOOL_EVENTS)}
"""The settings of each service of the compose installation."""

OPTIONAL = {"webhooks"}
"""Processes that only an installation with a further file of deploy/ has."""

HOW = "Pipe that in: `docker compose config --format json | nkk settings`, in the folder of docker-compose.yml."


def check_written(lines: bytes) -> None:
    """Raise SettingsError, naming every invalid setting of `lines` (a name, a tab, the value).

    Missing settings are not reported. Raises ValueError where `lines` do not have this form.
    """
    try:
        given = dict(line.split("\t", 1) for line in lines.decode().splitlines() if line)
    except ValueError:
        given = {}
    if not lines or (lines.strip() and not given):
        raise ValueError(
            "The input is not what `nkk settings --written` reads: for each setting a line with its name, a tab and "
            "its value. `deploy/check.sh written` reads .env and needs no input."
        )
    known = {setting.name: setting for settings in (*OF.values(), OPERATING) for setting in settings}
    written = [setting for setting in known.values() if setting not in ELSEWHERE and given.get(setting.name)]
    check(written, given)


def check_composed(config: bytes) -> None:
    """Raise SettingsError, naming every setting that a process of `config` would refuse.

    `config` is the output of `docker compose config --format json`, in which each $ is doubled. Raises ValueError where
    it is something else.
    """
    faults: list[str] = []
    for process, given in _environments(config).items():
        try:
            check([setting for setting in CHECKED[process] if setting not in ELSEWHERE], given)
        except SettingsError as error:
            faults += error.faults
    if faults:
        raise SettingsError(faults)


def _environments(config: bytes) -> dict[str, dict[str, str]]:
    if not config.strip():
        raise ValueError(
            f"The input is empty, but the output of `docker compose config --format json` is needed. {HOW}"
        )
    try:
        services = json.loads(config)["services"]
        return {
            process: {
                name: str(value).replace("$$", "$")
                for name, value in services[process].get("environment", {}).items()
                if value is not None
            }
            for process in CHECKED
            if process in services or process not in OPTIONAL
        }
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise ValueError(
            f"The input is not the output of `docker compose config --format json` for this service. {HOW}"
        ) from None
