"""Programs of Debian that tests run, installed where they are missing."""

import shutil

from ops.stack.broker import install_packages


def have(**packages: str) -> None:
    """Install the packages of those programs that are missing."""
    if missing := [package for program, package in packages.items() if not shutil.which(program)]:
        install_packages(*missing)
