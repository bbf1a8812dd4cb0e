"""The access rules of docs/access.md."""

from tests.current.documents import FOLDER

WHO = ("nobody", "owner", "other reporter", "operator", "Tim Utama", "OPD", "other OPD", "admin", "website")


def table() -> dict[str, tuple[str, ...]]:
    """Return the table of docs/access.md: by operation, the entry for each of WHO."""
    rows = [
        line.strip("| ").split(" | ")
        for line in (FOLDER.parent / "access.md").read_text().splitlines()
        if line.startswith("|") and not line.startswith("|---")
    ]
    heads = {tuple(row[1:]) for row in rows if row[0] == "operation"}
    assert heads == {WHO}
    said = [(row[0].strip("`"), tuple(row[1:])) for row in rows if row[0] != "operation"]
    assert len(dict(said)) == len(said), "an operation stands there twice"
    return dict(said)
