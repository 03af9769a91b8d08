"""The ledger: what is done stays done, what was running is pending again, and one process has it."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from safeconvert.app.batch import BatchOutcome
from safeconvert.batch.job import Job, Result, State
from safeconvert.batch.ledger import NAME, VERSION, Entry, open_ledger
from safeconvert.batch.plan import Plan, outdated, plan
from safeconvert.errors import ExitCode, UnusableInput

DONE = Result(State.DONE, 0, "verified", "equal", "", 2.5, 1 << 20)
FAILED = Result(State.DONE, 1, "not_equivalent", "differs", "", 4.5, 1 << 21)


def jobs(folder: Path) -> list[Job]:
    found = []
    for name in ("a", "b", "c"):
        (folder / f"{name}.onnx").write_bytes(name.encode())
        found.append(Job("verify", folder / f"{name}.onnx", folder / f"{name}.onnx", None, {"samples": 4}))
    return found


def entered(folder: Path, made: list[Job]) -> list[tuple[Job, str]]:
    return [(job, job.fingerprint()) for job in made]


def test_a_killed_batch_goes_on_where_it_stopped(tmp_path: Path) -> None:
    made = jobs(tmp_path)
    with open_ledger(tmp_path / "r") as ledger:
        ledger.enter(entered(tmp_path, made))
        ledger.begin(made[0].name)
        ledger.end(made[0].name, DONE)
        ledger.begin(made[1].name)  # and the process is gone
    with open_ledger(tmp_path / "r") as ledger:
        ledger.enter(entered(tmp_path, made))
        found = plan(made, ledger.entries())
        assert [job.name for job in found.run] == [made[1].name, made[2].name]
        assert [entry.name for entry in found.kept] == [made[0].name]
        assert ledger.entry(made[1].name).attempt == 1 and found.seconds == 5.0


def test_a_changed_file_or_flag_is_run_again_and_nothing_else(tmp_path: Path) -> None:
    made = jobs(tmp_path)
    with open_ledger(tmp_path / "r") as ledger:
        ledger.enter(entered(tmp_path, made))
        for job in made:
            ledger.begin(job.name)
            ledger.end(job.name, DONE)
        made[0].source.write_bytes(b"another")
        made[1] = Job(made[1].command, made[1].source, made[1].target, None, {"samples": 5})
        ledger.enter(entered(tmp_path, made))
        assert [job.name for job in plan(made, ledger.entries()).run] == [made[0].name, made[1].name]


def test_a_failed_job_is_run_again_only_where_that_is_asked_for(tmp_path: Path) -> None:
    made = jobs(tmp_path)
    with open_ledger(tmp_path / "r") as ledger:
        ledger.enter(entered(tmp_path, made))
        for job, result in zip(made, (DONE, FAILED, DONE), strict=True):
            ledger.begin(job.name)
            ledger.end(job.name, result)
        assert not plan(made, ledger.entries()).run
        assert [job.name for job in plan(made, ledger.entries(), retry_failed=True).run] == [made[1].name]
        assert not plan(made, ledger.entries(), only="*a.onnx*", retry_failed=True).run


def test_a_target_that_is_gone_is_made_again(tmp_path: Path) -> None:
    [job, *_] = jobs(tmp_path)
    job = Job("torch2onnx", job.source, None, tmp_path / "out.onnx")
    with open_ledger(tmp_path / "r") as ledger:
        ledger.enter(entered(tmp_path, [job]))
        ledger.begin(job.name)
        ledger.end(job.name, DONE)
        assert outdated([job], ledger.entries()) == [job.name]
        ledger.reset([job.name])
        assert [one.name for one in plan([job], ledger.entries(), only="nothing").run] == []
        assert ledger.entry(job.name).code is ExitCode.NO_VERDICT, "it counts as not done, also where it is not run now"
        assert [one.name for one in plan([job], ledger.entries()).run] == [job.name]


def test_a_target_that_was_changed_is_made_again(tmp_path: Path) -> None:
    [source, *_] = jobs(tmp_path)
    job = Job("torch2onnx", source.source, None, tmp_path / "out.onnx")
    (tmp_path / "out.onnx").write_bytes(b"made")
    sha256 = hashlib.sha256(b"made").hexdigest()
    verified = replace(DONE, certificate="", answer={"predicate": {"target": {"sha256": sha256}}})
    with open_ledger(tmp_path / "r") as ledger:
        ledger.enter(entered(tmp_path, [job]))
        ledger.begin(job.name)
        ledger.end(job.name, verified)
        assert ledger.entry(job.name).code is ExitCode.VERIFIED and ledger.answer(job.name) == verified.answer
        assert not outdated([job], ledger.entries())
        (tmp_path / "out.onnx").write_bytes(b"another")
        assert outdated([job], ledger.entries()) == [job.name]


def test_a_ledger_of_version_1_is_taken_over(tmp_path: Path) -> None:
    made = jobs(tmp_path)
    connection = sqlite3.connect(tmp_path / NAME)
    connection.executescript("""
        create table jobs (name text primary key, place integer not null, command text not null, fingerprint text not null,
            state text not null, attempt integer not null, exit_code integer, verdict text not null, reason text not null,
            certificate text not null, seconds real not null, peak integer not null, finished real);
        pragma user_version = 1;
    """)
    row = (made[0].name, 0, "verify", made[0].fingerprint(), "done", 1, 0, "verified", "equal", "", 2.5, 7, 1.0)
    connection.execute("insert into jobs values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
    connection.commit()
    connection.close()
    with open_ledger(tmp_path) as ledger:
        ledger.enter(entered(tmp_path, made))
        assert [job.name for job in plan(made, ledger.entries()).run] == [made[1].name, made[2].name]
        assert ledger.entry(made[0].name).code is ExitCode.VERIFIED and ledger.answer(made[0].name) == {}


def test_a_full_disk_is_named_and_what_was_done_stays_done(tmp_path: Path) -> None:
    made = jobs(tmp_path)
    large = replace(FAILED, answer={"noise": os.urandom(1 << 16).hex()})
    full = pytest.raises(UnusableInput, match=r"ledger\.sqlite: cannot be used as a ledger: .*full")
    with full, open_ledger(tmp_path / "r") as ledger:
        ledger.enter(entered(tmp_path, made))
        ledger.begin(made[0].name)
        ledger.end(made[0].name, DONE)
        pages = ledger._connection.execute("pragma page_count").fetchone()[0]
        ledger._connection.execute(f"pragma max_page_count = {pages}")  # what SQLite meets on a full disk
        ledger.begin(made[1].name)
        ledger.end(made[1].name, large)
    with open_ledger(tmp_path / "r") as ledger:
        ledger.enter(entered(tmp_path, made))
        assert [entry.state for entry in ledger.entries()] == [State.DONE, State.PENDING, State.PENDING]


@pytest.mark.parametrize(
    ("state", "exit_code", "verdict", "code"),
    [
        (State.DONE, 0, "verified", ExitCode.VERIFIED),
        (State.DONE, 0, "", ExitCode.NO_VERDICT),
        (State.DONE, 0, "not_equivalent", ExitCode.NO_VERDICT),
        (State.PENDING, 0, "verified", ExitCode.NO_VERDICT),
        (State.CRASHED, None, "", ExitCode.NO_VERDICT),
        (State.DONE, 3, "no_route", ExitCode.NO_ROUTE),
    ],
)
def test_exit_code_0_is_of_verified_jobs_alone(state: State, exit_code: int, verdict: str, code: ExitCode) -> None:
    entry = Entry("a", "verify", state, 1, exit_code, verdict, "", "", 1.0, 1, None, "")
    assert entry.code is code
    nothing = Plan((), (), None)
    assert (
        BatchOutcome(nothing, (replace(entry, state=State.DONE, exit_code=0, verdict="verified"), entry)).exit_code
        == code
    )


def test_only_one_process_has_a_ledger(tmp_path: Path) -> None:
    with open_ledger(tmp_path), pytest.raises(UnusableInput, match="another batch"), open_ledger(tmp_path):
        pass


def test_a_newer_ledger_and_what_is_none_are_refused(tmp_path: Path) -> None:
    with open_ledger(tmp_path):
        pass
    connection = sqlite3.connect(tmp_path / NAME)
    connection.execute(f"pragma user_version = {VERSION + 1}")
    connection.commit()
    connection.close()
    with pytest.raises(UnusableInput, match="newer safeconvert"), open_ledger(tmp_path):
        pass
    (tmp_path / NAME).write_bytes(b"no database at all, but long enough to be looked at" * 40)
    with pytest.raises(UnusableInput, match="cannot be used as a ledger"), open_ledger(tmp_path):
        pass
