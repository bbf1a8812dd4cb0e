"""`python -m ops.cli` is `nkk`."""

from ops.cli import main

main()
