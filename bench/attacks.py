"""What each attack of a model file does: inspected, trusted, and trusted in a contained worker: `python bench/attacks.py`.

The attacks are those of `tests/attacks/registry.py`. Each is opened and run on zeros. "Trusted" is `--trust-pickle`: nothing is inspected,
so that the columns beside it show what containment alone keeps.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from common import ROOT, table, write

sys.path.insert(0, str(ROOT))

from safeconvert.workers.pool import WorkerPool
from safeconvert.workers.worker import Limits
from tests.attacks.attempts import Outcome, attempt
from tests.attacks.registry import ALL, Attack, Effect, make

_LIMITS = Limits(300, 16 << 30)
Pool = Callable[[Path], WorkerPool]


def main() -> None:
    """Make all attacks, try each in every way, and write the table."""
    with tempfile.TemporaryDirectory() as made:
        for program in dict.fromkeys(attack.program for attack in ALL):
            make(program, Path(made) / program)
        inspected = _tried(ALL, Path(made), trusted=False, pool=_plain)
        trusted = _tried(ALL, Path(made), trusted=True, pool=_plain)
        contained = _tried(ALL, Path(made), trusted=True, pool=_contained_pool(ALL, Path(made)))
    rows = [
        (attack.id, _said(one), _said(two), _said(three))
        for attack, one, two, three in zip(ALL, inspected, trusted, contained, strict=True)
    ]
    real = sum(attack.effect is not Effect.NONE for attack in ALL)
    counts = (
        f"{len(ALL)} attacks, {real} of which have an effect here where they are trusted and not contained. "
        f"Writing or reading: inspected {_effective(inspected)}, trusted {_effective(trusted)}, trusted and contained "
        f"{_effective(contained)}."
    )
    header = ("attack", "inspected", "`--trust-pickle --containment off`", "`--trust-pickle --containment require`")
    write("attacks", "Attacks by model files", "python bench/attacks.py", f"{counts}\n\n{table(header, rows)}")


def _tried(attacks: Sequence[Attack], made: Path, trusted: bool, pool: Pool) -> list[Outcome]:
    with tempfile.TemporaryDirectory() as folder, pool(Path(folder)) as workers:
        return [
            attempt(workers, attack, made / attack.program, trusted, Path(folder) / "scratch") for attack in attacks
        ]


def _plain(folder: Path) -> WorkerPool:
    (folder / "scratch").mkdir()
    return WorkerPool(folder, folder / "scratch", _LIMITS)


def _contained_pool(attacks: Sequence[Attack], made: Path) -> Pool:
    """Workers that may read the models' own folders and write their scratch folder, and nothing else of the attacks'."""
    from safeconvert.core.containment import Mode
    from safeconvert.workers.grants import policy_for

    models = [made / attack.program / attack.name / "in" for attack in attacks]

    def pool(folder: Path) -> WorkerPool:
        (folder / "scratch").mkdir()
        readable = (ROOT / "adapters", folder / "scratch", *models)
        return WorkerPool(
            folder,
            folder / "scratch",
            _LIMITS,
            policy_for(Mode.REQUIRE, readable, [folder / "scratch"], _LIMITS.memory),
        )

    return pool


def _effective(outcomes: Sequence[Outcome]) -> int:
    return sum(outcome.ran or outcome.read for outcome in outcomes)


def _said(outcome: Outcome) -> str:
    done = [text for text, happened in (("**file written**", outcome.ran), ("**file read**", outcome.read)) if happened]
    if outcome.refusal and not done:
        return f"{'refused' if outcome.exit_code == 2 else 'fails'}, exit {outcome.exit_code}"
    return " and ".join(done) or "runs, without effect"


if __name__ == "__main__":
    main()
