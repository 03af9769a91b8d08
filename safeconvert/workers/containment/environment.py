"""The environment variables of a worker: those that it needs, and none of the user's secrets.

By name, since nobody can tell a secret by its look: what is not listed is not passed on.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

_NAMES = frozenset(
    (
        "PATH", "LANG", "LANGUAGE", "TZ", "TERM", "LD_LIBRARY_PATH", "LD_PRELOAD", "GLIBC_TUNABLES",
        "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "PYTHONFAULTHANDLER", "PYTHONWARNINGS", "PYTHONUTF8",
        "TF_ENABLE_ONEDNN_OPTS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "TF_DETERMINISTIC_OPS",
        "TF_USE_LEGACY_KERAS", "TF_XLA_FLAGS", "TF_CPP_MAX_VLOG_LEVEL", "XLA_FLAGS",
        "TVM_NUM_THREADS", "TVM_LIBRARY_PATH", "ATEN_CPU_CAPABILITY", "DNNL_MAX_CPU_ISA", "ONEDNN_MAX_CPU_ISA",
        "NUMEXPR_NUM_THREADS", "NUMEXPR_MAX_THREADS", "VECLIB_MAXIMUM_THREADS", "NPY_DISABLE_CPU_FEATURES",
    )
)  # fmt: skip
_BEGINNINGS = ("LC_", "OMP_", "KMP_", "GOMP_", "MKL_", "OPENBLAS_", "BLIS_", "MALLOC_")
_NOBODY = "safeconvert"


def reduced(inherited: Mapping[str, str]) -> dict[str, str]:
    """The listed variables of an environment."""
    return {name: value for name, value in inherited.items() if name in _NAMES or name.startswith(_BEGINNINGS)}


def homes(folder: Path) -> dict[str, str]:
    """Where a worker's programs keep their own files: in its folder, whatever the user's are."""
    path = str(folder)
    caches = ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR", "MPLCONFIGDIR")
    return {**dict.fromkeys(("HOME", "TMPDIR", "TORCH_HOME", "KERAS_HOME", "HF_HOME", *caches), path)} | dict.fromkeys(
        ("USER", "LOGNAME"), _NOBODY
    )
