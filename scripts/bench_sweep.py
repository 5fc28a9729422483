#!/usr/bin/env python3
"""What a sweep of small runs gains on a CPU: scalelaw's one single-thread process a core, against
plain eager PyTorch's runs one after another, each with all cores (scripts/bench_reference.py).

    scripts/bench_sweep.py --python PATH/TO/A/PYTHON/WITH/TORCH [--precision bf16] [--rounds 5]
    scripts/bench_sweep.py --python PATH/TO/A/PYTHON/WITH/TORCH --runs 8 --only d32
    scripts/bench_sweep.py --python PATH/TO/A/PYTHON/WITH/TORCH --runs 64 --device cuda --precision bf16

In each round one after the other: as many `scalelaw bench` processes at once as there are cores,
then the reference alone with as many threads. The ratio is of tokens a second by wall time, all
processes together, of the steps in the middle; the table gives the median over rounds.

With --runs N whole runs by the wall clock: `scalelaw-sweep run` of N seeds in a new store, with its
start, evaluations and checkpoints at their default settings, against the reference started N times,
one after another, which does none of them; as many tokens each. --device is for these: on a GPU both
train in the precision given, the sweep in packs.

Prints Markdown for docs/performance.md. Needs Python 3 alone; PyTorch only in --python.
"""

import concurrent.futures
import datetime
import os
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile
import time

from bench import ROOT, SHAPES, chosen, environment, flags, measure, options_of_all, processor


SWEEP = """\
spec: 1
name: bench
data: {{train: words, test: {{words: 131072}}}}
horizon: {{tokens: {tokens}}}
model: {{arch: {arch}, n_layer: {layers}, d_model: {width}, n_head: {heads}, n_ctx: {context}}}
train: {{batch_tokens: {batch_tokens}, precision: {precision}}}
grid: {{seeds.init: [{seeds}]}}
"""


def rates_in_turn(shape, options, cores):
    """Tokens a second of steps, ours on all cores together and the reference's, for each round."""
    arguments = flags(shape, options.arch, shape["steps"])
    ours = [options.program, "bench", *arguments, "--precision", options.precision]
    tokens = shape["batch"] * shape["context"]
    with concurrent.futures.ThreadPoolExecutor(cores) as pool:
        for _ in range(options.rounds):
            together = pool.map(measure, [ours] * cores)
            mine = sum(tokens / each["step_wall_seconds_median"] for each in together)
            alone = measure([*reference(options, arguments), "--threads", str(cores)], threads=cores)
            yield mine, tokens / alone["step_wall_seconds_median"]


def reference(options, arguments):
    on_gpu = ["--device", "cuda", "--precision", options.precision]
    return [options.python, str(ROOT / "scripts/bench_reference.py"), *arguments,
            *(on_gpu if options.device == "cuda" else [])]


def seconds_of(command, threads=1):
    start = time.monotonic()
    done = subprocess.run([str(word) for word in command], env=environment(threads),
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return time.monotonic() - start


def whole_runs_in_turn(shape, options, cores):
    """The same of whole runs."""
    steps = 5 * shape["steps"]
    tokens = steps * shape["batch"] * shape["context"]
    programs = pathlib.Path(options.program).resolve().parent
    command = [*reference(options, flags(shape, options.arch, steps)), "--threads", str(cores)]
    with tempfile.TemporaryDirectory(prefix="bench_sweep_") as made:
        folder = pathlib.Path(made)
        words = random.Random(0)
        vocabulary = ["".join(words.choices("abcdefghijklmnop", k=5)) for _ in range(500)]
        (folder / "words.txt").write_text(
            "\n".join(" ".join(words.choices(vocabulary, k=100)) for _ in range(12000)))
        seconds_of([programs / "scalelaw-data", "build", folder / "words.txt", "--name", "words",
                    "--tokenizer", "bytes", "--split-by", "piece", "--data", folder / "data"])
        spec = folder / "bench.yaml"
        spec.write_text(SWEEP.format(tokens=tokens, batch_tokens=shape["batch"] * shape["context"],
                                     arch=options.arch, precision=options.precision, **{
                                         key: shape[key] for key in
                                         ("layers", "width", "heads", "context")},
                                     seeds=", ".join(map(str, range(1, options.runs + 1)))))
        for number in range(options.rounds):
            mine = seconds_of([programs / "scalelaw-sweep", "run", spec, "--data", folder / "data",
                               "--runs", folder / f"runs-{number}", "--device", options.device])
            theirs = sum(seconds_of(command, cores) for _ in range(options.runs))
            yield options.runs * tokens / mine, options.runs * tokens / theirs


def main():
    parser = options_of_all("A sweep's throughput against PyTorch's.")
    parser.add_argument("--runs", type=int, default=0,
                        help="whole runs, so many of a sweep; default: steps alone")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--python", default=sys.executable, help="a Python that has torch")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    if options.device == "cuda" and not options.runs:
        parser.error("--device cuda goes with --runs; bench_packs.py times steps of a GPU's packs")
    cores = len(os.sched_getaffinity(0))
    shapes = chosen(SHAPES, options, parser)
    print(f"{options.arch}, {options.precision}, {cores} cores, {options.rounds} rounds"
          f"{f', sweeps of {options.runs} whole runs' if options.runs else ''}; "
          f"PyTorch eager in {options.precision if options.device == 'cuda' else 'fp32'}; "
          f"{processor()}, {options.device}; {datetime.date.today()}\n")
    print("| shape | scalelaw, tokens/s | PyTorch, tokens/s | ratio | over rounds |")
    print("|---|---|---|---|---|")
    of = whole_runs_in_turn if options.runs else rates_in_turn
    for shape in shapes:
        rounds = list(of(shape, options, cores))
        ours, theirs = (statistics.median(rates) for rates in zip(*rounds))
        ratios = [mine / other for mine, other in rounds]
        print(f"| {shape['name']} | {ours:,.0f} | {theirs:,.0f} | {statistics.median(ratios):.2f} "
              f"| {min(ratios):.2f} to {max(ratios):.2f} |", flush=True)


if __name__ == "__main__":
    main()
