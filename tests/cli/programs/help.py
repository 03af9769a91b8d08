"""Print the help of the command line, then which of the named modules that imported: `help.py MODULE…`."""

import contextlib
import sys

from safeconvert.cli.app import app

with contextlib.suppress(SystemExit):
    app(["--help"])
print("IMPORTED", [name for name in sys.argv[1:] if name in sys.modules])
