"""What the documentation names exists: files, headings, commands with their options, make targets and arguments."""

import ast
import inspect
import re
from pathlib import Path

import click
import pytest

from nkk.client import subscribe
from ops.cli import main

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted({*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")})
IDS = [str(page.relative_to(ROOT)) for page in PAGES]
LONGEST = 130

FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.M | re.S)
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)")
SPAN = re.compile(r"`(nkk [^`]+)`")
IN_CONTAINER = re.compile(r"(?:docker compose run .*?console|docker run .*?nkk:local) (?=nkk )")
COMMAND = re.compile(r"(?:^|[|;&(]|\bdo) *(?:\$ )?(?:\.venv/bin/)?(nkk [^|;&#>)\n]+)", re.M)
TARGET = re.compile(r"`make ([a-z]+)[^`]*`")


def prose(text: str) -> list[str]:
    """Return the lines of a page that are neither code nor a table."""
    return [line for line in FENCE.sub("", text).splitlines() if not line.startswith("|")]


def headings(text: str) -> set[str]:
    """Return the anchors of a page, as GitHub generates them."""
    titles = re.findall(r"^#+ (.+)$", FENCE.sub("", text), re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def commands(text: str) -> list[str]:
    """Return every `nkk …` in the code of a page."""
    blocks = [code.replace("\\\n", " ") for language, code in FENCE.findall(text) if language in ("sh", "console")]
    return SPAN.findall(text) + [said for block in blocks for said in COMMAND.findall(IN_CONTAINER.sub("", block))]


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_a_link_leads_somewhere(page: Path) -> None:
    for target, anchor in LINK.findall(FENCE.sub("", page.read_text("utf-8"))):
        there = (page.parent / target).resolve() if target else page
        assert there.exists(), f"{target} is not there"
        assert not anchor or anchor in headings(there.read_text("utf-8")), f"{target}#{anchor} is no heading"


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_a_command_is_one_and_takes_the_options_it_is_given(page: Path) -> None:
    for said in commands(page.read_text("utf-8")):
        # A placeholder or half a quotation is not a complete command line.
        words = said.replace("…", "").split("'")[0].split('"')[0].split()[1:]
        command: click.Command = main
        while words and isinstance(command, click.Group) and (words[0] in command.commands or words[0][0] != "-"):
            name = words.pop(0)
            assert name in command.commands, f"`{said}`: there is no {name}"
            command = command.commands[name]
        known = {option for each in (command, main) for parameter in each.params for option in parameter.opts}
        strange = {word.partition("=")[0] for word in words if word.startswith("--")} - known - {"--help", "--version"}
        assert not strange, f"`{said}` takes no {strange}"


@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if page.name != "CHANGELOG.md"],
    ids=[name for name in IDS if name != "CHANGELOG.md"],
)
def test_a_target_of_make_is_there(page: Path) -> None:
    text = page.read_text("utf-8")
    named = {
        *TARGET.findall(text),
        *re.findall(r"^(?:\$ )?make ([a-z]+)", "\n".join(code for _, code in FENCE.findall(text)), re.M),
    }
    assert named <= set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.M))


@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if "benchmarks" not in page.parts],
    ids=[name for name in IDS if "benchmarks" not in name],
)
def test_lines_can_be_read_side_by_side(page: Path) -> None:
    assert [line for line in prose(page.read_text("utf-8")) if len(line) > LONGEST] == []


def test_every_argument_of_a_subscription_is_named_where_a_tool_is_written() -> None:
    page = (ROOT / "docs/tools.md").read_text("utf-8")
    assert [name for name in inspect.signature(subscribe).parameters if f"| `{name}` |" not in page] == []


@pytest.mark.parametrize("name", ["README.md", "docs/recipes.md", "docs/tools.md"])
def test_what_is_written_in_python_is_python(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    programs = [code for language, code in FENCE.findall(text) if language == "python"]
    programs += re.findall(r"<<'PYTHON'\n(.*?)^PYTHON$", text, re.M | re.S)
    assert programs
    for program in programs:
        ast.parse(program)
