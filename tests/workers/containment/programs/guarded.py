"""Try what a version of Landlock guards, in a folder: `guarded.py FOLDER VERSION`."""

import os
import sys
from pathlib import Path

from safeconvert.workers.containment import landlock

root, version = Path(sys.argv[1]), int(sys.argv[2])
landlock.restrict(landlock.Rules(readable=(root / "given",), writable=(root / "own",)), version)


def tried(act):
    try:
        act()
    except OSError as error:
        return type(error).__name__
    return "done"


print(tried((root / "given" / "file").read_text), tried((root / "outside" / "file").read_text))
print(tried(lambda: (root / "given" / "file").write_text("x")), tried(lambda: (root / "own" / "file").write_text("x")))
print(tried(lambda: os.truncate(root / "outside" / "file", 0)))
(root / "own" / "folder").mkdir()
print(tried(lambda: os.replace(root / "own" / "file", root / "own" / "folder" / "file")))
