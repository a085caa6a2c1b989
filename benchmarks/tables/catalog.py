"""The tables: what each is, what is predicted, and in which half it is.

Defaults may be tuned on the half `choose`; `confirm` only says whether what was found there holds elsewhere. The halves were
dealt by hand before anything was measured, so that each has as many tables of each task, of about the same sizes, and
its share of text columns and missing cells. Left out of the source: tables of fewer than 150 or more than 30,000 rows,
those that are one another's parts or twins, and those on which everything scores 1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import pandas as pd

from .sources import arff, plain, scikit, spreadsheet, text

BINARY, MULTICLASS, REGRESSION = TASKS = ("binary", "multiclass", "regression")
CHOOSE, CONFIRM = HALVES = ("choose", "confirm")


@dataclass(frozen=True)
class Table:
    name: str
    task: str
    half: str
    target: str
    read: Callable[[], pd.DataFrame]
    # Columns that no user would keep as inputs: names of rows, and what is only known with the target.
    drop: tuple[str, ...] = ()

    @property
    def is_regression(self) -> bool:
        return self.task == REGRESSION

    def load(self) -> pd.DataFrame:
        """The whole table as text, its target last, classes named so that none looks like a number."""
        table = self.read().drop(columns=list(self.drop))
        table = table[[name for name in table.columns if name != self.target] + [self.target]]
        if not self.is_regression and pd.to_numeric(table[self.target], errors="coerce").notna().all():
            return table.assign(**{self.target: "c" + table[self.target]})
        return table


GERMAN = (
    "checking duration history purpose amount savings employment rate status debtors residence property age plans "
    "housing credits job dependants telephone foreign risk"
)
HEPATITIS = (
    "outcome age sex steroid antivirals fatigue malaise anorexia liver_big liver_firm spleen spiders ascites varices "
    "bilirubin alk_phosphate sgot albumin protime histology"
)
HYPOTHYROID = (
    "diagnosis age sex on_thyroxine query_on_thyroxine on_antithyroid thyroid_surgery query_hypothyroid "
    "query_hyperthyroid pregnant sick tumor lithium goitre TSH_measured TSH T3_measured T3 TT4_measured TT4 "
    "T4U_measured T4U FTI_measured FTI TBG_measured TBG"
)
ABALONE = "sex length diameter height whole_weight shucked_weight viscera_weight shell_weight rings"
AIRFOIL = "frequency angle chord velocity thickness pressure"
CPU = "vendor model cycle min_memory max_memory cache min_channels max_channels performance estimated"
GLASS = "id RI Na Mg Al Si K Ca Ba Fe type"
YACHT = "buoyancy prismatic displacement beam_draught length_beam froude resistance"
YEAST = "name mcg gvh alm mit erl pox vac nuc site"


def communities() -> pd.DataFrame:
    described = text("regression/communities/communities.names.txt").splitlines()
    names = [line.split()[1] for line in described if line.startswith("@attribute")]
    return plain("regression/communities/communities.data", " ".join(names))


def vehicle() -> pd.DataFrame:
    names = " ".join([f"shape{index}" for index in range(1, 19)] + ["vehicle"])
    parts = [plain(f"classification/vehicle/xa{part}.dat.txt", names, None) for part in "abcdefghi"]
    return pd.concat(parts, ignore_index=True)


def satimage() -> pd.DataFrame:
    names = " ".join([f"pixel{index}" for index in range(1, 37)] + ["soil"])
    parts = [plain(f"classification/satimage/sat.{part}.txt", names, None) for part in ("trn", "tst")]
    return pd.concat(parts, ignore_index=True)


def ada() -> pd.DataFrame:
    names = " ".join(f"input{index}" for index in range(1, 49))
    table = plain("classification/ada/ada_train.data", names, None)
    return table.assign(income=text("classification/ada/ada_train.labels").split())


def keel(name: str, target: str, task: str, half: str, *drop: str) -> Table:
    folder = "regression" if task == REGRESSION else "classification"
    return Table(name, task, half, target, partial(arff, f"{folder}/{name}/{name}.dat"), drop)


def uci(name: str, target: str, task: str, half: str, read: Callable[[], pd.DataFrame], *drop: str) -> Table:
    return Table(name, task, half, target, read, drop)


def file(path: str, names: str | None = None, separator: str | None = ",") -> Callable[[], pd.DataFrame]:
    return partial(plain, path, names, separator)


TABLES: tuple[Table, ...] = (
    uci("german", "risk", BINARY, CHOOSE, file("classification/german/german.data.txt", GERMAN, None)),
    keel("pima", "Class", BINARY, CHOOSE),
    uci("hypothyroid", "diagnosis", BINARY, CHOOSE, file("classification/hypothyroid/hypothyroid.data.txt", HYPOTHYROID)),
    uci("kc1", "defects", BINARY, CHOOSE, partial(arff, "classification/kc1/kc1.arff.txt")),
    keel("ionosphere", "Class", BINARY, CHOOSE),
    uci("hepatitis", "outcome", BINARY, CHOOSE, file("classification/hepatitis/hepatitis.data.txt", HEPATITIS)),
    keel("crx", "Class", BINARY, CONFIRM),
    uci("bone_marrow", "survival_status", BINARY, CONFIRM,
        partial(arff, "regression/bone-marrow/bone-marrow.arff"), "survival_time"),
    uci("breast_cancer", "target", BINARY, CONFIRM, partial(scikit, "breast_cancer")),
    keel("saheart", "Chd", BINARY, CONFIRM),
    keel("mammographic", "Severity", BINARY, CONFIRM),
    uci("grid_stability", "stabf", BINARY, CONFIRM,
        file("regression/electrical_grid_stability/Data_for_UCI_named.csv"), "stab"),
    uci("ada", "income", BINARY, CONFIRM, ada),

    keel("car", "Acceptability", MULTICLASS, CHOOSE),
    keel("splice", "Class", MULTICLASS, CHOOSE),
    keel("segment", "Class", MULTICLASS, CHOOSE),
    uci("yeast", "site", MULTICLASS, CHOOSE, file("classification/yeast/yeast.data.txt", YEAST, None), "name"),
    uci("vehicle", "vehicle", MULTICLASS, CHOOSE, vehicle),
    uci("digits", "target", MULTICLASS, CHOOSE, partial(scikit, "digits")),
    keel("kr-vs-k", "Game", MULTICLASS, CHOOSE),
    keel("contraceptive", "Contraceptive_method", MULTICLASS, CONFIRM),
    keel("flare", "Class", MULTICLASS, CONFIRM),
    uci("satimage", "soil", MULTICLASS, CONFIRM, satimage),
    keel("vowel", "Class", MULTICLASS, CONFIRM, "TT"),
    uci("glass", "type", MULTICLASS, CONFIRM, file("classification/glass/glass.data.txt", GLASS), "id"),
    uci("skillcraft", "LeagueIndex", MULTICLASS, CONFIRM,
        file("regression/skillcraft1/SkillCraft1_Dataset.csv"), "GameID"),

    uci("concrete", "Concrete compressive strength(MPa, megapascals)", REGRESSION, CHOOSE,
        partial(spreadsheet, "regression/concrete/Concrete_Data.xlsx")),
    uci("abalone", "rings", REGRESSION, CHOOSE, file("classification/abalone/abalone.data.txt", ABALONE)),
    keel("compactiv", "usr", REGRESSION, CHOOSE),
    uci("insurance", "charges", REGRESSION, CHOOSE, file("regression/insurance/insurance.csv")),
    uci("communities", "ViolentCrimesPerPop", REGRESSION, CHOOSE, communities,
        "state", "county", "community", "communityname", "fold"),
    uci("yacht", "resistance", REGRESSION, CHOOSE,
        file("regression/yacht_hydrodynamics/yacht_hydrodynamics.data.txt", YACHT, None)),
    uci("airfoil", "pressure", REGRESSION, CONFIRM, file("regression/airfoil/airfoil_self_noise.dat.txt", AIRFOIL, None)),
    uci("ccpp", "PE", REGRESSION, CONFIRM, partial(spreadsheet, "regression/ccpp/Folds5x2_pp.xlsx", "Sheet1")),
    keel("puma32h", "thetadd6", REGRESSION, CONFIRM),
    uci("bikes", "cnt", REGRESSION, CONFIRM, file("regression/boom_bikes/day.csv"),
        "instant", "dteday", "casual", "registered"),
    uci("servo", "rise", REGRESSION, CONFIRM, file("regression/servo/servo.data", "motor screw pgain vgain rise")),
    uci("cpu", "performance", REGRESSION, CONFIRM,
        file("regression/cpu_performance/machine.data.txt", CPU), "model", "estimated"),
)


def chosen(what: str) -> list[Table]:
    """The tables of `all`, of a half, of a task, or of names with commas between them."""
    if what == "all":
        return list(TABLES)
    if what in HALVES or what in TASKS:
        return [table for table in TABLES if what in (table.half, table.task)]
    names = [name.strip() for name in what.split(",") if name.strip()]
    unknown = sorted(set(names) - {table.name for table in TABLES})
    if unknown or not names:
        known = ", ".join(table.name for table in TABLES)
        raise ValueError(f"no table {', '.join(unknown) or 'named'}; there are {known}")
    return [table for table in TABLES if table.name in names]
