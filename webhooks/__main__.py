"""Run the process of all webhooks by `python -m webhooks`, without the commands' imports."""

import sys

from nkk.settings import SettingsError
from webhooks.process import main
from webhooks.storage import KeysError

if __name__ == "__main__":
    try:
        main()
    except (SettingsError, KeysError) as error:
        sys.exit(str(error))
