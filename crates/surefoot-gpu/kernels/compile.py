"""Compiles the kernels with NVRTC, which needs no GPU: the PTX that the crate ships, and a check for each generation of GPUs.

    pip install nvidia-cuda-nvrtc-cu12==12.0.140     # PTX 8.0, which drivers from 525 on understand
    python3 compile.py                               # compares with surefoot.ptx
    python3 compile.py --write                       # writes it anew
    pip install nvidia-cuda-nvrtc                    # the newest, for the newest GPUs
    python3 compile.py --architectures 75 80 90 120  # compiles for each of these, and reads the PTX
"""

import argparse
import ctypes
import importlib.metadata
import os
import re
import sys

FOLDER = os.path.dirname(os.path.abspath(__file__))
FILES = ["numbers.cu", "layers.cu", "program.cu", "step.cu", "products.cu", "train.cu"]
SHIPPED = os.path.join(FOLDER, "surefoot.ptx")
# Operations on floating-point numbers that may round otherwise than IEEE 754 to nearest: a flush to zero, an approximation, or
# products and sums without a rounding, which an assembler may contract.
BAD = re.compile(
    r"\.ftz|\.approx|\.full|(mul|add|sub|div|sqrt|fma|mad)\.(?!rn\b|rn\.)(?:[a-z]+\.)*f(32|64)\b|\.r[zmp]\.f(32|64)|ex2|lg2|tanh|rcp|rsqrt"
)


def library(package):
    """NVRTC of an installed package."""
    try:
        files = [str(file.locate()) for file in importlib.metadata.files(package) or []]
    except importlib.metadata.PackageNotFoundError:
        sys.exit(f"error: {package} is not installed")
    # the second library, which the first asks for by its name alone
    for name in ["libnvrtc-builtins.so", "libnvrtc.so"]:
        paths = [file for file in files if os.path.basename(file).startswith(name)]
        nvrtc = ctypes.CDLL(min(paths, key=len), mode=ctypes.RTLD_GLOBAL)
    return nvrtc


def compile_for(nvrtc, architecture):
    """The PTX of the kernels for an architecture: virtual as compute_75, or of a GPU as sm_90, for which they are assembled, too."""
    source = "".join(open(os.path.join(FOLDER, file), encoding="utf-8").read() for file in FILES)
    program, size = ctypes.c_void_p(), ctypes.c_size_t()
    nvrtc.nvrtcCreateProgram(ctypes.byref(program), source.encode(), b"surefoot.cu", 0, None, None)
    options = [f"--gpu-architecture={architecture}".encode(), b"--fmad=false", b"--std=c++17"]
    code = nvrtc.nvrtcCompileProgram(program, len(options), (ctypes.c_char_p * len(options))(*options))
    nvrtc.nvrtcGetProgramLogSize(program, ctypes.byref(size))
    log = ctypes.create_string_buffer(size.value)
    nvrtc.nvrtcGetProgramLog(program, log)
    if code != 0:
        sys.exit(f"error: the kernels do not compile for {architecture}\n{log.value.decode()}")
    nvrtc.nvrtcGetPTXSize(program, ctypes.byref(size))
    ptx = ctypes.create_string_buffer(size.value)
    nvrtc.nvrtcGetPTX(program, ptx)
    return ptx.value.decode()


def bad_lines(ptx):
    code = [line.split("//")[0].strip() for line in ptx.splitlines()]
    return [line for line in code if BAD.search(line) and not line.startswith(".")]


def main():
    parser = argparse.ArgumentParser(description="Compiles the kernels of surefoot-gpu without a GPU.")
    parser.add_argument("--write", action="store_true", help="write surefoot.ptx")
    parser.add_argument("--architectures", nargs="*", type=int, default=[], help="compute capabilities to compile for")
    arguments = parser.parse_args()
    if arguments.architectures:
        nvrtc = library("nvidia-cuda-nvrtc")
        for architecture in arguments.architectures:
            ptx = compile_for(nvrtc, f"sm_{architecture}")
            if bad := bad_lines(ptx):
                sys.exit(f"error: sm_{architecture} rounds otherwise than to nearest: {bad[0]}")
            count = len(re.findall(r"\.rn\.f(?:32|64)", ptx))
            print(f"sm_{architecture}: {count} operations, each rounded to nearest")
        return
    ptx = compile_for(library("nvidia-cuda-nvrtc-cu12"), "compute_75")
    if bad := bad_lines(ptx):
        sys.exit(f"error: rounds otherwise than to nearest: {bad[0]}")
    if arguments.write:
        with open(SHIPPED, "w", encoding="utf-8") as file:
            file.write(ptx)
    elif open(SHIPPED, encoding="utf-8").read() != ptx:
        sys.exit("error: surefoot.ptx is not that of the kernels\nhint: python3 compile.py --write, with NVRTC 12.0.140")
    print("surefoot.ptx is that of the kernels")


if __name__ == "__main__":
    main()
