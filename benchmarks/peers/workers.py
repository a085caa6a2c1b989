"""Worker processes: how each is started, and how it is spoken to."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HOME = Path(__file__).resolve().parent.parent
DATA = HOME / ".data"
OURS = "surefoot"


@dataclass(frozen=True)
class Kind:
    """A kind of worker."""

    name: str
    label: str
    module: str | None
    kinds: tuple[str, ...] = ("train", "evaluate", "predict")

    def command(self, threads: int, isa: str | None) -> list[str]:
        if self.module is None:
            limit = [] if isa is None else ["--isa", isa]
            return [str(HOME.parent / "target" / "release" / "surefoot-bench"), "--threads", str(threads), *limit]
        return [sys.executable, "-m", f"peers.{self.module}", "--threads", str(threads)]


KINDS = {
    kind.name: kind
    for kind in (
        Kind(OURS, "Surefoot", None),
        Kind("numpy", "NumPy", "numpy_peer"),
        Kind("sklearn", "scikit-learn", "sklearn_peer"),
        Kind("torch", "torch", "torch_peer"),
        Kind("torch-compile", "torch.compile", "torch_compile_peer"),
        Kind("jax", "JAX", "jax_peer"),
        Kind("jax-scan", "JAX, loop", "jax_scan_peer", ("train",)),
    )
}
PEERS = tuple(name for name in KINDS if name != OURS)


class WorkerFailed(Exception):
    def __init__(self, worker: Worker, text: str) -> None:
        super().__init__(text)
        self.worker = worker


# Settings of numeric libraries; those of the caller's environment are not passed on, so that each library
# chooses for itself what suits the processor.
SETTINGS = ("OPENBLAS_", "GOTO_", "MKL_", "OMP_", "GOMP_", "KMP_", "DNNL_", "ONEDNN_", "ATEN_",
            "TORCH", "XLA_", "JAX_", "NPY_")  # fmt: skip


# What limits each library to AVX2, by its own documentation: OpenBLAS (NumPy's and SciPy's products), NumPy's own loops, MKL and oneDNN
# (torch's products), ATen and Inductor (torch's own loops and what torch.compile makes), XLA.
LIMITS = {
    "avx2": {
        "OPENBLAS_CORETYPE": "Haswell",
        "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",
        "MKL_ENABLE_INSTRUCTIONS": "AVX2",
        "ONEDNN_MAX_CPU_ISA": "AVX2",
        "ATEN_CPU_CAPABILITY": "avx2",
        "XLA_FLAGS": "--xla_cpu_max_isa=AVX2",
    },
}


def environment(threads: int, isa: str | None) -> dict[str, str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS)}
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS"):
        env[name] = str(threads)
    env["PYTHONPATH"] = str(HOME)
    # JAX has no setting for threads: it makes as many as there are processors for the process.
    env["JAX_PLATFORMS"] = "cpu"
    env["TORCHINDUCTOR_CACHE_DIR"] = str(DATA / f"inductor-{isa or 'all'}")
    # Compiling in the worker itself leaves no pool of processes behind while timing.
    env["TORCHINDUCTOR_COMPILE_THREADS"] = "1"
    return env | LIMITS.get(isa or "", {})


def processors(threads: int) -> list[int]:
    """The first processors this process may use, one a thread."""
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) < threads:
        raise SystemExit(f"{threads} threads were asked for, but only {len(allowed)} processors are there")
    return allowed[:threads]


class Worker:
    """A running worker, tied to as many processors as it has threads."""

    def __init__(self, kind: Kind, threads: int, isa: str | None = None) -> None:
        self.kind = kind
        logs = DATA / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        self.log = logs / f"{kind.name}-{threads}.txt"
        cpus = processors(threads)
        try:
            with self.log.open("w") as log:
                self.process = subprocess.Popen(
                    kind.command(threads, isa),
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    cwd=HOME,
                    env=environment(threads, isa),
                    preexec_fn=lambda: os.sched_setaffinity(0, cpus),
                )
        except OSError as error:
            raise WorkerFailed(self, f"did not start: {error.strerror}") from error
        self.pending = b""

    def ask(self, cmd: str, timeout: float = 300.0, **values: Any) -> dict[str, Any]:
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps({"cmd": cmd, **values}).encode() + b"\n")
            self.process.stdin.flush()
        except OSError as error:
            raise WorkerFailed(self, self.last_words(cmd)) from error
        try:
            answer = json.loads(self._line(cmd, timeout))
        except ValueError as error:
            raise WorkerFailed(self, f"{cmd}: the answer is no JSON") from error
        if "error" in answer:
            raise WorkerFailed(self, f"{cmd}: {answer['error']}")
        return answer

    def _line(self, cmd: str, timeout: float) -> bytes:
        assert self.process.stdout is not None
        descriptor = self.process.stdout.fileno()
        while b"\n" not in self.pending:
            if not select.select([descriptor], [], [], timeout)[0]:
                raise WorkerFailed(self, f"{cmd}: no answer in {timeout:.0f} s")
            piece = os.read(descriptor, 65536)
            if not piece:
                raise WorkerFailed(self, self.last_words(cmd))
            self.pending += piece
        line, _, self.pending = self.pending.partition(b"\n")
        return line

    def last_words(self, cmd: str) -> str:
        """Why it ended: the last line it wrote to its log, without paths."""
        try:
            code: int | None = self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            code = None
        lines = [line.strip() for line in self.log.read_text(errors="replace").splitlines() if line.strip()]
        said = lines[-1].replace(str(HOME.parent), ".")[:160] if lines else "nothing in its log"
        return f"{cmd}: ended with code {code}: {said}"

    def close(self) -> None:
        try:
            assert self.process.stdin is not None
            self.process.stdin.write(b'{"cmd":"quit"}\n')
            self.process.stdin.close()
            self.process.wait(timeout=5)
        except (OSError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
