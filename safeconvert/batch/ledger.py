"""The ledger of a batch: a SQLite file beside the results that says where each job stands.

Every change is one transaction, so that a process that is killed at any moment leaves a ledger that is right. What was running then is
pending again; what was done stays done as long as its files and flags are those that it was done with.
"""

from __future__ import annotations

import fcntl
import json
import sqlite3
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safeconvert.batch.job import VERIFIED, Job, Result, State
from safeconvert.certificate.untrusted_json import mapping
from safeconvert.errors import ExitCode, UnusableInput

NAME = "ledger.sqlite"
VERSION = 2
_TABLES = """
create table jobs (
    name text primary key, place integer not null, command text not null, fingerprint text not null, state text not null,
    attempt integer not null, exit_code integer, verdict text not null, reason text not null, certificate text not null,
    seconds real not null, peak integer not null, finished real, target_sha256 text not null default ''
);
create table answers (name text primary key, content blob not null);
"""
_FROM_VERSION_1 = """
alter table jobs add column target_sha256 text not null default '';
create table answers (name text primary key, content blob not null);
"""


@dataclass(frozen=True)
class Entry:
    """A job as the ledger has it; `finished` is in seconds since 1970, None where it is not.

    `target_sha256` is of the target that was verified, "" where none was.
    """

    name: str
    command: str
    state: State
    attempt: int
    exit_code: int | None
    verdict: str
    reason: str
    certificate: str
    seconds: float
    peak: int
    finished: float | None
    target_sha256: str

    @property
    def code(self) -> ExitCode:
        """What the job adds to the exit code of its batch: `VERIFIED` only where it is done and was verified."""
        if self.state is not State.DONE or self.exit_code is None:
            return ExitCode.NO_VERDICT
        if self.exit_code == ExitCode.VERIFIED and self.verdict != VERIFIED:
            return ExitCode.NO_VERDICT
        return ExitCode(self.exit_code)


class Ledger:
    """An open ledger. One process at a time has it."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def enter(self, jobs: Sequence[tuple[Job, str]]) -> None:
        """Enter jobs with their fingerprints; one that is known and unchanged keeps its state, others are pending."""
        with self._connection as db:
            for index, (job, fingerprint) in enumerate(jobs):
                known = db.execute("select fingerprint from jobs where name = ?", (job.name,)).fetchone()
                if known is not None and known[0] == fingerprint:
                    db.execute("update jobs set place = ? where name = ?", (index, job.name))
                    continue
                db.execute(
                    "insert or replace into jobs values (?, ?, ?, ?, ?, 0, null, '', '', '', 0, 0, null, '')",
                    (job.name, index, job.command, fingerprint, State.PENDING),
                )
                db.execute("delete from answers where name = ?", (job.name,))
            db.execute("update jobs set state = ? where state = ?", (State.PENDING, State.RUNNING))

    def entry(self, name: str) -> Entry:
        """One job."""
        return next(entry for entry in self.entries() if entry.name == name)

    def entries(self) -> list[Entry]:
        """All jobs, in the manifest's order."""
        rows = self._connection.execute(
            "select name, command, state, attempt, exit_code, verdict, reason, certificate, seconds, peak, finished, "
            "target_sha256 from jobs "
            "order by place, name"
        )
        return [Entry(row[0], row[1], State(row[2]), *row[3:]) for row in rows]

    def reset(self, names: Sequence[str]) -> None:
        """Make jobs pending again, and forget what they came to; how long they took and what they needed stays."""
        with self._connection as db:
            db.executemany(
                "update jobs set state = ?, exit_code = null, verdict = '', reason = '', certificate = '', "
                "target_sha256 = '', finished = null where name = ?",
                [(State.PENDING, name) for name in names],
            )
            db.executemany("delete from answers where name = ?", [(name,) for name in names])

    def begin(self, name: str) -> None:
        """A job runs now, once more."""
        with self._connection as db:
            db.execute("update jobs set state = ?, attempt = attempt + 1 where name = ?", (State.RUNNING, name))

    def end(self, name: str, result: Result) -> None:
        """A job came to a result."""
        content = zlib.compress(json.dumps(dict(result.answer)).encode())
        with self._connection as db:
            db.execute("insert or replace into answers values (?, ?)", (name, content))
            db.execute(
                "update jobs set state = ?, exit_code = ?, verdict = ?, reason = ?, certificate = ?, seconds = ?, peak = ?, "
                "finished = ?, target_sha256 = ? where name = ?",
                (result.state, result.exit_code, result.verdict, result.reason, result.certificate, result.seconds,
                 result.peak, time.time(), result.target_sha256, name),
            )  # fmt: skip

    def answer(self, name: str) -> Mapping[str, Any]:
        """What a job answered with --json; {} where it came to none."""
        row = self._connection.execute("select content from answers where name = ?", (name,)).fetchone()
        return mapping(json.loads(zlib.decompress(row[0]))) if row is not None else {}

    def peaks(self) -> dict[str, int]:
        """By command the largest memory that a job of it took, where one is done."""
        rows = self._connection.execute("select command, max(peak) from jobs where peak > 0 group by command")
        return dict(rows.fetchall())


@contextmanager
def open_ledger(results: Path) -> Iterator[Ledger]:
    """Open or make the ledger of a folder of results.

    Raises:
        UnusableInput: another process has it, a newer safeconvert wrote it, or it cannot be read or written.
    """
    path = results / NAME
    try:
        results.mkdir(parents=True, exist_ok=True)
        with (results / f".{NAME}.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise UnusableInput(
                    f"{path}: another batch runs with it", "wait for it, or name other --results"
                ) from None
            with closing(sqlite3.connect(path)) as connection:
                version = connection.execute("pragma user_version").fetchone()[0]
                if version > VERSION:
                    raise UnusableInput(
                        f"{path}: written by a newer safeconvert (version {version})", "update safeconvert"
                    )
                if version == 0:
                    connection.executescript(f"begin; {_TABLES} pragma user_version = {VERSION}; commit;")
                elif version == 1:
                    connection.executescript(f"begin; {_FROM_VERSION_1} pragma user_version = {VERSION}; commit;")
                yield Ledger(connection)
    except sqlite3.Error as error:
        raise UnusableInput(
            f"{path}: cannot be used as a ledger: {error}",
            "free some space where that is the reason, or name other --results",
        ) from error
    except OSError as error:
        raise UnusableInput(
            f"{results}: cannot be written: {error.strerror}", "free some space, or name other --results"
        ) from error
