"""A fit on Dask beside the command on the same rows, network and optimizer.

    pip install 'dask[dataframe]' distributed pyarrow numpy scikit-learn, and the package of python/
    python benchmarks/scale/dask_beside_command.py --surefoot target/release/surefoot [--rows 10000000] [--pairs 3]

The table has 50 columns of standard normal numbers in single precision and a target of numbers, in 20 files of Parquet; the network is
50-64-1 with tanh, the optimizer L-BFGS. Two workers of one thread each beside two threads of one process, in turns. A time is from the
files to the fitted model: the command reads, scales and learns; on Dask the workers read, and the cluster is there already. Seconds an
evaluation are of the longer of two fits less those of the shorter.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np

COLUMNS, FILES, SHORT, LONG = 50, 20, 2, 12


def write(folder, rows):
    import pyarrow as pa
    import pyarrow.parquet as pq

    mix = np.random.default_rng(1).normal(size=COLUMNS).astype(np.float32)
    for file in range(FILES):
        random = np.random.default_rng([2, file])
        count = rows * (file + 1) // FILES - rows * file // FILES
        x = random.standard_normal((count, COLUMNS), dtype=np.float32)
        y = np.tanh(x @ mix / 4) + x[:, 0] * x[:, 1] / 4 + 0.1 * random.standard_normal(count, dtype=np.float32)
        columns = {f"x{column:02}": x[:, column] for column in range(COLUMNS)} | {"y": y}
        pq.write_table(pa.table(columns), folder / f"part-{file:02}.parquet", compression=None)


def command(program, folder, iterations, out):
    clock = time.perf_counter()
    lines = subprocess.run(
        [program, "train", folder, "--target", "y", "--optimizer", "lbfgs", "--hidden", "64", "--epochs", str(iterations), "--validation", "0",
         "--weight-decay", "0", "--threads", "2", "--json", "--report", "none", "--out", out],
        check=True, capture_output=True, text=True,
    ).stdout.splitlines()  # fmt: skip
    last = json.loads(lines[-1])
    return time.perf_counter() - clock, last


def on_dask(client, folder, iterations):
    import dask.dataframe as dd
    from surefoot.dask import Regressor

    clock = time.perf_counter()
    table = dd.read_parquet(folder)
    model = Regressor(hidden_layer_sizes=(64,), activation="tanh", alpha=0, tol=0, max_iter=iterations, random_state=0, client=client)
    names = [name for name in table.columns if name != "y"]
    evaluations = []
    counted = model_total(evaluations)
    with counted, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(table[names], table["y"])
    return time.perf_counter() - clock, len(evaluations), model.loss_


class model_total:
    """Counts the evaluations of a fit."""

    def __init__(self, evaluations):
        self.evaluations = evaluations

    def __enter__(self):
        import surefoot.dask

        self.pieces, self.total = surefoot.dask._Pieces, surefoot.dask._Pieces.total

        def total(pieces, request):
            self.evaluations.append(1)
            return self.total(pieces, request)

        self.pieces.total = total

    def __exit__(self, *_):
        self.pieces.total = self.total


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--surefoot", default="target/release/surefoot")
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--pairs", type=int, default=3)
    arguments = parser.parse_args()
    from dask.distributed import Client, LocalCluster

    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        data = Path(folder) / "table"
        data.mkdir()
        write(data, arguments.rows)
        ratios, of_evaluation = [], []
        for pair in range(arguments.pairs):
            times = {}
            for iterations in (SHORT, LONG):
                seconds, last = command(arguments.surefoot, str(data), iterations, f"{folder}/model.safetensors")
                times["command", iterations] = seconds, last.get("evaluations", iterations)
                with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50) as cluster, Client(cluster) as client:
                    seconds, evaluations, loss = on_dask(client, data, iterations)
                times["dask", iterations] = seconds, evaluations
            print(pair, times, "loss", loss, file=sys.stderr)
            (ratio,) = [times["dask", LONG][0] / times["command", LONG][0]]
            ratios.append(ratio)
            each = {
                who: (times[who, LONG][0] - times[who, SHORT][0]) / (times[who, LONG][1] - times[who, SHORT][1]) for who in ("command", "dask")
            }
            of_evaluation.append(each)
            print(f"pair {pair + 1}: command {times['command', LONG][0]:.1f} s, Dask {times['dask', LONG][0]:.1f} s, ratio {ratio:.2f}; "
                  f"an evaluation {each['command']:.2f} and {each['dask']:.2f} s")
        print(f"median ratio {statistics.median(ratios):.2f}; of an evaluation "
              f"{statistics.median(each['dask'] / each['command'] for each in of_evaluation):.2f}")


if __name__ == "__main__":
    main()
