"""Runs the benchmark: every row at every thread count, ours against each peer."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path

from . import report
from .data import folder_for
from .grid import ROWS, Row
from .measure import FULL, QUICK, RowResult, as_json, measure_row
from .workers import DATA, HOME, KINDS, OURS, PEERS


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
    parser.add_argument("--ours", choices=[OURS, "numpy"], default=OURS, help="numpy stands in, to try this program")
    parser.add_argument("--out", type=Path, help="file to write; its raw pairs go beside it as JSON")
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


def save(results: list[RowResult], text: str, out: Path) -> str:
    """Writes the report and its raw pairs beside it; the name of the latter."""
    out.write_text(text)
    raw = out.with_name("results.json") if out == HOME / "RESULTS.md" else out.with_suffix(".json")
    raw.write_text(json.dumps([as_json(result) for result in results], indent=1) + "\n")
    return raw.name


def main() -> int:
    args = arguments()
    whole = not (args.quick or args.only or args.threads or args.peers or args.ours != OURS)
    out = args.out or (HOME / "RESULTS.md" if whole else None)
    rows = [row for row in ROWS if not args.only or row.id in args.only]
    threads = args.threads or [1, 2]
    peers = args.peers or list(PEERS)
    pace = QUICK if args.quick else FULL
    results: list[RowResult] = []
    for count in threads:
        for row in rows:
            began = time.monotonic()
            folder = folder_for(row.setup, DATA / "configs", args.fashion)
            result = measure_row(row, str(folder), KINDS[args.ours], peers, pace, count)
            results.append(result)
            tell(row, result, began)
            text = report.write(results, peers, pace, args.ours, len(os.sched_getaffinity(0)))
            save(results, text, DATA / "so-far.md")  # a run takes an hour, and may be cut off
    if out:
        note(f"written: {out} and {save(results, text, out)}")
    else:
        print(text)
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
