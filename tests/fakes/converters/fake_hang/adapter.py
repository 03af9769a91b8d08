"""Never answers."""

from __future__ import annotations

import time


def convert(request):
    time.sleep(3600)
