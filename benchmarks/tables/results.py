"""Scores side by side, and what they say together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import fmean, stdev

from .folds import Prepared
from .ours import Record
from .peers import BOOSTING, LINEAR, MLP, SCALED, Scores

OURS = "Surefoot"
NETWORKS = (OURS, MLP, SCALED)
MODELS = (*NETWORKS, LINEAR, BOOSTING)


@dataclass(frozen=True)
class Row:
    """A table with the scores of each model, fold by fold. A model that failed on a fold has none."""

    prepared: Prepared
    scores: dict[str, list[float]]
    losses: dict[str, list[float]]
    seconds: dict[str, float]

    @property
    def name(self) -> str:
        return self.prepared.table.name

    def mean(self, model: str) -> float | None:
        """Accuracy or R², the mean over folds. For classes no target is scaled: both MLPs are the same."""
        scores = self.scores.get(self.known_as(model))
        return fmean(scores) if scores else None

    def deviation(self, model: str) -> float:
        scores = self.scores[self.known_as(model)]
        return stdev(scores) if len(scores) > 1 else 0.0

    def known_as(self, model: str) -> str:
        return MLP if model == SCALED and not self.prepared.table.is_regression else model

    def better_mlp(self) -> str:
        return max((MLP, SCALED), key=lambda model: self.value(model))

    def value(self, model: str) -> float:
        """The mean for comparisons, in which a failure is worse than anything."""
        mean = self.mean(model)
        return float("-inf") if mean is None else mean

    def rank(self, model: str, among: Iterable[str]) -> float:
        """1 for the best; those that are equal share the mean of their places."""
        values = [self.value(other) for other in among]
        own = self.value(model)
        return sum(value > own for value in values) + (values.count(own) + 1) / 2

    def best_networks(self) -> list[str]:
        best = max(self.value(model) for model in NETWORKS)
        return [model for model in NETWORKS if self.value(model) == best]


def rows(tables: list[Prepared], ours: list[Record], peers: dict[str, dict[str, Scores]], folds: int) -> list[Row]:
    made = []
    for prepared in tables:
        name = prepared.table.name
        mine = [record for record in ours if record.table == name]
        whole = not any(record.problem for record in mine)
        first = {peer: scores[:folds] for peer, scores in peers[name].items()}
        scores = {peer: [score["score"] for score in of_folds] for peer, of_folds in first.items()}
        losses = {peer: [score["log_loss"] for score in of_folds if "log_loss" in score]
                  for peer, of_folds in first.items()}
        seconds = {peer: fmean(score["seconds"] for score in of_folds) for peer, of_folds in first.items()}
        if mine and whole:
            scores[OURS] = [record.score for record in mine]
            losses[OURS] = [record.log_loss for record in mine if record.log_loss is not None]
            seconds[OURS] = fmean(record.seconds for record in mine)
        made.append(Row(prepared, scores, losses, seconds))
    return made


@dataclass(frozen=True)
class Summary:
    """What the goals ask of some tables."""

    tables: int
    failed: int
    wins: int
    ties: int
    network_ranks: dict[str, float]
    # Among four: of the two MLPs the better one.
    ranks: dict[str, float]
    # In points, hundredths of a score.
    behind_boosting: float
    behind_boosting_floored: float
    # The mean over the tables of classes of the log loss, ours less that of the MLP.
    loss_above_mlp: float | None
    seconds: float

    @property
    def share(self) -> float:
        return self.wins / self.tables


def summary(of: list[Row]) -> Summary:
    whole = [row for row in of if row.mean(OURS) is not None]
    if not whole:
        raise ValueError("Surefoot has no score on any of these tables")

    def mean_rank(model: str) -> float:
        """The model named MLP stands for the better one."""
        def own(row: Row) -> str:
            return row.better_mlp() if model == MLP else model

        return fmean(row.rank(own(row), (OURS, row.better_mlp(), LINEAR, BOOSTING)) for row in of)

    def difference(floor: float) -> float:
        return 100 * fmean(max(floor, row.mean(OURS)) - max(floor, row.mean(BOOSTING)) for row in whole)

    losses = [fmean(row.losses[OURS]) - fmean(row.losses[MLP]) for row in whole
              if row.losses.get(OURS) and row.losses.get(MLP)]
    return Summary(
        tables=len(of),
        failed=len(of) - len(whole),
        wins=sum(row.value(OURS) > row.value(row.better_mlp()) for row in of),
        ties=sum(row.value(OURS) == row.value(row.better_mlp()) for row in of),
        network_ranks={model: fmean(row.rank(model, NETWORKS) for row in of) for model in NETWORKS},
        ranks={model: mean_rank(model) for model in (OURS, MLP, LINEAR, BOOSTING)},
        behind_boosting=difference(float("-inf")),
        behind_boosting_floored=difference(0.0),
        loss_above_mlp=fmean(losses) if losses else None,
        seconds=fmean(row.seconds[OURS] for row in whole),
    )
