"""A table larger than the memory that Surefoot may take, as CSV and as Parquet: seconds, memory, and the same model file.

    pip install numpy pyarrow
    python benchmarks/scale/beyond_memory.py --surefoot target/release/surefoot --rows 9200000 --memory 512M [--group DIR]

The rows (48 numbers, a category and a target; 4.3 GB as CSV and 4.2 as Parquet) are made in --folder, and kept. Each table is trained on
with as much memory as there is, held to --memory, and twice with a folder for --cache, of which the first training writes the table and the second reads it. With --group, a folder of a memory control group of version 1 (such as
/sys/fs/cgroup/memory/surefoot, which has to be there), the second training is in that group, whose limit is set to --memory: then the
system's file cache counts, too, and nothing is said to the command, which finds the limit by itself.
"""

import argparse
import filecmp
import os
import shutil
import subprocess
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

STEP = 200_000


def rows_of(random, count, decimals):
    x = random.standard_normal((count, 48))
    city = random.integers(0, 7, count)
    y = 2 * x[:, 0] - x[:, 1] + np.sin(2 * x[:, 2]) + 0.5 * (city == 3) + 0.1 * random.standard_normal(count)
    number = (lambda numbers: np.round(numbers, decimals)) if decimals else (lambda numbers: numbers)
    columns = {f"x{i}": number(x[:, i]) for i in range(48)}
    return pa.table(columns | {"city": np.array([f"city {c}" for c in "abcdefg"])[city], "y": number(y)})


def make(path, rows):
    if path.exists():
        return
    random, writer, is_csv = np.random.default_rng(5), None, path.suffix == ".csv"
    for start in range(0, rows, STEP):
        table = rows_of(random, min(STEP, rows - start), 6 if is_csv else 0)
        kind = pyarrow.csv.CSVWriter if is_csv else pyarrow.parquet.ParquetWriter
        writer = writer or kind(str(path), table.schema)
        writer.write_table(table)
    writer.close()


def train(surefoot, table, model, more, group=None):
    """Seconds in all, seconds of the training, and the largest resident memory in MB."""
    command = [surefoot, "train", str(table), "--target", "y", "--out", str(model), "--report", "none", "--json", *more]

    def join():
        if group:
            Path(group, "cgroup.procs").write_text(str(os.getpid()))

    start = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, preexec_fn=join)
    lines = process.stdout.read().splitlines()
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0, command
    seconds = [line.split('"seconds":')[1].split(",")[0].rstrip("}") for line in lines if '"seconds":' in line]
    return time.monotonic() - start, float(seconds[-1]), usage.ru_maxrss / 1024


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--surefoot", required=True)
    arguments.add_argument("--rows", type=int, default=9_200_000)
    arguments.add_argument("--memory", default="512M")
    arguments.add_argument("--group")
    arguments.add_argument("--folder", type=Path, default=Path("/var/tmp"))
    arguments.add_argument("--options", default="--validation 0.1 --hidden 64,64 --epochs 1")
    given = arguments.parse_args()
    if given.group:
        Path(given.group, "memory.limit_in_bytes").write_text(given.memory)
    for kind in ["csv", "parquet"]:
        table = given.folder / f"surefoot-{given.rows}.{kind}"
        make(table, given.rows)
        limit = [] if given.group else ["--memory", given.memory]
        cache = given.folder / f"surefoot-kept-{kind}"
        shutil.rmtree(cache, ignore_errors=True)
        cache.mkdir()
        runs = [
            ("all memory", [], None),
            (given.memory, limit, given.group),
            ("all memory, kept", ["--cache", str(cache)], None),
            ("all memory, from what was kept", ["--cache", str(cache)], None),
            (f"{given.memory}, from what was kept", [*limit, "--cache", str(cache)], given.group),
        ]
        models = [given.folder / f"surefoot-{kind}-{place}.safetensors" for place in range(len(runs))]
        for model, (which, more, group) in zip(models, runs):
            seconds, training, memory = train(given.surefoot, table, model, given.options.split() + more, group)
            size = table.stat().st_size / 1e9
            print(f"{kind}, {size:.1f} GB, {which}: {seconds:.0f} s, of which training {training:.1f}; at most {memory:.0f} MB resident", flush=True)
        shutil.rmtree(cache)
        same = all(filecmp.cmp(models[0], model, shallow=False) for model in models)
        print(f"{kind}: " + ("the same model file" if same else "OTHER MODEL FILES"), flush=True)


if __name__ == "__main__":
    main()
