"""The process of a batch's slot: command lines in, exit codes and what they printed out. One JSON line each.

The program is the one of the command line; it runs in this process again and again, so that it is imported once.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from typing import Any

import click


def run(words: list[str]) -> dict[str, Any]:
    """Run one command line with --json; its exit code, the JSON object that it printed ({} for none), and all of its text."""
    from safeconvert.app.report_file import with_value
    from safeconvert.cli.app import app

    printed = io.StringIO()
    code = 0
    with contextlib.redirect_stdout(printed):
        try:
            ended = app(with_value(words), standalone_mode=False)
            code = ended if isinstance(ended, int) else 0  # without its own mode, click gives the exit code back
        except click.ClickException as error:
            code = 2
            printed.write(error.format_message())
        except SystemExit as left:
            code = left.code if isinstance(left.code, int) else 4
    text = printed.getvalue()
    try:
        content = json.loads(text)
    except ValueError:
        content = {}
    return {"exit_code": code, "content": content if isinstance(content, dict) else {}, "text": text[-2000:]}


def main() -> int:
    """Answer until the input ends. What commands write to the real standard output goes to the log."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    for line in sys.stdin.buffer:
        answers.write(json.dumps(run(json.loads(line))).encode() + b"\n")
        answers.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
