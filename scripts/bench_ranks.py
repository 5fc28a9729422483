#!/usr/bin/env python3
"""What several processes of one thread gain on one run, against one process with one thread and one
with as many threads as there are processes.

    scripts/bench_ranks.py [--processes 2] [--rounds 5] [--train NAME] [--data FOLDER]

In each round the three in turn, each a short `scalelaw train` of one shape; the rate is the median of
tokens_per_second over the lines of metrics, one a step, without the first. Ratios are medians over
rounds. Prints Markdown for docs/parallel.md. Needs Python 3 alone and a data set.
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


def tokens_per_second(program, options, shape, processes, threads):
    batch_tokens = shape["batch"] * shape["n_ctx"]
    model = ", ".join(f"{key}: {shape[key]}" for key in ("n_layer", "d_model", "n_head", "n_ctx"))
    with tempfile.TemporaryDirectory() as folder:
        run = pathlib.Path(folder, "run.yaml")
        run.write_text(
            f"spec: 1\ndata: {{train: {options.train}, test: {{{options.train}: {shape['n_ctx']}}}}}\n"
            f"horizon: {{tokens: {shape['steps'] * batch_tokens}}}\nmodel: {{{model}}}\n"
            f"train: {{batch_tokens: {batch_tokens}}}\n"
            f"evaluate: {{points_per_decade: 0, tokens: {shape['n_ctx']}}}\n"
            "how: {log_every: 1, progress_every_seconds: 0, checkpoint_every_seconds: 0}\n")
        subprocess.run(
            [program, "train", run, "--runs", pathlib.Path(folder, "runs"), "--data", options.data,
             "--device", "cpu", "--threads", str(threads), "--processes", str(processes)],
            check=True, capture_output=True, env={**os.environ, "OMP_WAIT_POLICY": "PASSIVE"})
        metrics = next(pathlib.Path(folder, "runs").glob("*/metrics.jsonl"))
        lines = [json.loads(line) for line in metrics.read_text().splitlines()]
    return statistics.median(line["tokens_per_second"] for line in lines[2:])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--train", default="default", help="the data set")
    parser.add_argument("--data", default=str(ROOT / "data"), help="the folder of data sets")
    parser.add_argument("--program", default=str(ROOT / "build/release/bin/scalelaw"))
    options = parser.parse_args()
    n = options.processes
    ways = {"one": (1, 1), "threads": (1, n), "processes": (n, 1)}
    print(f"{options.rounds} rounds; {len(os.sched_getaffinity(0))} cores; {datetime.date.today()}\n")
    print(f"| shape | 1 process of 1 thread, tokens/s | 1 of {n} threads | {n} of 1 thread "
          f"| {n} of 1 against 1 of 1 | efficiency | against 1 of {n} |")
    print("|---|---|---|---|---|---|---|")
    for shape in SHAPES:
        rates = {way: [] for way in ways}
        for _ in range(options.rounds):
            for way, (processes, threads) in ways.items():
                rates[way].append(
                    tokens_per_second(options.program, options, shape, processes, threads))
        gain = [a / b for a, b in zip(rates["processes"], rates["one"])]
        beside = [a / b for a, b in zip(rates["processes"], rates["threads"])]
        middle = {way: statistics.median(values) for way, values in rates.items()}
        print(f"| {shape['name']} | {middle['one']:,.0f} | {middle['threads']:,.0f} "
              f"| {middle['processes']:,.0f} "
              f"| {statistics.median(gain):.2f} ({min(gain):.2f} to {max(gain):.2f}) "
              f"| {statistics.median(gain) / n:.0%} "
              f"| {statistics.median(beside):.2f} ({min(beside):.2f} to {max(beside):.2f}) |")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
