#!/usr/bin/env python3
"""What several processes of one thread gain on one run, against one process with one thread and one
with as many threads as there are processes.

    scripts/bench_ranks.py [--processes 2] [--rounds 5] [--train NAME] [--data FOLDER]
    scripts/bench_ranks.py --device cuda --processes 8 [--train NAME] [--data FOLDER]

In each round the three in turn, each a short `scalelaw train` of one shape; the rate is the median of
tokens_per_second over the lines of metrics, one a step, without the first. Ratios are medians over
rounds. On GPUs it is one process against several, in bf16, each with 16 windows a step. Prints
Markdown for docs/parallel.md. Needs Python 3 alone and a data set.
"""

import argparse
import datetime
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
SHAPES = [
    {"name": "L4 d128 T256 B8", "n_layer": 4, "d_model": 128, "n_head": 4, "n_ctx": 256, "batch": 8,
     "steps": 24},
    {"name": "L6 d384 T256 B4", "n_layer": 6, "d_model": 384, "n_head": 6, "n_ctx": 256, "batch": 4,
     "steps": 12},
]
GPU_SHAPES = [
    {"name": "L12 d768 T1024 B16 a GPU", "n_layer": 12, "d_model": 768, "n_head": 12, "n_ctx": 1024,
     "batch": 16, "steps": 100},
]


def tokens_per_second(program, options, shape, processes, threads):
    on_gpu = options.device == "cuda"
    batch_tokens = shape["batch"] * shape["n_ctx"] * (processes if on_gpu else 1)
    model = ", ".join(f"{key}: {shape[key]}" for key in ("n_layer", "d_model", "n_head", "n_ctx"))
    with tempfile.TemporaryDirectory() as folder:
        run = pathlib.Path(folder, "run.yaml")
        run.write_text(
            f"spec: 1\ndata: {{train: {options.train}, test: {{{options.train}: {shape['n_ctx']}}}}}\n"
            f"horizon: {{tokens: {shape['steps'] * batch_tokens}}}\nmodel: {{{model}}}\n"
            f"train: {{batch_tokens: {batch_tokens}, precision: {'bf16' if on_gpu else 'fp32'}}}\n"
            f"evaluate: {{points_per_decade: 0, tokens: {shape['n_ctx']}}}\n"
            "how: {log_every: 1, progress_every_seconds: 0, checkpoint_every_seconds: 0}\n")
        subprocess.run(
            [program, "train", run, "--runs", pathlib.Path(folder, "runs"), "--data", options.data,
             "--device", options.device, "--threads", str(threads), "--processes", str(processes)],
            check=True, capture_output=True, env={**os.environ, "OMP_WAIT_POLICY": "PASSIVE"})
        metrics = next(pathlib.Path(folder, "runs").glob("*/metrics.jsonl"))
        lines = [json.loads(line) for line in metrics.read_text().splitlines()]
    return statistics.median(line["tokens_per_second"] for line in lines[2:])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--train", default="default", help="the data set")
    parser.add_argument("--data", default=str(ROOT / "data"), help="the folder of data sets")
    parser.add_argument("--program", default=str(ROOT / "build/release/bin/scalelaw"))
    options = parser.parse_args()
    n = options.processes
    ways = {"1 process of 1 thread": (1, 1), f"1 of {n} threads": (1, n), f"{n} of 1 thread": (n, 1)}
    shapes, where = SHAPES, f"{len(os.sched_getaffinity(0))} cores"
    if options.device == "cuda":
        ways, shapes, where = {"1 GPU": (1, 1), f"{n} GPUs": (n, 1)}, GPU_SHAPES, "bf16"
    *others, together = ways
    print(f"{options.rounds} rounds; {where}; {datetime.date.today()}\n")
    print(f"| shape | {', tokens/s | '.join(ways)}, tokens/s | efficiency "
          f"| {' | '.join(f'{together} against {other}' for other in others)} |")
    print("|---" * (2 + len(ways) + len(others)) + "|")
    for shape in shapes:
        rates = {way: [] for way in ways}
        for _ in range(options.rounds):
            for way, (processes, threads) in ways.items():
                rates[way].append(
                    tokens_per_second(options.program, options, shape, processes, threads))
        gains = [[a / b for a, b in zip(rates[together], rates[other])] for other in others]
        cells = [f"{statistics.median(rates[way]):,.0f}" for way in ways]
        cells.append(f"{statistics.median(gains[0]) / n:.0%}")
        cells += [f"{statistics.median(gain):.2f} ({min(gain):.2f} to {max(gain):.2f})"
                  for gain in gains]
        print(f"| {shape['name']} | {' | '.join(cells)} |")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
