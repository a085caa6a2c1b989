"""Measures one row: the check that both sides do the same work, then pairs of runs."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import numpy as np

from .grid import Row
from .workers import KINDS, Kind, Worker, WorkerFailed

CHECK_STEPS = 10
# A pair counts only if the machine was this near its best on both sides of it.
QUIET = 0.85
# Libraries let their threads spin for a while after a product; OpenBLAS the longest, some 30 ms.
SETTLE = 0.06


@dataclass(frozen=True)
class Pace:
    """How long a run is, how many pairs are kept, and how many are tried at most."""

    seconds: float
    pairs: int
    attempts: int


FULL = Pace(0.3, 15, 40)
QUICK = Pace(0.1, 5, 12)


@dataclass
class Pair:
    ours: float
    peer: float
    before: float
    after: float


NO_QUIET_PAIR = "no quiet pair"


@dataclass
class PeerResult:
    """What came of one peer on one row. `problem` is set where there is no ratio."""

    name: str
    variant: str = ""
    problem: str = ""
    similar: str = ""
    cost_difference: float | None = None
    norm_difference: float | None = None
    pairs: list[Pair] = field(default_factory=list)
    kept: list[Pair] = field(default_factory=list)

    def quartiles(self) -> tuple[float, float, float]:
        """Lower quartile, median and upper quartile of the peer's time over ours."""
        low, middle, high = np.quantile([pair.peer / pair.ours for pair in self.kept], (0.25, 0.5, 0.75))
        return float(low), float(middle), float(high)


@dataclass
class RowResult:
    row: str
    threads: int
    digest: str = ""
    problem: str = ""
    best_gflops: float = 0.0
    peers: list[PeerResult] = field(default_factory=list)

    def kept(self) -> list[Pair]:
        return [pair for peer in self.peers for pair in peer.kept]

    def thrown_away(self) -> int:
        return sum(len(peer.pairs) - len(peer.kept) for peer in self.peers)

    def seconds(self) -> float | None:
        kept = self.kept()
        return median(pair.ours for pair in kept) if kept else None

    def peak(self) -> float | None:
        """Floating-point operations a second that the machine had to offer."""
        kept = self.kept()
        return 1e9 * median(g for pair in kept for g in (pair.before, pair.after)) if kept else None

    def fastest(self) -> PeerResult | None:
        able = [peer for peer in self.peers if peer.kept and not peer.similar]
        return min(able, key=lambda peer: peer.quartiles()[1], default=None)

    def unmeasured(self) -> list[PeerResult]:
        """Peers of which the machine was never quiet enough to say how fast they are."""
        return [peer for peer in self.peers if peer.problem == NO_QUIET_PAIR and not peer.similar]


def timed(worker: Worker, row: Row, steps: int) -> float:
    """Seconds of a run from the start."""
    if row.predict_rows:
        return float(worker.ask("predict", rows=row.predict_rows, repeat=steps)["seconds"])
    worker.ask("reset")
    return float(worker.ask("run", steps=steps)["seconds"])


def run_length(worker: Worker, row: Row, seconds: float) -> int:
    """Steps that take about this long."""
    steps, took = 1, timed(worker, row, 1)
    while took < seconds / 4:
        steps = max(2 * steps, round(steps * min(100.0, seconds / 2 / max(took, 1e-7))))
        took = timed(worker, row, steps)
    return max(1, round(steps * seconds / took))


def checked_state(worker: Worker, row: Row) -> dict[str, float]:
    """Where the worker is after a few steps from the start."""
    worker.ask("reset")
    if row.setup.kind == "train":
        worker.ask("run", steps=CHECK_STEPS)
    elif row.setup.kind == "evaluate":
        worker.ask("run", steps=1)
    # A cost that is not a number comes as null.
    return {name: float("nan") if value is None else float(value) for name, value in worker.ask("state").items()}


def relative(value: float, reference: float) -> float:
    # NaN must not pass for agreement.
    difference = abs(value - reference) / max(abs(reference), 1e-30)
    return difference if difference == difference else float("inf")


class Calibration:
    """Figures of the machine's speed during a row, in GFLOP/s."""

    def __init__(self, ours: Worker) -> None:
        self.ours = ours
        self.seen: list[float] = []

    def take(self) -> float:
        # The best of a few, as the first after a pause also shows how long the threads take to wake.
        self.seen.append(max(float(self.ours.ask("calibrate")["gflops"]) for _ in range(3)))
        return self.seen[-1]

    def best(self) -> float:
        return float(np.quantile(self.seen, 0.95))

    def quiet(self, pairs: list[Pair]) -> list[Pair]:
        least = QUIET * self.best()
        return [pair for pair in pairs if pair.before >= least and pair.after >= least]


def measure_peer(
    kind: Kind, row: Row, folder: str, ours: Worker, our_state: dict[str, float], our_steps: int,
    calibration: Calibration, pace: Pace, threads: int, isa: str | None,
) -> PeerResult:  # fmt: skip
    result = PeerResult(kind.name, similar=row.similar.get(kind.name, ""))
    if row.setup.kind not in kind.kinds:
        result.problem = "no such work"
        return result
    try:
        with Worker(kind, threads, isa) as worker:
            result.variant = worker.ask("load", timeout=600, folder=folder).get("variant", "")
            state = checked_state(worker, row)
            result.cost_difference = relative(state["cost"], our_state["cost"])
            result.norm_difference = relative(state["norm"], our_state["norm"])
            worst = max(result.cost_difference, result.norm_difference)
            if worst > row.setup.tolerance and not result.similar:
                result.problem = f"different work: cost or norm off by {worst:.1e}"
                return result
            steps = run_length(worker, row, pace.seconds)
            for _ in range(pace.attempts):
                time.sleep(SETTLE)
                before = calibration.take()
                our_time = timed(ours, row, our_steps) / our_steps
                peer_time = timed(worker, row, steps) / steps
                time.sleep(SETTLE)
                result.pairs.append(Pair(our_time, peer_time, before, calibration.take()))
                if len(calibration.quiet(result.pairs)) >= pace.pairs:
                    break
    except WorkerFailed as error:
        if error.worker is ours:
            raise
        result.problem = str(error)
    return result


def measure_row(row: Row, folder: str, ours_kind: Kind, peers: list[str], pace: Pace, threads: int, isa: str | None) -> RowResult:
    result = RowResult(row.id, threads)
    try:
        with Worker(ours_kind, threads, isa) as ours:
            ours.ask("load", timeout=600, folder=folder)
            our_state = checked_state(ours, row)
            result.digest = ours.ask("digest")["digest"]
            calibration = Calibration(ours)
            our_steps = run_length(ours, row, pace.seconds)
            try:
                for name in peers:
                    result.peers.append(
                        measure_peer(KINDS[name], row, folder, ours, our_state, our_steps, calibration, pace, threads, isa)
                    )
            finally:
                settle(result, calibration)
    except WorkerFailed as error:
        result.problem = str(error)
    return result


def settle(result: RowResult, calibration: Calibration) -> None:
    """Decides, with the whole row's calibrations at hand, which pairs count."""
    if not calibration.seen:
        return
    result.best_gflops = calibration.best()
    for peer in result.peers:
        peer.kept = calibration.quiet(peer.pairs)
        if peer.pairs and not peer.kept and not peer.problem:
            peer.problem = NO_QUIET_PAIR


# As they stand in a list of a file, whose last tells whether the pair is kept.
PAIR = ("ours", "peer", "before", "after")


def as_json(result: RowResult) -> dict[str, Any]:
    def peer(of: PeerResult) -> dict[str, Any]:
        pairs = [[*(float(f"{getattr(pair, name):.6g}") for name in PAIR), pair in of.kept] for pair in of.pairs]
        return {name: value for name, value in vars(of).items() if name not in ("pairs", "kept")} | {"pairs": pairs}

    return vars(result) | {"peers": [peer(of) for of in result.peers]}


def from_json(read: dict[str, Any]) -> RowResult:
    def peer(of: dict[str, Any]) -> PeerResult:
        pairs = [Pair(*pair[:-1]) for pair in of["pairs"]]
        kept = [made for made, pair in zip(pairs, of["pairs"]) if pair[-1]]
        return PeerResult(**of | {"pairs": pairs, "kept": kept})

    return RowResult(**read | {"peers": [peer(of) for of in read["peers"]]})
