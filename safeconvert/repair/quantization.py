"""Quantised targets proposed: all of it in few bits first; where that loses too much, with the least done about the fewest operators.

Biases are corrected for the rounding of the weights, unless that is surely worse on the steering inputs. Where all of it in few bits loses more there than
is aimed at, and what a budget buys surely loses less (`aimed`), that is proposed instead, although the bound might allow the other. Each operator is first judged
alone, quantised while all others compute in float: how far it moves the outputs. Then the least is searched that satisfies the steering inputs (`least`): ranges of
least error, weights alone in eight bits, 16-bit activations, float. What satisfies them is verified on the held-out inputs, by the pipeline.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from safeconvert.compare.settings import VerifySettings
from safeconvert.core.faults import Change, EvaluationRecord, FaultKind, FaultRecord
from safeconvert.core.text import first_line
from safeconvert.errors import AdapterFailure, UnusableInput
from safeconvert.repair.aimed import Aimed, aimed
from safeconvert.repair.fewest import fewest, record, score, widened
from safeconvert.repair.judging import Judged
from safeconvert.repair.least import Least, least
from safeconvert.repair.means import NOTHING, Means, Plan
from safeconvert.repair.proposals import NotMade, TargetProposal
from safeconvert.repair.quantized_file import QuantizedFile, Quantizer, with_means
from safeconvert.repair.quantized_search import Search, allowed_means, search, with_best_biases
from safeconvert.repair.types import Diagnosis
from safeconvert.workers.run import Run

_PROPOSALS = 4  # files with something done about operators that are shown to the held-out inputs


@dataclass(frozen=True)
class OperatorRepair:
    """What is done about one operator.

    Attributes:
        operator: its name.
        kind: as its format calls it.
        means: what is done.
        without: with this undone and all else kept, on the steering inputs: why it cannot be left out. None where that was not tried.
    """

    operator: str
    kind: str
    means: Means
    without: Judged | None


@dataclass(frozen=True)
class QuantizedProposal(TargetProposal):
    """A quantised target.

    Attributes:
        file: what of it computes in float, and its size; None where none was made.
        plain: the file as the quantizer alone makes it of the float target.
        repairs: what is done about which operators.
        minimal: none of the repairs can be left out, each tried.
        raw_bytes: size of `plain`.
        aimed: what it was done for, where that was the aim; None where the bound asked for it.
        lacking: means by operator were not tried, since what writes them is not installed.
        version: of what writes them, where it wrote this file; else "".
    """

    file: QuantizedFile | None = None
    plain: Path | None = None
    repairs: tuple[OperatorRepair, ...] = ()
    minimal: bool = True
    raw_bytes: int = 0
    aimed: Aimed | None = None
    lacking: bool = False
    version: str = ""


def quantized_targets(
    run: Run, quantizer: Quantizer, settings: VerifySettings, repair: bool
) -> Iterator[QuantizedProposal]:
    """Propose quantised targets, each made when those before it did not verify.

    Args:
        run: the surroundings.
        quantizer: of the float target.
        settings: what counts as equal.
        repair: something may be done about operators; else they are only judged.

    Raises:
        AdapterFailure, UnusableInput: the quantizer fails, or what it makes does not run.
    """
    source = quantizer.target.source
    plain = quantizer.write()
    if source.data.inputs.whole:
        yield QuantizedProposal(_described(plain, quantizer, NOTHING), plain.candidate, source, file=plain)
        return
    begun = search(run, quantizer, settings)
    if repair:
        begun = with_best_biases(begun, plain.candidate.path)
    for proposal in _proposed(begun, repair):
        yield replace(proposal, plain=plain.candidate.path, raw_bytes=plain.bytes)


def _proposed(made: Search, repair: bool) -> Iterator[QuantizedProposal]:
    """The steering inputs choose what the held-out ones judge first: each file that these refuse makes it harder for the next."""
    if not repair or not made.quantizer.operators:
        made.judge(NOTHING)  # what the operators are held against
        yield _nothing_done(made)
        if made.quantizer.operators:
            reason = "nothing is done about any operator where nothing is to be repaired"
            yield _not_made("operators judged alone", reason, made.ranked())
    elif made.judge(NOTHING).figures.equal:
        yield from _for_the_aim(made)
    else:
        yield from _until_equal(made)


def _nothing_done(made: Search) -> QuantizedProposal:
    quantizer = made.quantizer
    file = quantizer.write()
    return QuantizedProposal(_described(file, quantizer, NOTHING), file.candidate, quantizer.target.source, file=file)


def _for_the_aim(made: Search) -> Iterator[QuantizedProposal]:
    """Nothing done, which the steering inputs allow; in its place what surely loses less, where the aim asks for that; then ever more operators in float."""
    found = None
    if not made.judge(NOTHING).reaches(made.run.settings.quantize.aimed_fall):
        made = _ready(made)
        found = aimed(made)
    more = replace(_repaired(made, found.chosen), aimed=found) if found is not None else None
    if found is None or not found.sure or more is None or more.file is None:
        yield _nothing_done(made)
    if more is not None:
        yield more
    made = made if made.harm else _ready(made)
    done = found.chosen.plan.indices if found is not None else []
    yield from _ever_more(made, widened(done, made.order), _PROPOSALS)


def _until_equal(made: Search) -> Iterator[QuantizedProposal]:
    """The least that satisfies the bound on the steering inputs, then ever more operators in float.

    Nothing done comes first where the held-out inputs will not be asked for it, and where nothing satisfies the steering ones; else they are kept for what does.
    """
    drop, trials = made.settings.drop, made.run.settings.repair.precision_trials
    asked = drop is not None and made.judge(NOTHING).fall <= drop.allowed
    if not asked:
        yield _nothing_done(made)
    made = _ready(made)

    def equal(plan: Plan) -> bool:
        return made.judge(plan).figures.equal

    ranked, allowed = made.order, allowed_means(made, integers_only=False, share=1, spare=math.inf)
    if len(allowed[Means.FLOAT]) == len(ranked):
        allowed[Means.FLOAT] = ranked[:-1]  # all of them are the float target again
    chosen = least(ranked, allowed, equal, made.cost, trials)
    proposal = _repaired(made, chosen) if chosen is not None else None
    shown = int(proposal is not None and proposal.file is not None and proposal.file.in_few_bits)
    if asked and not shown:
        yield _nothing_done(made)
    if proposal is not None and shown:
        yield proposal
    kept = fewest(ranked, lambda keep: equal(Plan.of(keep, Means.FLOAT)), trials)
    if chosen is not None and chosen.plan == Plan.of(kept, Means.FLOAT):
        kept = widened(kept, ranked)
    yield from _ever_more(made, kept, _PROPOSALS - shown)


def _ever_more(made: Search, kept: list[int], most: int) -> Iterator[QuantizedProposal]:
    """These operators in float, and a quarter more each time; why no more where all of it is the float target again."""
    shown = 0
    while shown < most and len(kept) < len(made.order):
        proposal = _repaired(made, Least(Plan.of(kept, Means.FLOAT), False))
        if proposal.file is None or not proposal.file.in_few_bits:
            break
        yield proposal
        kept, shown = widened(kept, made.order), shown + 1
    if shown < most:
        yield _not_made("operators left in float32", "with any operator in few bits it loses more than allowed", made)


def _ready(made: Search) -> Search:
    """Ranked, and with what can be done about each operator."""
    ranked = made.ranked()
    return replace(ranked, quantizer=with_means(ranked.quantizer))


def _repaired(made: Search, chosen: Least) -> QuantizedProposal:
    """The file with what was chosen, or why there is none: trials give floats, and not every end that is asked for can be written behind what was tried."""
    quantizer, plan = made.quantizer, chosen.plan
    try:
        file = quantizer.write(plan)
    except (AdapterFailure, UnusableInput) as failure:
        return _not_made(plan.described(made.names), first_line(str(failure)), made)
    repairs = tuple(
        OperatorRepair(
            made.names[index], quantizer.operators[index].kind, means, made.judgements.get(plan.without(index))
        )
        for index, means in plan.entries
    )
    by_recipe = any(plan.by(means) for means in Means if means.by_recipe)
    known = quantizer.by_operator
    return QuantizedProposal(
        _described(file, quantizer, plan), file.candidate, quantizer.target.source, _diagnosis(made, plan), file=file,
        repairs=repairs, minimal=chosen.minimal, lacking=known is not None and known.lacking,
        version=known.version if known is not None and by_recipe else "",
    )  # fmt: skip


def _not_made(description: str, reason: str, made: Search) -> QuantizedProposal:
    return QuantizedProposal(description, NotMade(reason), made.quantizer.target.source, _diagnosis(made, NOTHING))


def _diagnosis(made: Search, plan: Plan) -> Diagnosis:
    """The state of the search: every operator is a WB fault, proven where something had to be done about it."""
    operators, kind, done = made.quantizer.operators, made.quantizer.target.optimize, dict(plan.entries)
    faults = []
    for index in made.order:
        harm, means = made.harm[index], done.get(index)
        left = {None: "kept", Means.FLOAT: "left in float32"}.get(means, f"given {means}")
        moved = f"moves the outputs by {harm:.3g} on average" if math.isfinite(harm) else "does not run"
        evidence = f"computed in {kind}, which alone {moved}; {left}"
        faults.append(
            FaultRecord(
                FaultKind.WEIGHTS, "", made.names[index], operators[index].kind, Change.PRECISION, evidence,
                isolated=harm, propagated=harm, proven=means is not None,
            )
        )  # fmt: skip
    rank = {index: place for place, index in enumerate(made.order)}
    found, last = record(faults, rank, plan.indices, made.trials), made.judge(plan).figures
    after = EvaluationRecord(score(last), last.disagreeing)
    return replace(found, after=after, ended="equal" if last.equal else "localized only")


def _described(made: QuantizedFile, quantizer: Quantizer, plan: Plan) -> str:
    """How a quantised file came about, in words: what was measured on, what is done about operators, and sizes."""
    target = quantizer.target
    corrected = f", biases of {made.corrected} layers corrected" if made.corrected else ""
    names = {Means.FLOAT: "left in float32"}
    done = "".join(
        f", {len(plan.by(means))} of {len(quantizer.operators)} operators {names.get(means, f'given {means}')}"
        for means in Means
        if plan.by(means)
    )
    return (
        f"{target.optimize}, calibrated on {target.calibration.inputs} steering inputs{corrected}{done}: {made.float_bytes} bytes became "
        f"{made.bytes}"
    )
