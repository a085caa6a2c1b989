"""Measures the defaults of `surefoot train` on public tables beside scikit-learn and writes TABLES.md."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from . import compare, ours, report
from .catalog import chosen
from .folds import FOLDS, HOME, Prepared, prepare
from .peers import measured as measure_peers
from .results import rows

OUT = Path(__file__).parent.parent / "TABLES.md"


def up_to(most: int):
    def parse(text: str) -> int:
        if not text.isdigit() or not 1 <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"a number from 1 to {most}, please")
        return int(text)

    return parse


def numbers(text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError("numbers with commas between them, please") from None


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks/tables/run", description=__doc__)
    parser.add_argument("what", nargs="?", choices=["measure", "peers", "compare"], default="measure",
                        help="measure Surefoot (and peers not yet measured), peers only, or compare what was measured")
    parser.add_argument("--binary", type=Path, help="the surefoot to measure (default: built from this repository)")
    parser.add_argument("--args", default="", help='more options for `surefoot train`, as --args="--hidden 32"')
    parser.add_argument("--tables", default="all", help="all, choose, confirm, binary, multiclass, regression, or names")
    parser.add_argument("--folds", type=up_to(FOLDS), default=FOLDS, help="how many of the five folds to measure")
    parser.add_argument("--jobs", type=up_to(256), default=1, help="trainings at a time, each on one thread")
    parser.add_argument("--settings", type=numbers, default=[], help="compare: numbers of settings (default: all)")
    parser.add_argument("--out", type=Path, help="the report (default: TABLES.md, if all is measured with the defaults)")
    return parser.parse_args()


def note(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def measure(options: argparse.Namespace, tables: list[Prepared]) -> int:
    peers = measure_peers(tables, note)
    binary = options.binary or ours.build()
    records = ours.measured(binary.resolve(), options.args, tables, options.folds, options.jobs, note)
    failed = sum(record.problem is not None for record in records)
    if failed:
        note(f"Surefoot failed on {failed} of {len(records)} folds")
    if failed < len(records):
        number = compare.settings().index(records[0].setting) + 1
        print(compare.compared(tables, peers, options.folds, [number]))
    whole = options.tables == "all" and options.folds == FOLDS
    out = options.out or (OUT if whole and not options.args else None)
    if out and failed < len(records):
        command = "benchmarks/tables/run" + (f' --args="{options.args}"' if options.args else "")
        made = rows(tables, records, peers, options.folds)
        out.write_text(report.written(made, options.args, command, ours.digest(binary)))
        note(f"wrote {out}")
    return 1 if failed else 0


def main() -> int:
    options = arguments()
    HOME.mkdir(parents=True, exist_ok=True)
    try:
        tables = [prepare(table) for table in chosen(options.tables)]
        if options.what == "measure":
            return measure(options, tables)
        peers = measure_peers(tables, note)
        if options.what == "compare":
            print(compare.compared(tables, peers, options.folds, options.settings))
    except ValueError as error:
        note(f"benchmarks/tables/run: {error}")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
