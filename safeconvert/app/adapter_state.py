"""What `safeconvert adapters` does: say which adapters load here, and install those with environments of their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from safeconvert.config.settings import Settings
from safeconvert.core.progress import Phases
from safeconvert.errors import AdapterFailure
from safeconvert.registry.environments import Environment, environment
from safeconvert.registry.install import install, remove
from safeconvert.registry.manifest import Adapter, adapters, find
from safeconvert.registry.status import AdapterState
from safeconvert.workers.requests import LoadAdapter, ReadVersions
from safeconvert.workers.run import Run, open_run


def list_adapters(settings: Settings, phases: Phases) -> list[AdapterState]:
    """Import each adapter in a worker of its own kind; what fails is data."""
    with open_run(settings, phases) as run:
        states = [_loaded(run, adapter) for adapter in run.adapters]
        states += [_missing(adapter, where) for adapter, where in run.missing]
    return sorted(states, key=lambda state: state.name)


def install_adapters(
    names: Sequence[str], settings: Settings, phases: Phases, tell: Callable[[str], None], relock: bool
) -> list[AdapterState]:
    """Make the environments of adapters anew, and import each in its own.

    Raises:
        UnusableInput: an unknown name, an adapter without an environment of its own, or an installation that failed.
    """
    every = adapters(settings.adapters.folders)
    chosen = [find(name, every) for name in names]
    states = []
    with open_run(settings, phases) as run:
        for adapter in chosen:
            log = run.logs / f"install-{adapter.name}.log"
            try:
                python = install(adapter, settings.adapters, log, tell, relock)
            except BaseException:
                run.pool.keep_logs()
                raise
            states.append(_loaded(run, replace(adapter, python=python)))
    return states


def remove_adapters(names: Sequence[str], settings: Settings) -> list[tuple[str, bool]]:
    """Remove the environments of adapters: for each name, whether there was one. Raises UnusableInput."""
    every = adapters(settings.adapters.folders)
    return [(name, remove(find(name, every), settings.adapters)) for name in names]


def _loaded(run: Run, adapter: Adapter) -> AdapterState:
    where = environment(adapter, run.settings.adapters)
    role = adapter.packages[0] if adapter.packages else adapter.name
    reason = ""
    versions: dict[str, str | None] = {}
    with run.phases.phase(f"loading {adapter.name}"):
        worker = run.pool.worker(role, adapter.python)
        try:
            versions = worker.call(adapter.name, "reading versions", ReadVersions(adapter.packages))
            worker.call(adapter.name, "loading", LoadAdapter(adapter.folder))
        except AdapterFailure as failure:
            reason = failure.cause
    advice = "" if not reason else where.command if where.state == "installed" else adapter.advice
    state = "broken" if reason else where.state
    held = str(worker.held) if worker.held is not None else ""
    return AdapterState(adapter.name, adapter.kind, adapter.summary, versions, not reason, reason, advice, state, held)


def _missing(adapter: Adapter, where: Environment) -> AdapterState:
    versions: dict[str, str | None] = dict.fromkeys(adapter.packages)
    return AdapterState(
        adapter.name, adapter.kind, adapter.summary, versions, False, where.reason, where.command, where.state
    )
