"""Publish a file where no file may be larger than 1000 bytes, as on a full disk: `small_files.py MADE TARGET`; exit code 2."""

import resource
import signal
import sys
from pathlib import Path

from safeconvert.errors import UnusableInput
from safeconvert.pipeline.publication import publish

resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
try:
    publish(Path(sys.argv[1]), "", Path(sys.argv[2]), lambda: Path())
except UnusableInput as error:
    print(error.message)
    sys.exit(2)
