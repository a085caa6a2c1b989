"""Runs the benchmark: every row at every thread count, ours against each peer."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from . import machine, report
from .data import folder_for
from .grid import ROWS, Row
from .measure import FULL, QUICK, RowResult, measure_row
from .workers import DATA, HOME, KINDS, LIMITS, OURS, PEERS, Worker


def names(allowed: tuple[str, ...], what: str):
    def parse(text: str) -> list[str]:
        chosen = [part.strip() for part in text.split(",") if part.strip()]
        for name in chosen:
            if name not in allowed:
                raise argparse.ArgumentTypeError(f"no {what} {name!r}; there are {', '.join(allowed)}")
        return [name for name in allowed if name in chosen]

    return parse


def counts(text: str) -> list[int]:
    try:
        chosen = [int(part) for part in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError("numbers with commas between them, please") from None
    if min(chosen) < 1:
        raise argparse.ArgumentTypeError("at least one thread, please")
    return sorted(set(chosen))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks/run", description=__doc__)
    rows = tuple(row.id for row in ROWS)
    parser.add_argument("--quick", action="store_true", help="fewer pairs and shorter runs")
    parser.add_argument("--only", type=names(rows, "row"), help="rows to run, such as a,c,i1")
    parser.add_argument("--threads", type=counts, help="thread counts (default 1,2)")
    parser.add_argument("--peers", type=names(PEERS, "peer"), help=f"peers to run, of {','.join(PEERS)}")
    parser.add_argument("--isa", choices=sorted(LIMITS), help="limits every side to this instruction set")
    parser.add_argument("--ours", choices=[OURS, "numpy"], default=OURS, help="numpy stands in, to try this program")
    parser.add_argument("--out", type=Path, help="file to write, its raw pairs beside it as JSON (default: RESULTS.md, if all is measured)")
    parser.add_argument("--fashion", type=Path, required=True, help=argparse.SUPPRESS)
    return parser.parse_args()


def note(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def tell(row: Row, result: RowResult, began: float) -> None:
    """A line on a finished row, so that a long run can be watched."""
    seconds = result.seconds()
    parts = [report.duration(row, seconds) if seconds else result.problem or "nothing measured"]
    for peer in result.peers:
        if peer.kept:
            parts.append(f"{peer.name} {peer.quartiles()[1]:.2f}{'*' if peer.similar else ''}")
        elif peer.problem != "no such work":
            parts.append(f"{peer.name}: {peer.problem}")
    parts.append(f"{result.thrown_away()} pairs thrown away")
    where = f"{row.id} with {report.threads_in_words(result.threads)}"
    note(f"{where}: {', '.join(parts)} ({time.monotonic() - began:.0f} s)")


def unlike(results: list[RowResult]) -> list[str]:
    """Rows whose bits differ between thread counts."""
    found: dict[str, set[str]] = {}
    for result in results:
        if result.digest:
            found.setdefault(result.row, set()).add(result.digest)
    return [row for row, digests in found.items() if len(digests) > 1]


def peaks(sets: list[str]) -> dict[str, float]:
    """Multiply-adds of one core with each instruction set, in GFLOP/s."""
    found = {}
    for isa in ["portable", *sets]:
        with Worker(KINDS[OURS], 1, isa) as worker:
            found[isa] = max(float(worker.ask("calibrate")["gflops"]) for _ in range(10))
    return found


def main() -> int:
    args = arguments()
    whole = not (args.quick or args.only or args.threads or args.peers or args.ours != OURS)
    rows = [row for row in ROWS if not args.only or row.id in args.only]
    threads = args.threads or [1, 2]
    peers = args.peers or list(PEERS)
    pace = QUICK if args.quick else FULL
    if args.isa and args.isa not in machine.sets():
        note(f"benchmarks/run: this CPU has no {args.isa}")
        return 2
    of_machine = report.about(peaks(machine.sets()) if args.ours == OURS else {}, len(os.sched_getaffinity(0)))
    run = report.Run(machine.label(args.isa), of_machine, pace, peers, [])
    results = run.results
    for count in threads:
        for row in rows:
            began = time.monotonic()
            folder = folder_for(row.setup, DATA / "configs", args.fashion)
            result = measure_row(row, str(folder), KINDS[args.ours], peers, pace, count, args.isa)
            results.append(result)
            tell(row, result, began)
            run.save(DATA / "so-far.json")  # a run takes an hour, and may be cut off
    if whole:
        run.save(run.file)
        every = [report.Run.read(file) for file in sorted(report.RUNS.glob("*.json"))]
        (HOME / "RESULTS.md").write_text(report.write(every, args.ours))
        note(f"written: {run.file} and {HOME / 'RESULTS.md'}")
    elif args.out:
        run.save(args.out.with_suffix(".json"))
        args.out.write_text(report.write([run], args.ours))
        note(f"written: {args.out}")
    else:
        print(report.write([run], args.ours))
    code = 0
    if differing := unlike(results):
        note(f"bits differ between thread counts in rows {', '.join(differing)}")
        code = 1
    for result in results:
        if result.problem:
            where = f"row {result.row} with {report.threads_in_words(result.threads)}"
            note(f"our worker failed on {where}: {result.problem}")
            code = 1
    return code


if __name__ == "__main__":
    sys.exit(main())
