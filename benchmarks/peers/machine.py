"""What a machine is: times of one say little of another."""

from __future__ import annotations

import os
import platform
import re
from functools import cache
from pathlib import Path

# From the widest on: the flag of the system, the name to people, and ours.
SETS = (("avx512f", "AVX-512", "avx512"), ("avx2", "AVX2", "avx2"), ("asimd", "NEON", "neon"))


@cache
def facts() -> dict[str, str]:
    info, found = Path("/proc/cpuinfo"), {}
    for line in info.read_text().splitlines() if info.exists() else []:
        name, _, value = line.partition(":")
        found.setdefault(name.strip(), value.strip())
    return found


def sets() -> list[str]:
    """Our names of the instruction sets that there are beside the portable one, the widest last."""
    flags = facts().get("flags", facts().get("Features", "")).split()
    return [ours for flag, _, ours in reversed(SETS) if flag in flags]


def processor() -> str:
    """The CPU's name with its family and model, which tell kinds apart that have one name."""
    model = ", ".join(f"{word} {facts()[key]}" for word, key in (("family", "cpu family"), ("model", "model")) if key in facts())
    return facts().get("model name", platform.machine()) + (f" ({model})" if model else "")


def label(isa: str | None) -> str:
    """The processor and the widest instruction set in use."""
    used = isa or (sets() or ["portable"])[-1]
    return f"{processor()}, " + next((name for _, name, ours in SETS if ours == used), used)


def machine() -> str:
    return f"{label(None)}, {os.cpu_count()} processors"


def slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
