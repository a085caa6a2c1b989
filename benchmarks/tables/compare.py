"""Several settings of Surefoot side by side."""

from __future__ import annotations

from math import sqrt
from statistics import fmean, stdev

from .folds import Prepared
from .ours import Record, Setting, records
from .peers import BOOSTING, LINEAR, MLP, SCALED, Scores
from .results import OURS, Row, Summary, rows, summary


def settings() -> list[Setting]:
    """In the order in which they were first measured, which their numbers count from 1."""
    return list(dict.fromkeys(record.setting for record in records()))


def compared(tables: list[Prepared], peers: dict[str, dict[str, Scores]], folds: int, numbers: list[int]) -> str:
    """All settings, or those of the numbers, on the tables that each of them has."""
    every = settings()
    wrong = [number for number in numbers if not 1 <= number <= len(every)]
    if wrong or not every:
        raise ValueError(f"no setting {wrong[0] if wrong else 1}; there are {len(every)}")
    known = {(record.setting, record.data, record.fold): record for record in records()}
    wanted = numbers or list(range(1, len(every) + 1))
    has = {number: {prepared.table.name for prepared in tables
                    if all((every[number - 1], prepared.digest, fold) in known for fold in range(folds))}
           for number in wanted}
    lines = ["settings (number, binary, options, tables measured of those asked for)"]
    lines += [f"{number:4}  {every[number - 1]}  {len(has[number])} of {len(tables)}" for number in wanted]
    wanted = [number for number in wanted if numbers or has[number]]
    common = [prepared for prepared in tables if all(prepared.table.name in has[number] for number in wanted)]
    if not common:
        return "\n".join([*lines, "no table has been measured with all of them"])
    each = {number: rows(common, of_setting(known, every[number - 1], common, folds), peers, folds) for number in wanted}
    lines += ["", f"{len(common)} tables, {folds} folds", *summaries(each), "", *paired(each), "", *side_by_side(each)]
    return "\n".join(lines)


def of_setting(known: dict, setting: Setting, tables: list[Prepared], folds: int) -> list[Record]:
    return [known[setting, prepared.digest, fold] for prepared in tables for fold in range(folds)]


def summaries(each: dict[int, list[Row]]) -> list[str]:
    lines = ["          wins  ties  share | rank among networks:    | rank among all:          | points above boosting  "
             "| log loss",
             " setting                    | ours   MLP  MLP scaled  | ours   MLP  lin.  boost. |    raw   floored at 0  "
             "|  - MLP's  seconds"]
    return lines + [line(number, summary(of)) for number, of in each.items()]


def line(number: int, of: Summary) -> str:
    networks = f"{of.network_ranks[OURS]:.2f}  {of.network_ranks[MLP]:.2f}  {of.network_ranks[SCALED]:.2f}"
    everyone = "  ".join(f"{of.ranks[model]:.2f}" for model in (OURS, MLP, LINEAR, BOOSTING))
    loss = f"{of.loss_above_mlp:+.4f}" if of.loss_above_mlp is not None else ""
    return (f"{number:8}  {of.wins:4}  {of.ties:4}  {of.share:5.2f} | {networks:23} | {everyone:24} "
            f"| {of.behind_boosting:+6.2f}  {of.behind_boosting_floored:+6.2f}         | {loss:>8}  {of.seconds:7.3f}")


def paired(each: dict[int, list[Row]]) -> list[str]:
    """The scores of a setting less those of the first, in points, over all folds: mean and 95 % interval; and its time."""
    (first, before), *others = each.items()
    lines = [f"points above setting {first}, paired over folds, with a 95 % interval" + " " * 12 + "time over its"]
    for number, of in others:
        cells = []
        for name, regression in (("classes", [False]), ("numbers", [True]), ("all", [False, True])):
            points = [100 * (ours - theirs) for row, base in zip(of, before, strict=True)
                      if row.prepared.table.is_regression in regression
                      for ours, theirs in zip(row.scores[OURS], base.scores[OURS], strict=True)]
            half = 1.96 * stdev(points) / sqrt(len(points)) if len(points) > 1 else float("inf")
            cells.append(f"{name} {fmean(points):+.3f} ± {half:.3f}" if points else name)
        seconds = [sum(row.seconds[OURS] for row in rows) for rows in (of, before)]
        lines.append(f"{number:8}  {'   '.join(cells)}   {seconds[0] / seconds[1]:.3f}")
    return lines


def side_by_side(each: dict[int, list[Row]]) -> list[str]:
    """Mean scores in hundredths; * where a setting is above the better MLP."""
    first = next(iter(each.values()))
    head = f"{'table':16}{'half':9}" + "".join(f"{'#' + str(number):>9} " for number in each)
    lines = [head + f"{'MLP':>9}{'scaled':>9}{'linear':>9}{'boosting':>9}"]
    for index, row in enumerate(first):
        bar = row.value(row.better_mlp())
        cells = "".join(f"{100 * of[index].value(OURS):9.2f}{'*' if of[index].value(OURS) > bar else ' '}"
                        for of in each.values())
        peers = "".join(f"{100 * row.value(model):9.2f}" for model in (MLP, SCALED, LINEAR, BOOSTING))
        lines.append(f"{row.name:16}{row.prepared.table.half:9}{cells}{peers}")
    return lines
