"""Compiled templates of the site's pages, which all gateways of a run of the tests share.

Otherwise each would compile a template when it first shows it, a tenth of a second of processor time for a large one.
"""

import atexit
import os
import shutil
import tempfile

from jinja2 import FileSystemBytecodeCache

from gateway.methods import Gateway

FOLDER = "TESTS_COMPILED_TEMPLATES"
"""The variable that tells the processes of a run where they are."""


def share_compiled_templates() -> None:
    """Have the gateways of this process keep what they compile, and take what others of this run kept."""
    if FOLDER not in os.environ:
        os.environ[FOLDER] = tempfile.mkdtemp(prefix="nkk-templates-")
        atexit.register(shutil.rmtree, os.environ[FOLDER], ignore_errors=True)
    Gateway.jinja_options = {"bytecode_cache": FileSystemBytecodeCache(os.environ[FOLDER])}
