"""Times the whole of a training, from the file to the model, beside other programs, and writes ../END_TO_END.md.

    benchmarks/tables/end-to-end [--binary PATH] [--tables all|choose|...] [--rows N] [--folds N] [--threads 1,2]
                                 [--programs a,b] [--out FILE]

Surefoot: the process `surefoot train FILE` from its start to its end, with the model written. The others: reading the file with pandas,
encoding and fitting, in a process of their own whose start and imports are not timed. All have their defaults. Programs take turns on
each table; `generated.py` makes the larger ones. What was measured is kept, and not measured again.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean

from peers.machine import machine

from . import ours
from .bench import note, numbers
from .catalog import REGRESSION, TASKS, chosen
from .end_to_end_peer import PROGRAMS
from .folds import HOME, prepare
from .generated import all_generated

OURS = "Surefoot"
BOOSTING = "HistGradientBoosting"
RECORDS = HOME / "end_to_end.jsonl"
OUT = Path(__file__).parent.parent / "END_TO_END.md"
# Beyond this many rows the slowest programs would take hours.
MOST_ROWS = {"RealMLP-TD": 300, "CatBoost": 700, "MLP": 30_000}


@dataclass(frozen=True)
class Record:
    """One fold, by one program."""

    machine: str
    program: str
    version: str
    table: str
    task: str
    rows: int
    fold: int
    threads: int
    seconds: float
    score: float
    megabytes: float

    @property
    def key(self) -> tuple:
        return self.machine, self.program, self.version, self.table, self.fold, self.threads


def run(command: list, threads: int) -> tuple[str, float, float]:
    """What it prints, its seconds from start to end, and the most memory that it had, in MB."""
    limits = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), str(threads))
    began = time.perf_counter()
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as problems:
        process = subprocess.Popen(list(map(str, command)), stdout=output, stderr=problems, env=os.environ | limits)
        most = 0.0
        while process.poll() is None:
            # what the system says at the end counts the memory of this process, too, from which that was forked
            most = max(most, resident(process.pid))
            time.sleep(0.005)
        seconds = time.perf_counter() - began
        output.seek(0), problems.seek(0)
        if process.returncode != 0:
            raise ValueError(f"{command[:4]}: {problems.read().strip()[-400:]}")
        return output.read(), seconds, most


def resident(process: int) -> float:
    """The most memory that the process has had so far, in MB; 0 where the system does not say."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0.0
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) / 1024 if found else 0.0


def measure_ours(binary: Path, table, fold: int, threads: int) -> tuple[float, float, float]:
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "model.safetensors"
        train = [binary, "train", table.train(fold), "--target", table.table.target, "--quiet", "--report", "none", "--out", model]
        _, seconds, megabytes = run([*train, "--threads", threads], threads)
        said, _, _ = run([binary, "evaluate", model, table.test(fold), "--json"], threads)
        return seconds, json.loads(said)["score"], megabytes


def measure_peer(program: str, table, fold: int, threads: int) -> tuple[float, float, float]:
    about = [table.train(fold), table.test(fold), table.table.target, table.table.task, threads]
    said, _, megabytes = run([sys.executable, "-m", "tables.end_to_end_peer", program, *about], threads)
    last = json.loads(said.splitlines()[-1])
    return last["seconds"], last["score"], megabytes


def rows_of(file: Path) -> int:
    with file.open("rb") as lines:
        return sum(1 for _ in lines) - 1


def records() -> dict[tuple, Record]:
    if not RECORDS.exists():
        return {}
    every = (Record(**json.loads(line)) for line in RECORDS.read_text().splitlines())
    return {record.key: record for record in every}


def measure(options: argparse.Namespace, binary: Path, tables: list) -> list[Record]:
    """Of every table, fold, number of threads and program; what is known is not measured again."""
    from importlib.metadata import version

    packages = {BOOSTING: "scikit-learn", "MLP": "scikit-learn", "LightGBM": "lightgbm", "XGBoost": "xgboost",
                "CatBoost": "catboost", "RealMLP-TD": "pytabkit"}
    known, here, found = records(), machine(), []
    for table in tables:
        rows = rows_of(table.train(0))
        folds = options.folds if rows < 20_000 else 1
        for threads in options.threads:
            for fold in range(folds):
                for program in options.programs:
                    if rows > MOST_ROWS.get(program, rows):
                        continue
                    its = ours.digest(binary) if program == OURS else f"{packages[program]} {version(packages[program])}"
                    key = (here, program, its, table.table.name, fold, threads)
                    if key not in known:
                        try:
                            took = (measure_ours(binary, table, fold, threads) if program == OURS
                                    else measure_peer(program, table, fold, threads))
                        except ValueError as error:
                            note(f"{table.table.name}, {program}: {error}")
                            continue
                        record = Record(here, program, its, table.table.name, table.table.task, rows, fold, threads, *took)
                        known[record.key] = record
                        with RECORDS.open("a") as file:
                            file.write(json.dumps(asdict(record)) + "\n")
                        note(f"{table.table.name}, {threads} threads, {program}: {took[0]:.2f} s, {took[1]:.4f}")
                    found.append(known[key])
    return found


def mean_of(found: list[Record], what: str, **where) -> float | None:
    values = [getattr(record, what) for record in found if all(getattr(record, k) == v for k, v in where.items())]
    return fmean(values) if values else None


def written(found: list[Record], programs: list[str]) -> str:
    lines = [
        "# From the file to the model", "",
        "Seconds from a CSV file to a fitted model, all programs with their defaults. Surefoot: the whole process `surefoot train FILE` without",
        "its report, from its start to its end. The others: reading with pandas, encoding and fitting; the start of Python and the imports are not",
        "counted. In brackets the score on other rows: accuracy or R². Made by `benchmarks/tables/end-to-end`; the tables are those of",
        "[TABLES.md](TABLES.md), the larger ones are generated ([tables/generated.py](tables/generated.py)).", "",
        f"{found[0].machine}.", "",
    ]
    for threads in sorted({record.threads for record in found}):
        of = [record for record in found if record.threads == threads]
        names = sorted({(record.rows > 19_999 and "generated" in record.table, TASKS.index(record.task), record.table, record.rows)
                        for record in of}, key=lambda row: (row[0], row[3] if row[0] else 0, row[1], row[2]))
        lines += [f"## {threads} thread{'s' if threads > 1 else ''}", "",
                  f"| table | task | rows | {' | '.join(programs)} | {OURS} / {BOOSTING} |", "|---|---|--:|" + "--:|" * (len(programs) + 1)]
        public = [(name, task) for large, task, name, _ in names if not large]
        for _, task, name, rows in names:
            cells = []
            for program in programs:
                where = {"program": program, "table": name, "task": TASKS[task]}
                seconds, score = mean_of(of, "seconds", **where), mean_of(of, "score", **where)
                cells.append("" if seconds is None else f"{seconds:.2f} ({score:.3f})")
            mine, boosting = (mean_of(of, "seconds", program=p, table=name, task=TASKS[task]) for p in (OURS, BOOSTING))
            ratio = f"{mine / boosting:.2f}" if mine and boosting else ""
            lines.append(f"| {name} | {TASKS[task]} | {rows:,} | {' | '.join(cells)} | {ratio} |")
        totals = []
        for program in programs:
            each = [mean_of(of, "seconds", program=program, table=name, task=TASKS[task]) for name, task in public]
            scores = [mean_of(of, "score", program=program, table=name, task=TASKS[task]) for name, task in public]
            whole = None not in each
            totals.append(f"{sum(each):.1f} ({fmean(scores):.3f})" if whole and each else "")
        lines += [f"| all public tables: sum of seconds (mean score) | | | {' | '.join(totals)} | |", ""]
    large = [record for record in found if record.rows >= 20_000]
    if large:
        lines += ["## Memory", "", "The most memory of the process, in MB (of the others with Python and its libraries), one thread.", "",
                  f"| table | task | file | {' | '.join(programs)} |", "|---|---|--:|" + "--:|" * len(programs)]
        threads = min(record.threads for record in large)
        for rows, task, name in sorted({(record.rows, record.task, record.table) for record in large}):
            cells = [mean_of(large, "megabytes", program=p, table=name, task=task, threads=threads) for p in programs]
            file = HOME / "generated" / f"{task}-{rows}" / "train.csv"
            size = f"{file.stat().st_size / 1e6:.0f} MB" if file.exists() else ""
            lines.append(f"| {name} | {task} | {size} | {' | '.join('' if c is None else f'{c:.0f}' for c in cells)} |")
        lines.append("")
    versions = sorted({f"{record.program}: {record.version}" for record in found})
    return "\n".join([*lines, "## Versions", "", *(f"- {version}" for version in versions), ""])


def main() -> int:
    parser = argparse.ArgumentParser(prog="benchmarks/tables/end-to-end", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=Path, help="the surefoot to measure (default: built from this repository)")
    parser.add_argument("--tables", default="all", help="all, none, choose, confirm, binary, multiclass, regression, or names")
    parser.add_argument("--rows", type=int, default=1_000_000, help="the most rows of a generated table; 0: none")
    parser.add_argument("--folds", type=int, default=1, help="folds of each public table")
    parser.add_argument("--threads", type=numbers, default=[1, 2])
    parser.add_argument("--programs", default=",".join([OURS, *PROGRAMS]), help="with commas between them")
    parser.add_argument("--out", type=Path, help="the report (default: END_TO_END.md, if all is measured)")
    options = parser.parse_args()
    options.programs = options.programs.split(",")
    unknown = set(options.programs) - {OURS, *PROGRAMS}
    if unknown:
        parser.error(f"no program {', '.join(sorted(unknown))}; there are {', '.join([OURS, *PROGRAMS])}")
    HOME.mkdir(parents=True, exist_ok=True)
    public = [] if options.tables == "none" else [prepare(table) for table in chosen(options.tables)]
    binary = (options.binary or ours.build()).resolve()
    found = measure(options, binary, public + all_generated(HOME, options.rows))
    text = written(found, options.programs)
    is_whole = options.tables == "all" and options.rows >= 1_000_000 and set(options.programs) == {OURS, *PROGRAMS}
    out = options.out or (OUT if is_whole else None)
    if out:
        out.write_text(text)
        note(f"wrote {out}")
    else:
        print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
