"""A signal ends the program also where nobody reads what it says any more."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

PROGRAM = """
import time
from safeconvert.core import interrupts
interrupts.install()
print("ready", flush=True)
try:
    time.sleep(60)
except OSError:
    time.sleep(60)  # a library that takes it for an error of its own
"""


def test_a_closed_standard_error_keeps_nobody_alive() -> None:
    reading, writing = os.pipe()
    process = subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, stderr=writing, text=True)
    os.close(writing)
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    os.close(reading)
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 1 or process.returncode == 128 + signal.SIGTERM
    process.stdout.close()
