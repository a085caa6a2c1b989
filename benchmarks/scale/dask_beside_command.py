"""A fit on Dask beside the command on the same rows, network and optimizer.

    pip install 'dask[dataframe]' distributed pyarrow numpy scikit-learn, and the package of python/
    python benchmarks/scale/dask_beside_command.py --surefoot target/release/surefoot [--rows 10000000] [--pairs 3]

The table has 50 columns of standard normal numbers in single precision and a target of numbers, in a file of Parquet; the network is
50-64-1 with tanh, the optimizer L-BFGS. Two workers of one thread each beside two threads of one process, in turns. A time is from the
file to the fitted model: the command reads, finds out what the columns are, scales and learns; on Dask the workers read, and the cluster is
there already. Seconds an iteration are those of the training alone, on Dask from the first evaluation on.
"""

import argparse
import json
import statistics
import subprocess
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np

COLUMNS, PARTS, ITERATIONS = 50, 20, 12


def write(file, rows):
    import pyarrow as pa
    import pyarrow.parquet as pq

    mix = np.random.default_rng(1).normal(size=COLUMNS).astype(np.float32)
    names = [f"x{column:02}" for column in range(COLUMNS)] + ["y"]
    with pq.ParquetWriter(file, pa.schema([(name, pa.float32()) for name in names]), compression=None) as writer:
        for part in range(PARTS):
            random = np.random.default_rng([2, part])
            count = rows * (part + 1) // PARTS - rows * part // PARTS
            x = random.standard_normal((count, COLUMNS), dtype=np.float32)
            noise = 0.1 * random.standard_normal(count, dtype=np.float32)
            y = np.tanh(x @ mix / 4) + x[:, 0] * x[:, 1] / 4 + noise
            columns = [*x.T, y]
            writer.write_table(pa.table(dict(zip(names, columns))), row_group_size=count)


def command(program, file, out):
    """Seconds from the file to the model, and of an iteration."""
    clock = time.perf_counter()
    lines = subprocess.run(
        [program, "train", file, "--target", "y", "--optimizer", "lbfgs", "--hidden", "64", "--epochs", str(ITERATIONS), "--validation", "0",
         "--weight-decay", "0", "--threads", "2", "--json", "--report", "none", "--out", out],
        check=True, capture_output=True, text=True,
    ).stdout.splitlines()  # fmt: skip
    return time.perf_counter() - clock, json.loads(lines[-1])["seconds"] / ITERATIONS


def on_dask(client, file):
    import dask.dataframe as dd
    import surefoot.dask

    class Timed(surefoot.dask._Pieces):
        """Pieces that know when they were first asked for a sum."""

        begun = None

        def total(self, request):
            Timed.begun = Timed.begun or time.perf_counter()
            return super().total(request)

    surefoot.dask._Pieces = Timed
    clock = time.perf_counter()
    table = dd.read_parquet(file, split_row_groups=True)
    model = surefoot.dask.Regressor(
        hidden_layer_sizes=(64,), activation="tanh", alpha=0, tol=0, max_iter=ITERATIONS, random_state=0, client=client
    )
    names = [name for name in table.columns if name != "y"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(table[names], table["y"])
    end = time.perf_counter()
    surefoot.dask._Pieces = Timed.__base__
    return end - clock, (end - Timed.begun) / model.n_iter_


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--surefoot", default="target/release/surefoot")
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--pairs", type=int, default=3)
    arguments = parser.parse_args()
    from dask.distributed import Client, LocalCluster

    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        file = Path(folder) / "table.parquet"
        write(file, arguments.rows)
        ratios = []
        for pair in range(arguments.pairs):
            alone = command(arguments.surefoot, str(file), f"{folder}/model.safetensors")
            options = dict(n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50)
            with LocalCluster(**options) as cluster, Client(cluster) as client:
                shared = on_dask(client, str(file))
            ratios.append([there / here for there, here in zip(shared, alone)])
            print(
                f"pair {pair + 1}: command {alone[0]:.1f} s, Dask {shared[0]:.1f} s; an iteration {alone[1]:.2f} and {shared[1]:.2f} s",
                flush=True,
            )
        whole, iteration = (statistics.median(one) for one in zip(*ratios))
        print(f"median ratio {whole:.2f}, of an iteration {iteration:.2f}")


if __name__ == "__main__":
    main()
