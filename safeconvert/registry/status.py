"""What is known of an adapter on this machine, as data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class AdapterState:
    """Whether an adapter loads here.

    Attributes:
        state: `shared`, `given` or `installed` where it loads or should; `absent` or `outdated` where it has to be
            installed first; `broken` where it does not load.
        containment: what kept its worker from the user's files, the network and other processes; "" where it has none.
        loads: whether it was imported.
        reason: why not.
        advice: what to do.
    """

    name: str
    kind: str
    summary: str
    versions: dict[str, str | None]
    loads: bool
    reason: str
    advice: str
    state: str = "shared"
    containment: str = ""
