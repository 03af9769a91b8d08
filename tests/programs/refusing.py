"""Verify two files that are not there with what `from safeconvert import` gives: `refusing.py NAMES MODULE…`."""

import importlib
import sys

import safeconvert

for name in sys.argv[1].split(","):
    assert callable(getattr(importlib.import_module("safeconvert"), name))
try:
    safeconvert.verify("a", "b")
except safeconvert.UnusableInput as error:
    print(error)
print([name for name in sys.argv[2:] if name in sys.modules])
