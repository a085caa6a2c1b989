"""Writes TABLES.md."""

from __future__ import annotations

import os
import platform
from pathlib import Path

from .catalog import HALVES, TASKS
from .folds import FOLDS
from .peers import BOOSTING, LINEAR, MLP, SCALED, VERSIONS
from .results import MODELS, OURS, Row, Summary, summary

TITLES = {
    OURS: "Surefoot",
    MLP: "MLP",
    SCALED: "MLP, target scaled",
    LINEAR: "linear",
    BOOSTING: "boosting",
}
SCORES = {"binary": "Two classes: accuracy", "multiclass": "More classes: accuracy", "regression": "Numbers: R²"}

HEAD = """# Surefoot's defaults on public tables

`surefoot train` with its defaults, beside models of scikit-learn with theirs, on {tables} tables of UCI, KEEL and
scikit-learn. Each is divided into {folds} folds, the same for all; scores are means over the test folds ± their standard
deviation. Made by `{command}`; [tables/catalog.py](tables/catalog.py) has the list.

- **Surefoot**: `surefoot train train.csv --target NAME{args}`, then `surefoot evaluate`. Nothing is said of columns,
  categories or missing cells.
- **MLP**: `MLPClassifier`, `MLPRegressor`. Numbers are standardized, missing ones the median; text is one-hot.
- **MLP, target scaled**: the same with a standardized target, which a network needs; for classes it is the MLP itself.
  Where one of the two is asked for, it is the better one on that table.
- **linear**: `LogisticRegression`, `Ridge`, behind the same.
- **boosting**: `HistGradientBoostingClassifier` and `-Regressor`, with text as categories and missing cells as they are.

The half `choose` is what defaults may be tuned on; `confirm` is not looked at for that. **Bold** is the best network. A column
is text where a cell is neither a number nor missing; what a table codes as numbers is a number to everybody. The tables
are as published, with what they have of equal rows (mammographic, flare, kc1) and of faults (crx has lost decimal points).
Time is that of the training alone, for Surefoot of the whole process, on one thread.
"""


def number(value: float) -> str:
    return f"{value:.3f}" if abs(value) < 100 else f"{value:.0f}"


def cell(row: Row, model: str) -> str:
    if row.known_as(model) != model:
        return "–"
    mean = row.mean(model)
    if mean is None:
        return "failed"
    shown = f"{number(mean)} ± {number(row.deviation(model))}"
    return f"**{shown}**" if model in row.best_networks() else shown


def scores_table(of: list[Row]) -> list[str]:
    models = [model for model in MODELS if any(row.known_as(model) == model for row in of)]
    lines = [f"| table | half | rows | inputs | text | missing | {' | '.join(TITLES[model] for model in models)} |",
             "|---|---|--:|--:|--:|--:|" + "--:|" * len(models)]
    for row in of:
        shape = row.prepared.shape()
        about = [row.name, row.prepared.table.half, f"{shape.rows:,}", str(shape.inputs), str(shape.text or ""),
                 f"{100 * shape.missing:.1f} %" if shape.missing else ""]
        lines.append(f"| {' | '.join([*about, *(cell(row, model) for model in models)])} |")
    return lines


def verdict(met: bool) -> str:
    return "met" if met else "not met"


def goals(of: Summary) -> list[tuple[str, str, str]]:
    """Goal, what was measured, verdict."""
    ours = of.network_ranks[OURS]
    first = all(ours < rank for model, rank in of.network_ranks.items() if model != OURS)
    networks = ", ".join(f"{TITLES[model]} {rank:.2f}" for model, rank in of.network_ranks.items())
    ties = f", equal on {of.ties}" if of.ties else ""
    return [
        ("better than the MLP on three quarters of the tables",
         f"{of.wins} of {of.tables}, {100 * of.share:.0f} %{ties}", verdict(of.share >= 0.75)),
        ("the lowest mean rank of the networks", networks, verdict(first)),
        ("mean score at most one point below boosting",
         f"{of.behind_boosting:+.2f} points ({of.behind_boosting_floored:+.2f} floored)",
         verdict(of.behind_boosting_floored >= -1)),
    ]


def goals_table(of: list[Row]) -> list[str]:
    parts = {"all": of} | {half: [row for row in of if row.prepared.table.half == half] for half in HALVES}
    summaries = {name: summary(part) for name, part in parts.items() if part}
    each = {name: goals(made) for name, made in summaries.items()}
    lines = [f"| goal | {' | '.join(f'{name} ({made.tables} tables)' for name, made in summaries.items())} |",
             "|---|" + "---|" * len(each)]
    for index, (goal, _, _) in enumerate(next(iter(each.values()))):
        cells = (f"{found[index][1]}: {found[index][2]}" for found in each.values())
        lines.append(f"| {goal} | {' | '.join(cells)} |")
    ranks = (", ".join(f"{'better MLP' if model == MLP else TITLES[model]} {rank:.2f}" for model, rank in made.ranks.items())
             for made in summaries.values())
    losses = (f"{made.loss_above_mlp:+.3f}" if made.loss_above_mlp is not None else "" for made in summaries.values())
    lines.append(f"| for the record: mean rank of all | {' | '.join(ranks)} |")
    lines.append(f"| for the record: log loss less the MLP's, classes | {' | '.join(losses)} |")
    return lines


def tasks_table(of: list[Row]) -> list[str]:
    lines = ["| task | better than the MLP | Surefoot less the better MLP, points | Surefoot less boosting, points | "
             "seconds: Surefoot | MLP | boosting |", "|---|--:|--:|--:|--:|--:|--:|"]
    for task in TASKS:
        part = [row for row in of if row.prepared.table.task == task and row.mean(OURS) is not None]
        if not part:
            continue
        made = summary(part)
        above = 100 * sum(max(0, row.mean(OURS)) - max(0, row.mean(row.better_mlp())) for row in part) / len(part)
        seconds = [sum(row.seconds[model] for row in part) / len(part) for model in (OURS, MLP, BOOSTING)]
        lines.append(f"| {task} | {made.wins} of {made.tables} | {above:+.2f} | {made.behind_boosting_floored:+.2f} | "
                     f"{' | '.join(f'{time:.2f}' for time in seconds)} |")
    return lines


def processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or "an unknown processor"


def written(of: list[Row], args: str, command: str, binary: str) -> str:
    parts = [HEAD.format(tables=len(of), folds=FOLDS, command=command, args=f" {args}" if args else "")]
    for task in TASKS:
        part = [row for row in of if row.prepared.table.task == task]
        if part:
            parts += [f"## {SCORES[task]}", "", *scores_table(part), ""]
    parts += ["## Goals", "", *goals_table(of), "",
              "Better means a higher mean score; equal is not better. Ranks count from 1, those who are equal share the mean",
              "of their places. \"Floored\" takes a mean score below 0, which only an R² can have, as 0, so that one failure "
              "does",
              "not decide the mean of all; the verdict is on that. A table on which Surefoot fails counts as lost, and is "
              "left out of the points.", "", *tasks_table(of), "",
              "(Points are floored; seconds are means over folds and tables.)", "",
              "## Versions", "",
              f"Surefoot binary {binary}; Python {platform.python_version()}, "
              + ", ".join(f"{name} {version}" for name, version in VERSIONS.items())
              + f". {processor()}, {os.cpu_count()} processors."]
    return "\n".join(parts) + "\n"
