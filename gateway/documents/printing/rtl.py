"""Arabic, Hebrew and their like in a PDF, which knows glyphs at places and no direction of writing.

A line is brought into the order in which it is seen, and Arabic letters into the forms in which they join. The rules
are those of the Unicode bidirectional algorithm (UAX 9) for a paragraph that runs from left to right and holds no
explicit marks, which is what our documents are.
"""

import functools
import itertools
import unicodedata

_RIGHT_TO_LEFT = ("R", "AL")
_NUMBERS = ("EN", "AN")
_MIRRORED = str.maketrans("()[]{}<>«»‹›⟨⟩", ")(][}{><»«›‹⟩⟨")
_TATWEEL = "\u0640"
_FORMS = {(False, False): "isolated", (False, True): "initial", (True, False): "final", (True, True): "medial"}


def has(text: str) -> bool:
    """Whether `text` holds anything written from right to left."""
    return not text.isascii() and any(unicodedata.bidirectional(character) in _RIGHT_TO_LEFT for character in set(text))


def seen(line: str) -> str:
    """The one line `line` in the order and the forms in which it is seen."""
    clusters = _clusters(_joined(line))
    levels = _levels([unicodedata.bidirectional(cluster[0]) for cluster in clusters])
    drawn = [
        cluster.translate(_MIRRORED) if level == 1 else cluster for cluster, level in zip(clusters, levels, strict=True)
    ]
    for level in (2, 1):
        drawn = _reversed(drawn, levels, level)
        levels = _reversed(levels, levels, level)
    return "".join(drawn)


def _clusters(line: str) -> list[str]:
    """Letters, each with the marks that stand on it."""
    found: list[str] = []
    for character in line:
        if found and unicodedata.bidirectional(character) == "NSM":
            found[-1] += character
        else:
            found.append(character)
    return found


def _levels(classes: list[str]) -> list[int]:
    """0 from left to right, 1 from right to left, 2 a number within that."""
    levels: list[int | None] = []
    strong = 0
    for kind in classes:
        if kind == "L" or kind in _RIGHT_TO_LEFT:
            strong = 0 if kind == "L" else 1
            levels.append(strong)
        else:
            levels.append((2 if strong else 0) if kind in _NUMBERS else None)
    before, after = _nearest(levels), _nearest(levels[::-1])[::-1]
    # A space or a full stop runs right to left only where both its sides do.
    return [level if level is not None else min(1, before[index], after[index]) for index, level in enumerate(levels)]


def _nearest(levels: list[int | None]) -> list[int]:
    """For each place the last level known up to there; 0 before the first."""
    return list(itertools.accumulate((0, *levels), lambda last, level: last if level is None else level))[1:]  # type: ignore[arg-type, return-value]


def _reversed(items: list, levels: list[int], level: int) -> list:
    turned: list = []
    start = 0
    while start < len(items):
        end = start
        while end < len(items) and levels[end] >= level:
            end += 1
        turned += reversed(items[start:end])
        turned += items[end : end + 1]
        start = end + 1
    return turned


@functools.cache
def _forms() -> dict[str, dict[str, str]]:
    """Letter, or lam and alef together -> form -> the character that shows it."""
    found: dict[str, dict[str, str]] = {}
    for code in (*range(0xFB50, 0xFC00), *range(0xFE70, 0xFEFD)):
        kind, *letters = unicodedata.decomposition(chr(code)).split() or [""]
        text = "".join(chr(int(letter, 16)) for letter in letters)
        if len(text) == 1 or code >= 0xFEF5:
            found.setdefault(text, {})[kind.strip("<>")] = chr(code)
    return found


def _joined(line: str) -> str:
    clusters = _ligated(_clusters(line))
    shown = []
    for index, cluster in enumerate(clusters):
        before = index > 0 and _joins(clusters[index - 1], onward=True) and _joins(cluster, onward=False)
        after = index + 1 < len(clusters) and _joins(cluster, onward=True) and _joins(clusters[index + 1], onward=False)
        letter, marks = _letter(cluster)
        shown.append(_forms().get(letter, {}).get(_FORMS[before, after], letter) + marks)
    return "".join(shown)


def _ligated(clusters: list[str]) -> list[str]:
    """Lam and alef as one: no reader of Arabic would take them apart."""
    found: list[str] = []
    for cluster in clusters:
        if found and found[-1] == "\u0644" and "\u0644" + cluster[0] in _forms():
            found[-1] += cluster
        else:
            found.append(cluster)
    return found


def _letter(cluster: str) -> tuple[str, str]:
    size = 2 if cluster[:2] in _forms() and len(cluster) > 1 else 1
    return cluster[:size], cluster[size:]


def _joins(cluster: str, onward: bool) -> bool:
    letter = _letter(cluster)[0]
    return letter == _TATWEEL or ("initial" if onward else "final") in _forms().get(letter, {})
