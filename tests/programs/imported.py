"""Run a statement after `import safeconvert`, and print which modules are there then: `imported.py STATEMENT MODULE…`."""

import sys

import safeconvert  # noqa: F401 - the statement uses it

exec(sys.argv[1])
print([name for name in sys.argv[2:] if name in sys.modules])
