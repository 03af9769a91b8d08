"""`safeconvert batch`: many conversions from a manifest."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from safeconvert.cli.errors import people_errors
from safeconvert.cli.printing import live

if TYPE_CHECKING:
    from safeconvert.batch.job import Job, Result


def batch(
    manifest: Annotated[
        Path, typer.Argument(help="A .toml or .jsonl file, or a folder of models.", show_default=False)
    ],
    *,
    results: Path,
    command: str,
    pattern: str,
    only: str,
    retry: str,
    slots: int | None,
    engine: str,
    address: str,
    junit: Path | None,
    dry_run: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Run the jobs of a manifest that are not done yet."""
    with people_errors(as_json):
        from safeconvert.app.batch import BatchOptions, Engine, run_batch, summary
        from safeconvert.core.progress import display
        from safeconvert.errors import UnusableInput

        if retry not in ("", "failed"):
            raise UnusableInput(f"--retry {retry}: unknown", "--retry failed")
        if engine not in list(Engine):
            raise UnusableInput(f"--engine {engine}: unknown", f"one of {', '.join(Engine)}")
        if engine != Engine.RAY and address:
            raise UnusableInput("--address: is of a Ray cluster", "add --engine ray")
        if engine == Engine.RAY and slots is not None:
            raise UnusableInput(
                "--slots: is of the local engine; on Ray the cluster's processors and memory decide", "leave it out"
            )

        def ended(job: Job, result: Result) -> None:
            if as_json:
                typer.echo(json.dumps({"job": job.name, **result.to_json()}))
            elif not quiet:
                typer.echo(f"{result.verdict or result.state}  {job.name}  {result.seconds:.1f} s")
                if result.exit_code != 0:
                    typer.echo(f"  {result.reason}")

        options = BatchOptions(
            manifest, results, command, pattern, only, retry == "failed", slots, junit, Engine(engine), address
        )
        with display(live({"quiet": quiet, "as_json": as_json})) as phases:
            outcome = run_batch(options, ended, dry_run, phases)
        if dry_run:
            for job in outcome.plan.run:
                typer.echo(json.dumps({"job": job.name}) if as_json else f"to run  {job.name}")
            seconds = outcome.plan.seconds
            estimate = (
                "unknown: no job of these commands was measured" if seconds is None else f"{seconds:.0f} s in one slot"
            )
            if not as_json:
                typer.echo(f"{len(outcome.plan.run)} to run, {len(outcome.plan.kept)} done; time: {estimate}")
            raise typer.Exit(0)
        if not as_json and not quiet:
            counts = ", ".join(f"{number} {word}" for word, number in summary(outcome.entries).items())
            typer.echo(f"{len(outcome.entries)} jobs: {counts}; index: {results / 'index.html'}")
        raise typer.Exit(outcome.exit_code)
