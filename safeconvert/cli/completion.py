"""What the shell offers for values of options, read from where the values are defined."""

from __future__ import annotations

import tomllib


def formats(incomplete: str) -> list[str]:
    """Formats for --to."""
    from safeconvert.core.formats import FORMATS

    return [name for name in FORMATS if name.startswith(incomplete)]


def presets(incomplete: str) -> list[str]:
    """Presets for --preprocessing."""
    from safeconvert.core.resources import data_folder

    table = tomllib.loads((data_folder("configs") / "preprocessing.toml").read_text(encoding="utf-8"))
    return [name for name in sorted(table) if name.startswith(incomplete)]


def comparators(incomplete: str) -> list[str]:
    """Built-in comparators for --comparator."""
    from safeconvert.compare.settings import KINDS

    return [name for name in KINDS if name.startswith(incomplete)]


def converters(incomplete: str) -> list[str]:
    """Converters for --route; the last name of a comma separated list is completed."""
    from safeconvert.registry.manifest import adapters

    before, comma, last = incomplete.rpartition(",")
    names = [adapter.name for adapter in adapters() if adapter.kind == "converter"]
    return [f"{before}{comma}{name}" for name in names if name.startswith(last)]


def actions(incomplete: str) -> list[str]:
    """What `adapters` does."""
    return [name for name in ("list", "install", "remove") if name.startswith(incomplete)]


def optional(incomplete: str) -> list[str]:
    """Adapters with environments of their own."""
    from safeconvert.registry.manifest import adapters

    return [adapter.name for adapter in adapters() if adapter.requirements and adapter.name.startswith(incomplete)]


def topics(incomplete: str) -> list[str]:
    """Topics for `explain`."""
    from safeconvert.cli.topics import topics as known

    names = dict.fromkeys(topic.name for topic in known() if " " not in topic.name)
    return [name for name in names if name.casefold().startswith(incomplete.casefold())]


def optimizations(incomplete: str) -> list[str]:
    """Values of --optimize."""
    from safeconvert.config.options import OPTIMIZE

    return [name for name in OPTIMIZE if name.startswith(incomplete)]


def containments(incomplete: str) -> list[str]:
    """Values of --containment."""
    from safeconvert.core.containment import Mode

    return [name for name in Mode if name.startswith(incomplete)]


def runtimes(incomplete: str) -> list[str]:
    """Values of --layer-analysis."""
    from safeconvert.config.options import LAYER_ANALYSIS

    return [name for name in LAYER_ANALYSIS if name.startswith(incomplete)]


def commands(incomplete: str) -> list[str]:
    """Commands whose flags `config` shows."""
    from safeconvert.config.commands import COMMANDS

    return [command.name for command in COMMANDS if command.name.startswith(incomplete)]


def ends(incomplete: str) -> list[str]:
    """Values of --io."""
    from safeconvert.core.optimize import Io

    return [name for name in Io if name.startswith(incomplete)]


def metrics(incomplete: str) -> list[str]:
    """Built-in metrics for --metric."""
    from safeconvert.compare.settings import METRICS

    return [name for name in METRICS if name.startswith(incomplete)]
