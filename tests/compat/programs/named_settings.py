"""tf2onnx's command line with a settings file that is named, and so may name code: FILE, then the command's own words."""

from __future__ import annotations

import sys

from safeconvert.compat import checking
from safeconvert.compat.tf2onnx import command

if __name__ == "__main__":
    with checking(config=sys.argv[1]):
        command.main(sys.argv[2:])
