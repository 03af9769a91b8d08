"""What a flag is: its kind, its group, and all that is declared of one."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a value is."""

    TEXT = "text"
    PATH = "path"
    INT = "int"
    FLOAT = "float"
    BOOL = "bool"


class Group(StrEnum):
    """Headings of a command's help, in order."""

    INPUTS = "Inputs"
    COMPARISON = "Comparison"
    ROUTE = "Route"
    REPAIR = "Repair"
    OUTPUT = "Output"
    LIMITS = "Limits"


class References(StrEnum):
    """Which values of a flag name code that is imported."""

    NONE = "none"
    NAMED = "package.module:function"
    ALL = "all"


Value = str | int | float | bool


@dataclass(frozen=True)
class Flag:
    """One flag of some commands.

    Attributes:
        key: as on the command line, without the dashes; also the key in a settings file.
        kind: what a value is.
        group: heading in the help.
        commands: names of the commands that have it.
        help: what it says, with the unit; one or two sentences.
        default: the value where nothing is said; None leaves it unset.
        unset: what holds where it is not given, and why; "" where `help` leaves no doubt.
        many: may be given several times; a list in a settings file.
        name: of the Python parameter; "" is the key with underscores.
        short: a one-letter form with its dash.
        metavar: what stands for the value in the help; "" leaves it to the kind.
        least: smallest number.
        complete: function of `cli.completion` that offers values.
        negated: `--no-KEY` exists too.
        takes: the type that the Python API takes; "" where the flag only concerns printing.
        drop_in: may also be given to `safeconvert.compat.checking`.
        only_named: why it does not count in a settings file that is found and not named with --config.
        runs_code: which of its values in such a file need --trust-project.
    """

    key: str
    kind: Kind
    group: Group
    commands: tuple[str, ...]
    help: str
    default: Value | None = None
    unset: str = ""
    many: bool = False
    name: str = ""
    short: str = ""
    metavar: str = ""
    least: int | None = None
    complete: str = ""
    negated: bool = False
    takes: str = ""
    drop_in: bool = False
    only_named: str = ""
    runs_code: References = References.NONE

    @property
    def parameter(self) -> str:
        """The name of the Python parameter."""
        return self.name or self.key.replace("-", "_")

    @property
    def text(self) -> str:
        """The help with the default and its reason."""
        return f"{self.help} Default: {self.unset}." if self.unset else self.help
