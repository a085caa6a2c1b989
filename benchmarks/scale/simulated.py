"""The messages of a sum over thousands of processes, on clusters that SimGrid simulates, beside the model of docs/scale.md.

    apt-get install libsimgrid-dev
    python benchmarks/scale/simulated.py [--most 4096]

`exchange.c` sends what a sum sends, from the simulated processes of SMPI. First its bytes are compared with those that `.ci/ranks`
measures of the program on 2, 3 and 4 processes. A sum over 1,024 processes takes half a minute, one over 4,096 half an hour and more.

Assumed: each process alone on a machine; every machine has a full-duplex link to one switch that is never short; a message of n
bytes takes α + n/b, whatever its size; MPI_Alltoallv in R - 1 turns, in each of which a process sends to one other and receives from one;
MPI_Allgatherv as SimGrid has Open MPI's choice; a table of 10⁹ rows. Arithmetic takes no time.
"""

import argparse
import math
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
NETWORKS = {"InfiniBand (2 µs, 12 GB/s)": (2e-6, 12e9), "Ethernet (30 µs, 1.1 GB/s)": (30e-6, 1.1e9)}
ROWS = 1_000_000_000
# Parameters, and the most processes: each 2²² numbers are exchanged for themselves, which takes the simulation as long each time.
PARAMETERS = {10_000: 4096, 1_000_000: 4096, 100_000_000: 256}
# Bytes that a rank sends in an epoch of gradient descent, as .ci/ranks prints them: 72,010 parameters, 1,797 rows.
MEASURED = {2: 288_152, 3: 576_368, 4: 432_400}

OPTIONS = {
    "smpi/simulate-computation": "no", "smpi/host-speed": "1Tf", "smpi/shared-malloc": "local", "smpi/bw-factor": "0:1",
    "smpi/lat-factor": "0:1", "smpi/coll-selector": "ompi", "smpi/alltoallv": "ring", "contexts/stack-size": "64",
    "contexts/guard-size": "0",
}
PLATFORM = """<?xml version="1.0"?>
<!DOCTYPE platform SYSTEM "https://simgrid.org/simgrid.dtd">
<platform version="4.1">
  <cluster id="cluster" prefix="n" suffix="" radical="0-{last}" speed="1Tf" bw="{bandwidth}Bps" lat="{latency}s"/>
</platform>
"""


def simulate(folder, size, network, *arguments):
    """Seconds, the most subtrees of a process and the most bytes that one sends."""
    latency, bandwidth = network
    platform, hosts = folder / "platform.xml", folder / "hosts"
    # a message passes two links
    platform.write_text(PLATFORM.format(last=max(size - 1, 1), bandwidth=bandwidth, latency=latency / 2))
    hosts.write_text("".join(f"n{i}\n" for i in range(size)))
    options = [f"--cfg={name}:{value}" for name, value in OPTIONS.items()]
    command = ["smpirun", "-np", str(size), "-platform", platform, "-hostfile", hosts, "-no-privatize", *options,
               "--log=root.thres:warning", folder / "exchange", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder)
    found = re.search(r"seconds (\S+) subtrees (\d+) bytes (\d+)", done.stdout)
    if not found:
        sys.exit(f"smpirun: {done.stdout}{done.stderr}")
    return float(found[1]), int(found[2]), int(found[3])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--most", type=int, default=4096, help="the most processes")
    arguments = parser.parse_args()
    if not (shutil.which("smpicc") and shutil.which("smpirun")):
        sys.exit("SimGrid's smpicc and smpirun are not on this machine (Debian: apt-get install libsimgrid-dev)")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subprocess.run(["smpicc", "-O2", HERE / "exchange.c", "-o", folder / "exchange"], check=True)
        for size, expected in MEASURED.items():
            _, _, sent = simulate(folder, size, NETWORKS["InfiniBand (2 µs, 12 GB/s)"], 72_010, 1_797, "costs")
            assert sent == expected, f"{size} processes: {sent} bytes, of the program {expected}"
        print("bytes on 2, 3 and 4 processes: those of the program\n")
        print("| network | parameters | R | q | bytes a rank | simulated, µs | model, µs |\n| --- | --- | --- | --- | --- | --- | --- |")
        sizes = [2, 4, 16, 64, 256, 1024, 4096]
        cases = [(size, p, n) for size in sizes for p, most in PARAMETERS.items() for n in NETWORKS if size <= min(most, arguments.most)]
        for size, parameters, name in cases:
            latency, bandwidth = NETWORKS[name]
            seconds, subtrees, sent = simulate(folder, size, NETWORKS[name], parameters, ROWS)
            volume = (subtrees + 1) * 4 * parameters * (size - 1) / size
            model = 2 * math.log2(size) * latency + volume / bandwidth
            print(f"| {name} | {parameters:,} | {size:,} | {subtrees} | {sent:,} | {1e6 * seconds:,.0f} | {1e6 * model:,.0f} |", flush=True)


if __name__ == "__main__":
    main()
