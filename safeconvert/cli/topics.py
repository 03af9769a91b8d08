"""The documentation by topic: a page's name is a topic, and so is every word in backticks in a heading.

The pages lie in `docs/` (in a wheel: inside the package) and live there once; nothing here repeats them.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from safeconvert.core.resources import data_folder
from safeconvert.errors import UnusableInput

_HEADING = re.compile(r"^(#+) (.+)$")
_WORD = re.compile(r"`([^`]+)`")
_COMMENT = re.compile(r"^<!-- .* -->\n", re.MULTILINE)


@dataclass(frozen=True)
class Topic:
    """Something that the documentation explains.

    Attributes:
        name: as a person types it.
        title: the heading, without backticks.
        page: the file's name without `.md`; an `index.md` has its folder's.
        text: the page, or the section with those below it, in Markdown.
        whole: the topic is the page's own name or title.
    """

    name: str
    title: str
    page: str
    text: str
    whole: bool


def topics(folder: Path | None = None) -> tuple[Topic, ...]:
    """Every topic, page by page, the page first and then its sections in order."""
    root = folder or data_folder("docs")
    pages = sorted(root.rglob("*.md"), key=lambda page: (page.parent != root, page.name != "index.md", page))
    return tuple(topic for page in pages for topic in _of_page(page, root))


def find_topic(requested: str, known: tuple[Topic, ...]) -> Topic:
    """The topic of a name, whatever its case; for a line of output, the longest topic of several words that is in it.

    Raises:
        UnusableInput: there is none; the advice names near ones.
    """
    wanted = _plain(requested)
    for topic in known:
        if _plain(topic.name) == wanted:
            return topic
    within = [topic for topic in known if " " in topic.name and f" {_plain(topic.name)} " in f" {wanted} "]
    if within:
        return max(within, key=lambda topic: len(topic.name))
    names = {_plain(topic.name): topic.name for topic in known}
    near = difflib.get_close_matches(wanted, names, n=3, cutoff=0.5)
    meant = f"did you mean {' or '.join(names[name] for name in near)}? " if near else ""
    raise UnusableInput(f"{requested}: no such topic", f"{meant}`safeconvert explain` lists all")


def _of_page(page: Path, root: Path) -> Iterator[Topic]:
    text = _COMMENT.sub("", page.read_text(encoding="utf-8")).strip() + "\n"
    headings = list(_headings(text))
    name = page.stem if page.stem != "index" else "overview" if page.parent == root else page.parent.name
    title = _WORD.sub(r"\1", headings[0][2]) if headings else name
    yield Topic(name, title, name, text, True)
    for index, (start, level, heading) in enumerate(headings):
        end = next((begin for begin, other, _ in headings[index + 1 :] if other <= level), len(text))
        for word in _WORD.findall(heading):
            yield Topic(word, _WORD.sub(r"\1", heading), name, text[start:end].strip() + "\n", index == 0)


def _headings(text: str) -> Iterator[tuple[int, int, str]]:
    """(where it begins, level, heading) of each heading; what stands in a fenced block is none."""
    position, fenced = 0, False
    for line in text.splitlines(keepends=True):
        if line.startswith("```"):
            fenced = not fenced
        elif not fenced and (found := _HEADING.match(line.rstrip("\n"))):
            yield position, len(found[1]), found[2]
        position += len(line)


def _plain(text: str) -> str:
    """Lower case, underscores as spaces, one space between words, no punctuation at the ends of words."""
    return " ".join(word.strip(".,:;'\"()[]`") for word in text.casefold().replace("_", " ").split())
