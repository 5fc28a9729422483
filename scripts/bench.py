#!/usr/bin/env python3
"""Compares a training step of scalelaw with plain eager PyTorch (scripts/bench_reference.py).

    scripts/bench.py --python PATH/TO/A/PYTHON/WITH/TORCH [--arch lstm] [--rounds 7] [--at-least 1.0]

One process a measurement, one thread each, the two programs in turn (A B A B ...), so that a
machine that drifts or is busy disturbs both alike. The number compared is process CPU time of a
step, the median over steps; the ratio is reference / scalelaw within a round, and the table gives
the median ratio over rounds with its lowest and highest. Prints Markdown for docs/performance.md.
Needs Python 3 alone; PyTorch only in --python.
"""

import argparse
import datetime
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

# Steps are such that a process takes a few seconds at the reference's pace.
SHAPES = [
    dict(name="L2 d32 T64 B16 V256", layers=2, width=32, context=64, batch=16, vocab=256, heads=2,
         steps=200),
    dict(name="L2 d64 T128 B16 V256", layers=2, width=64, context=128, batch=16, vocab=256, heads=2,
         steps=80),
    dict(name="L4 d128 T64 B12 V65", layers=4, width=128, context=64, batch=12, vocab=65, heads=4,
         steps=40),
    dict(name="L4 d128 T256 B8 V1024", layers=4, width=128, context=256, batch=8, vocab=1024,
         heads=4, steps=15),
    dict(name="L6 d384 T256 B4 V1024", layers=6, width=384, context=256, batch=4, vocab=1024,
         heads=12, steps=6),
]


def flags(shape, arch, steps):
    names = ("layers", "width", "context", "batch", "vocab", "heads")
    listed = [text for name in names for text in (f"--{name}", str(shape[name]))]
    return [*listed, "--arch", arch, "--steps", str(steps), "--json"]


def environment(threads):
    limits = {"OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}
    if threads == 1:
        limits["OMP_WAIT_POLICY"] = "PASSIVE"  # more threads run as their user would run them
    return os.environ | limits


def measure(command, threads=1):
    """The JSON line that one benchmark process prints."""
    try:
        done = subprocess.run(command, env=environment(threads), capture_output=True, text=True)
    except OSError as error:
        sys.exit(f"cannot start {command[0]}: {error.strerror}; build it, or see --program, --python")
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode != 0 or not lines:
        sys.exit(f"{' '.join(command)}\nended with code {done.returncode}:\n"
                 f"{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return json.loads(lines[-1])


def processor():
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
        of = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
        # A hypervisor may leave no more of the name than the maker's.
        return f"{of['model name']} (family {of['cpu family']}, model {of['model']})"
    except (OSError, KeyError):
        return platform.processor() or platform.machine()


def options_of_all(description):
    """A parser of what every benchmark of steps can be asked for."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--program", default=str(ROOT / "build/release/bin/scalelaw-train"))
    parser.add_argument("--arch", choices=["transformer", "lstm"], default="transformer")
    parser.add_argument("--precision", choices=["fp32", "bf16"], default="fp32",
                        help="of scalelaw's products; a reference is fp32")
    parser.add_argument("--only", default="", help="shapes whose name contains this text")
    return parser


def chosen(shapes, options, parser):
    found = [shape for shape in shapes if options.only in shape["name"]]
    if not found:
        parser.error(f"no shape is called like '{options.only}'")
    return found


def main():
    parser = options_of_all(
        "scalelaw's training step against plain eager PyTorch's, interleaved.")
    parser.add_argument("--python", default=sys.executable, help="a Python that has torch")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--steps", type=int, help="timed steps (default: by shape)")
    parser.add_argument("--at-least", type=float,
                        help="end with code 1 when a median ratio is below this")
    parser.add_argument("--out", type=pathlib.Path, help="write every measurement as JSON lines")
    options = parser.parse_args()
    reference_script = str(ROOT / "scripts/bench_reference.py")
    out = open(options.out, "w") if options.out else None
    shapes = chosen(SHAPES, options, parser)
    rows, below = [], []
    for shape in shapes:
        arguments = flags(shape, options.arch, options.steps or shape["steps"])
        commands = {"scalelaw": [options.program, "bench", *arguments,
                                 "--precision", options.precision],
                    "reference": [options.python, reference_script, *arguments]}
        seen = {"scalelaw": [], "reference": []}
        for round_number in range(options.rounds):
            for who, command in commands.items():
                result = measure(command)
                seen[who].append(result)
                if out:
                    print(json.dumps({"who": who, "shape": shape["name"], "arch": options.arch,
                                      "round": round_number} | result), file=out, flush=True)
        cpu = {who: [r["step_cpu_seconds_median"] for r in results]
               for who, results in seen.items()}
        ratios = [theirs / ours for theirs, ours in zip(cpu["reference"], cpu["scalelaw"])]
        ratio = statistics.median(ratios)
        if options.at_least and ratio < options.at_least:
            below.append(shape["name"])
        tokens = shape["batch"] * shape["context"] / statistics.median(cpu["scalelaw"])
        rows.append(f"| {shape['name']} | {1e3 * statistics.median(cpu['scalelaw']):.2f} "
                    f"| {1e3 * statistics.median(cpu['reference']):.2f} | {ratio:.2f} "
                    f"| {min(ratios):.2f} to {max(ratios):.2f} | {tokens:,.0f} |")
        print(f"{shape['name']}: {ratio:.2f}", file=sys.stderr, flush=True)
    torch = seen["reference"][-1].get("torch", "unknown")
    print(f"\n{options.arch}, {options.precision}, one thread, process CPU time; "
          f"{options.rounds} rounds; PyTorch {torch} eager in fp32; {processor()}; {datetime.date.today()}\n")
    print("| shape | scalelaw, ms a step | PyTorch eager, ms | ratio | over rounds "
          "| scalelaw, tokens per CPU second |\n|---|---|---|---|---|---|")
    print("\n".join(rows))
    if below:
        sys.exit(f"below the ratio {options.at_least} asked for: {', '.join(below)}")


if __name__ == "__main__":
    main()
