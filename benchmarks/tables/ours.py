"""Surefoot as a user calls it: `surefoot train` on a fold's train.csv, `surefoot evaluate` on its test.csv."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path

from .folds import HOME, Prepared

ROOT = Path(__file__).parent.parent.parent
RECORDS = HOME / "surefoot.jsonl"


@dataclass(frozen=True)
class Setting:
    """A binary with options."""

    binary: str
    args: str

    def __str__(self) -> str:
        return f"{self.binary[:8]} {self.args or '(defaults)'}"


@dataclass(frozen=True)
class Record:
    """One fold. Without a score, `problem` says what Surefoot said."""

    setting: Setting
    table: str
    data: str
    fold: int
    seconds: float
    score: float | None = None
    log_loss: float | None = None
    problem: str | None = None


def build() -> Path:
    """The binary as users build it: nothing from the caller's environment changes the code."""
    settings = {"RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_TARGET_DIR", "CARGO_BUILD_TARGET"}
    environment = {name: value for name, value in os.environ.items() if name not in settings}
    subprocess.run(["cargo", "build", "--release", "-p", "surefoot-cli"], cwd=ROOT, env=environment, check=True)
    return ROOT / "target" / "release" / "surefoot"


def digest(binary: Path) -> str:
    return hashlib.sha256(binary.read_bytes()).hexdigest()[:16]


def measure(binary: Path, setting: Setting, prepared: Prepared, fold: int) -> Record:
    """Trains and evaluates on one thread."""
    about = (setting, prepared.table.name, prepared.digest, fold)
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "model.safetensors"
        train = [binary, "train", prepared.train(fold), "--target", prepared.table.target, "--quiet",
                 "--out", model, "--threads", "1", *shlex.split(setting.args)]
        began = time.perf_counter()
        done = subprocess.run(train, capture_output=True, text=True)
        seconds = time.perf_counter() - began
        if done.returncode == 0:
            done = subprocess.run([binary, "evaluate", model, prepared.test(fold), "--json"], capture_output=True, text=True)
    if done.returncode != 0:
        return Record(*about, seconds, problem=done.stderr.strip() or f"exit status {done.returncode}")
    said = json.loads(done.stdout)
    return Record(*about, seconds, said["score"], said.get("log_loss"))


def records() -> list[Record]:
    """All that were ever measured, oldest first."""
    if not RECORDS.exists():
        return []
    lines = [json.loads(line) for line in RECORDS.read_text().splitlines()]
    return [Record(**{**line, "setting": Setting(**line["setting"])}) for line in lines]


def measured(
    binary: Path, args: str, tables: list[Prepared], folds: int, jobs: int, note: Callable[[str], None]
) -> list[Record]:
    """The first folds of the tables; one that this binary has done with these options is not done again."""
    setting = Setting(digest(binary), " ".join(args.split()))
    known = {(record.setting, record.data, record.fold): record for record in records()}
    wanted = [(setting, prepared, fold) for prepared in tables for fold in range(folds)]
    missing = [(prepared, fold) for _, prepared, fold in wanted if (setting, prepared.digest, fold) not in known]
    note(f"{setting}: {len(missing)} of {len(wanted)} folds to measure")
    began = time.perf_counter()
    for record in run(binary, setting, missing, jobs):
        known[record.setting, record.data, record.fold] = record
        if record.problem:
            # Not kept, so that it is tried again when the data or the machine are what they should be.
            note(f"{record.table}, fold {record.fold}: {record.problem}")
            continue
        with RECORDS.open("a") as file:
            file.write(json.dumps(asdict(record)) + "\n")
    if missing:
        note(f"measured in {time.perf_counter() - began:.0f} s")
    return [known[setting, prepared.digest, fold] for setting, prepared, fold in wanted]


def run(binary: Path, setting: Setting, work: list[tuple[Prepared, int]], jobs: int) -> Iterable[Record]:
    with ThreadPoolExecutor(jobs) as pool:
        futures = [pool.submit(measure, binary, setting, prepared, fold) for prepared, fold in work]
        for future in as_completed(futures):
            yield future.result()
