"""`python -m nkk.cli` is `nkk`."""

from nkk.cli import main

main()
