"""Writes what was measured as Markdown: every machine side by side, then each by itself."""

from __future__ import annotations

import json
import platform
import subprocess
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from .grid import ROWS, Row
from .machine import processor, slug
from .measure import CHECK_STEPS, QUIET, Pace, PeerResult, RowResult, as_json, from_json
from .workers import HOME, KINDS

RUNS = HOME / "results"
BY_ID = {row.id: row for row in ROWS}


def compiler() -> str:
    try:
        return subprocess.run(["rustc", "--version"], capture_output=True, text=True, cwd=HOME).stdout.strip()
    except OSError:
        return "rustc unknown"


def table(head: list[str], lines: list[list[str]]) -> str:
    def line(cells: list[str]) -> str:
        return "| " + " | ".join(cells) + " |"

    return "\n".join([line(head), line(["---"] * len(head)), *map(line, lines)])


def threads_in_words(threads: int) -> str:
    return "1 thread" if threads == 1 else f"{threads} threads"


def duration(row: Row, seconds: float) -> str:
    if row.milliseconds:
        return f"{seconds * 1e3:.3g} ms" if seconds < 1 else f"{seconds * 1e3:.0f} ms"
    micro = seconds * 1e6
    return f"{micro:.2f} µs" if micro < 10 else f"{micro:.1f} µs" if micro < 1000 else f"{micro:.0f} µs"


def rate(value: float) -> str:
    return f"{value / 1e6:.3g} M" if value >= 1e6 else f"{value:,.0f}"


def goal(row: Row) -> str:
    return f"≥ {row.goal:g}" + (f", {row.peak_goal:.0%} of peak" if row.peak_goal else "")


def met(row: Row, result: RowResult) -> str:
    fastest, seconds, peak = result.fastest(), result.seconds(), result.peak()
    if fastest is None or seconds is None or peak is None:
        return "not known"
    misses = []
    if fastest.quartiles()[1] < row.goal:
        misses.append("ratio")
    if row.peak_goal and row.flops / seconds / (peak * row.share_of_peak) < row.peak_goal:
        misses.append("peak")
    if not misses and result.unmeasured():
        return "not known, without " + ", ".join(KINDS[peer.name].label for peer in result.unmeasured())
    return "yes" if not misses else "no (" + ", ".join(misses) + ")" if row.peak_goal else "no"


def ratio(result: RowResult) -> str:
    """That to the fastest peer; it may be less where a peer had no quiet pair."""
    fastest = result.fastest()
    if fastest is None:
        return "–"
    return ("≤ " if result.unmeasured() else "") + f"{fastest.quartiles()[1]:.2f}"


class Notes:
    """Numbered remarks below a table; the same remark has one number."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def mark(self, text: str) -> str:
        if text not in self.texts:
            self.texts.append(text)
        return f"[{self.texts.index(text) + 1}]"

    def __str__(self) -> str:
        return "\n".join(f"- [{number}] {text}" for number, text in enumerate(self.texts, 1))


def summary(results: list[RowResult], notes: Notes) -> str:
    lines = []
    for result in results:
        row, seconds, peak, fastest = BY_ID[result.row], result.seconds(), result.peak(), result.fastest()
        cells = [row.id, row.network, row.work]
        if seconds is None or peak is None:
            mark = notes.mark(f"Row {row.id}: {result.problem or 'no pair that counts'}.")
            lines.append(cells + ["–", "–", "–", f"– {mark}", "–", goal(row), "not known"])
            continue
        cells += [duration(row, seconds), rate(row.examples / seconds), f"{row.flops / seconds / (peak * row.share_of_peak):.0%}"]
        name = KINDS[fastest.name].label if fastest else "–"
        lines.append(cells + [name, ratio(result), goal(row), met(row, result)])
    head = ["row", "network", "work", "ours, a step", "examples/s", "of peak", "fastest peer", "ratio", "goal", "met"]
    return table(head, lines)


def cell(row: Row, peer: PeerResult | None, wanted: int, notes: Notes) -> str:
    if peer is None or peer.problem == "no such work":
        return "–"
    label = KINDS[peer.name].label
    if not peer.kept:
        return "– " + notes.mark(f"Row {row.id}, {label}: {peer.problem or 'nothing was measured'}.")
    low, middle, high = peer.quartiles()
    text = f"{middle:.2f} [{low:.2f}..{high:.2f}]"
    if peer.similar:
        text += " " + notes.mark(f"Similar work only, not counted as a peer of this row. {label}: {peer.similar}.")
    if len(peer.kept) < wanted and not peer.problem:
        text += f" ({len(peer.kept)} of {wanted} pairs)"
    if peer.problem:
        text += " " + notes.mark(f"Row {row.id}, {label}: stopped early: {peer.problem}.")
    return text


def ratios(results: list[RowResult], peers: list[str], wanted: int, notes: Notes) -> str:
    lines = []
    for result in results:
        found = {peer.name: peer for peer in result.peers}
        pairs = sum(len(peer.pairs) for peer in result.peers)
        cells = [cell(BY_ID[result.row], found.get(name), wanted, notes) for name in peers]
        lines.append([result.row, *cells, f"{result.thrown_away()} of {pairs}"])
    return table(["row", *(KINDS[name].label for name in peers), "thrown away"], lines)


def agreement(results: list[RowResult]) -> str:
    """How well the sides agreed, at all thread counts together."""
    lines = []
    for row in ROWS:
        mine = [result for result in results if result.row == row.id]
        if not mine:
            continue
        same = [p for r in mine for p in r.peers if p.cost_difference is not None and not p.similar]
        cost = max(((p.cost_difference or 0.0, p.name) for p in same), default=None)
        norm = max((p.norm_difference or 0.0 for p in same), default=None)
        digests = {result.digest for result in mine}
        bits = "one thread count only" if len(mine) < 2 else "same" if len(digests) == 1 else "DIFFERENT"
        if "" in digests:
            bits = "not known"
        worst = f"{cost[0]:.1e} ({KINDS[cost[1]].label})" if cost else "–"
        lines.append([row.id, f"{row.setup.tolerance:.0e}", worst, f"{norm:.1e}" if norm is not None else "–", bits])
    return table(["row", "allowed", "worst cost", "worst norm", "our bits across thread counts"], lines)


def variants(results: list[RowResult]) -> str:
    """Which of its ways each peer took, where it has more than one."""
    lines = []
    for result in results:
        ways = [f"{KINDS[p.name].label}: {p.variant}" for p in result.peers if p.variant not in ("", "only")]
        if ways:
            lines.append(f"- {result.row}, {threads_in_words(result.threads)}: {'; '.join(ways)}")
    return "\n".join(lines)


HOW = """\
Every side reads the same data, start weights and order of the rows (ours takes images from their IDX file by its own
reader, the others take what NumPy made of it). Each runs in a process of its own,
tied to as many processors as it has threads, without any setting for numeric libraries but the number of threads.
Arithmetic is in single precision, or in double where a row says f64; `--isa avx2` limits every side to AVX2. Before anything is timed, each side takes {check} steps (or one evaluation, or
one prediction of all rows), and the cost and the norm of the weights (or of the gradient, or of the outputs) must
agree with ours; otherwise no ratio is given.

A pair is a run of ours and a run of the peer, each as long as each machine's section says and from the start, one right after the
other. Gathering the shuffled rows of a batch is part of a step; the cost of the batch is not, though torch and
scikit-learn compute it all the same. Before and after each pair a few milliseconds of
fused multiply-adds show what the machine has to offer at that moment; a pair with either figure below {quiet:.0%} of
the row's best is thrown away. Pairs go on until there are enough, or many were tried. A ratio is the peer's time
over ours, above 1 where Surefoot is faster: the median of the pairs, with the quartiles in brackets, and the number
of pairs where fewer were kept. The share of
the peak counts the multiply-adds of the matrix products only, against the median of the calibration with the same
instruction set; of the peak in double precision, which is half, in rows that say f64.

The peers are as quick as we could make them with their own means: NumPy by hand with preallocated buffers; torch
with a fused or foreach optimizer; torch.compile with the whole step in one call or the loss alone; JAX with donated
buffers, once with one compiled call a step and once with the whole run in one compiled loop. Where a peer has more
than one way, a short trial picks the quicker for each row. torch's products are those of its own MKL."""


@dataclass(frozen=True)
class Run:
    """What was measured on one machine with one limit of instructions."""

    label: str
    about: list[str]
    pace: Pace
    peers: list[str]
    results: list[RowResult]

    @property
    def file(self) -> Path:
        return RUNS / f"{slug(self.label)}.json"

    def save(self, file: Path) -> None:
        file.parent.mkdir(exist_ok=True)
        read = {"label": self.label, "about": self.about, "pace": vars(self.pace), "peers": self.peers}
        lines = ",\n ".join(json.dumps(as_json(result)) for result in self.results)
        file.write_text(json.dumps(read, indent=1)[:-2] + f',\n "results": [\n {lines}\n ]\n}}\n')

    @staticmethod
    def read(file: Path) -> Run:
        read = json.loads(file.read_text())
        results = [from_json(result) for result in read["results"]]
        return Run(**read | {"pace": Pace(**read["pace"]), "results": results})


def about(peaks: dict[str, float], processors: int) -> list[str]:
    """What a reader has to know of the machine and the programs."""
    packages = {name: version(name) for name in ("numpy", "scikit-learn", "torch", "jax", "jaxlib")}
    sets = ", ".join(f"{name} {peak:.0f}" for name, peak in peaks.items())
    return [
        f"Machine: {processor()}, {processors} processors, {platform.system()} {platform.machine()}. Fused multiply-adds in single "
        f"precision of one core with each instruction set, in GFLOP/s: {sets}.",
        f"Versions: Python {platform.python_version()}, "
        + ", ".join(f"{name} {number}" for name, number in packages.items())
        + f", {compiler()}.",
    ]


def side_by_side(runs: list[Run]) -> str:
    """The ratio to the fastest peer of each row on every machine."""
    columns = [(run, threads) for run in runs for threads in sorted({result.threads for result in run.results})]
    lines = []
    for row in ROWS:
        cells = []
        for run, threads in columns:
            found = [result for result in run.results if (result.row, result.threads) == (row.id, threads)]
            cells.append(ratio(found[0]) if found else "–")
        lines.append([row.id, row.network, row.work, goal(row), *cells])
    head = [f"{run.label}, {threads_in_words(threads)}" for run, threads in columns]
    return table(["row", "network", "work", "goal", *head], lines)


def of_run(run: Run) -> list[str]:
    """One machine by itself."""
    parts = [f"## {run.label}", *run.about, f"Runs of {run.pace.seconds:g} s, {run.pace.pairs} pairs each."]
    for threads in sorted({result.threads for result in run.results}):
        mine, notes = [result for result in run.results if result.threads == threads], Notes()
        parts += [
            f"### {threads_in_words(threads)}",
            summary(mine, notes),
            "Time of each peer over ours:",
            ratios(mine, run.peers, run.pace.pairs, notes),
        ]
        parts += [str(notes)] if notes.texts else []
    parts += ["### Agreement", "Relative differences from ours, and our own bits:", agreement(run.results)]
    if ways := variants(run.results):
        parts += ["Ways that the peers took:", ways]
    return parts


def write(runs: list[Run], ours: str) -> str:
    parts = ["# Surefoot and its peers on the same work", HOW.format(check=CHECK_STEPS, quiet=QUIET)]
    if ours != "surefoot":
        parts.append(f"**A trial: {KINDS[ours].label} stands in for Surefoot.**")
    if len(runs) > 1:
        parts += ["## All machines", "The time of the fastest peer over ours (≤ where a peer had no quiet pair, which may be faster):", side_by_side(runs)]
    return "\n\n".join(parts + [part for run in runs for part in of_run(run)]) + "\n"
