#!/usr/bin/env python3
"""Memory of `surefoot lab` with 20 trainings: of the digits, of a table of the largest size, or of one of single digits.

    python benchmarks/scale/lab_memory.py --surefoot target/release/surefoot digits|table|small-digits [--memory 300M]
"""

import argparse
import json
import random
import subprocess
import time
import urllib.request

LARGEST = (16 << 20) - 400  # of a request, less its other parts
SESSIONS = 20


def csv(header, row):
    """As many rows as a request takes, each line break two bytes in JSON."""
    lines, size = [header], len(header) + 2
    while size + len(line := row()) + 2 < LARGEST:
        lines.append(line)
        size += len(line) + 2
    print(f"{len(lines) - 1} rows of {header.count(',')} columns and a class")
    return {"csv": {"name": "large.csv", "text": "\n".join([*lines, ""])}}


def data(kind):
    random.seed(1)
    answer = lambda: random.choice(["yes", "no"])
    match kind:
        case "digits":
            return {"builtin": "digits"}
        case "table":
            return csv("a,b,c,d,e,f,g,h,y", lambda: ",".join(f"{random.uniform(-9, 9):.4f}" for _ in range(8)) + f",{answer()}")
        case "small-digits":
            return csv(",".join(f"c{k}" for k in range(49)) + ",y", lambda: ",".join(random.choices("0123456789", k=49)) + f",{answer()}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=["digits", "table", "small-digits"])
    parser.add_argument("--surefoot", required=True)
    parser.add_argument("--memory")
    parser.add_argument("--seconds", type=float, default=20)
    arguments = parser.parse_args()
    command = [arguments.surefoot, "lab", "--no-browser", *(["--memory", arguments.memory] if arguments.memory else [])]
    lab = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    base, token = lab.stdout.readline().strip().split("/?token=")

    def post(path, body):
        headers = {"x-surefoot-token": token, "content-type": "application/json"}
        request = urllib.request.Request(base + path, json.dumps(body).encode(), headers)
        return json.load(urllib.request.urlopen(request))

    def resident(name):
        with open(f"/proc/{lab.pid}/status") as status:
            return int(next(line for line in status if line.startswith(name)).split()[1]) / 1024

    try:
        wanted = {"data": data(arguments.kind), "choices": {"hidden": [64, 64], "activation": "tanh"}}
        for _ in range(SESSIONS):
            made = post("/api/sessions", wanted)
            post(f"/api/sessions/{made['id']}/go", {"run": {"pace": None}})
        time.sleep(arguments.seconds)
        print(f"{SESSIONS} trainings: {resident('VmRSS'):.0f} MiB resident, {resident('VmHWM'):.0f} MiB at most")
    finally:
        lab.terminate()
        lab.wait()


if __name__ == "__main__":
    main()
