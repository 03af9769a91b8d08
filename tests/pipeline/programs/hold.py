"""Hold the lock of an output path until stdin ends: `hold.py TARGET`."""

import sys
from pathlib import Path

from safeconvert.pipeline.lock import locked

with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
