"""The ledger of a batch: a SQLite file beside the results that says where each job stands.

Every change is one transaction, so that a process that is killed at any moment leaves a ledger that is right. What was running then is
pending again; what was done stays done as long as its files and flags are those that it was done with.
"""

from __future__ import annotations

import fcntl
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from safeconvert.batch.job import Job, Result, State
from safeconvert.errors import UnusableInput

NAME = "ledger.sqlite"
VERSION = 1
_TABLES = """
create table jobs (
    name text primary key, place integer not null, command text not null, fingerprint text not null, state text not null,
    attempt integer not null, exit_code integer, verdict text not null, reason text not null, certificate text not null,
    seconds real not null, peak integer not null, finished real
);
"""


@dataclass(frozen=True)
class Entry:
    """A job as the ledger has it; `finished` is in seconds since 1970, None where it is not."""

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
                    "insert or replace into jobs values (?, ?, ?, ?, ?, 0, null, '', '', '', 0, 0, null)",
                    (job.name, index, job.command, fingerprint, State.PENDING),
                )
            db.execute("update jobs set state = ? where state = ?", (State.PENDING, State.RUNNING))

    def entry(self, name: str) -> Entry:
        """One job."""
        return next(entry for entry in self.entries() if entry.name == name)

    def entries(self) -> list[Entry]:
        """All jobs, in the manifest's order."""
        rows = self._connection.execute(
            "select name, command, state, attempt, exit_code, verdict, reason, certificate, seconds, peak, finished from jobs "
            "order by place, name"
        )
        return [Entry(row[0], row[1], State(row[2]), *row[3:]) for row in rows]

    def reset(self, names: Sequence[str]) -> None:
        """Make jobs pending again."""
        with self._connection as db:
            db.executemany("update jobs set state = ? where name = ?", [(State.PENDING, name) for name in names])

    def begin(self, name: str) -> None:
        """A job runs now, once more."""
        with self._connection as db:
            db.execute("update jobs set state = ?, attempt = attempt + 1 where name = ?", (State.RUNNING, name))

    def end(self, name: str, result: Result) -> None:
        """A job came to a result."""
        with self._connection as db:
            db.execute(
                "update jobs set state = ?, exit_code = ?, verdict = ?, reason = ?, certificate = ?, seconds = ?, peak = ?, "
                "finished = ? where name = ?",
                (result.state, result.exit_code, result.verdict, result.reason, result.certificate, result.seconds,
                 result.peak, time.time(), name),
            )  # fmt: skip

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
                    connection.executescript(f"{_TABLES} pragma user_version = {VERSION};")
                yield Ledger(connection)
    except sqlite3.Error as error:
        raise UnusableInput(f"{path}: cannot be used as a ledger: {error}", "name other --results") from error
    except OSError as error:
        raise UnusableInput(
            f"{results}: cannot be written: {error.strerror}", "free some space, or name other --results"
        ) from error
