"""What docker compose would give each process, looked at before anything starts."""

import json
from collections.abc import Iterable

from nkk.settings import NKK_TEMPLATES, OF, SettingsError, check


def check_written(lines: Iterable[str]) -> None:
    """Raises SettingsError naming every setting of `lines` (a name, a tab, the value) that cannot be used.
    What is missing is not looked for."""
    given = dict(line.rstrip("\n").split("\t", 1) for line in lines)
    known = {setting.name: setting for settings in OF.values() for setting in settings if setting is not NKK_TEMPLATES}
    check([setting for name, setting in known.items() if given.get(name)], given)


def check_composed(config: str) -> None:
    """Raises SettingsError naming every setting that some process of `config` would refuse: what `docker compose config
    --format json` prints, in which each $ is written twice."""
    services = json.loads(config)["services"]
    faults: list[str] = []
    for process, settings in OF.items():
        given = {
            name: str(value).replace("$$", "$")
            for name, value in services[process].get("environment", {}).items()
            if value is not None
        }
        try:
            # The folder of templates is one of the container's, where it is mounted.
            check([setting for setting in settings if setting is not NKK_TEMPLATES], given)
        except SettingsError as error:
            faults += error.faults
    if faults:
        raise SettingsError(faults)
