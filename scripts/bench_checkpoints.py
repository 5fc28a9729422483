#!/usr/bin/env python3
"""What a checkpoint costs training, of one program or of several in turn (a build before and after).

    scripts/bench_checkpoints.py [--program FILE ...] [--rounds 3] [--train NAME] [--data FOLDER]

Each measurement is a short `scalelaw train` of one thread with a checkpoint every `--every` seconds.
Held: the time for which training waited for one, `checkpoint_seconds` of run.json without the last
checkpoint's, over how many there were. Computed: CPU time of the process beyond that of the same run
without checkpoints, a checkpoint; noisy. Prints Markdown for docs/performance.md. Needs Python 3
alone, a data set, and a disk of the kind in question under --work.
"""

import argparse
import datetime
import json
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
SHAPES = [
    {"name": "L2 d32 T64 B16", "n_layer": 2, "d_model": 32, "n_head": 2, "n_ctx": 64, "batch": 16,
     "steps": 400},
    {"name": "L4 d128 T64 B12", "n_layer": 4, "d_model": 128, "n_head": 4, "n_ctx": 64, "batch": 12,
     "steps": 60},
    {"name": "L6 d384 T64 B4", "n_layer": 6, "d_model": 384, "n_head": 6, "n_ctx": 64, "batch": 4,
     "steps": 20},
    {"name": "L8 d768 T64 B1", "n_layer": 8, "d_model": 768, "n_head": 8, "n_ctx": 64, "batch": 1,
     "steps": 12},
]


def trained(program, options, shape, every):
    """(held seconds, CPU seconds, checkpoints, megabytes of one) of a run; the last of its checkpoints,
    which training waits for in any case, is counted as one of them."""
    batch_tokens = shape["batch"] * shape["n_ctx"]
    model = ", ".join(f"{key}: {shape[key]}" for key in ("n_layer", "d_model", "n_head", "n_ctx"))
    with tempfile.TemporaryDirectory(dir=options.work) as folder:
        run, runs = pathlib.Path(folder, "run.yaml"), pathlib.Path(folder, "runs")
        run.write_text(
            f"spec: 1\ndata: {{train: {options.train}, test: {{{options.train}: {shape['n_ctx']}}}}}\n"
            f"horizon: {{tokens: {shape['steps'] * batch_tokens}}}\nmodel: {{{model}}}\n"
            f"train: {{batch_tokens: {batch_tokens}}}\n"
            f"evaluate: {{points_per_decade: 0, tokens: {shape['n_ctx']}}}\n"
            f"how: {{progress_every_seconds: 0, checkpoint_every_seconds: {every}}}\n")
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        seen = set()
        with open(pathlib.Path(folder, "log"), "w", encoding="utf-8") as log:
            process = subprocess.Popen(
                [program, "train", run, "--runs", runs, "--data", options.data, "--device", "cpu",
                 "--threads", "1"], stderr=log, env={**os.environ, "OMP_WAIT_POLICY": "PASSIVE"})
            while process.poll() is None:
                seen.update(file.name for file in runs.glob("*/checkpoints/step-*.safetensors"))
                time.sleep(0.05)
        if process.returncode != 0:
            sys.exit(pathlib.Path(folder, "log").read_text(encoding="utf-8"))
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        record = json.loads(next(runs.glob("*/run.json")).read_text())
        last = next(runs.glob("*/checkpoints/step-*.safetensors"))
        seen.add(last.name)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return record["checkpoint_seconds"], cpu, len(seen), last.stat().st_size / 1e6


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--program", action="append", help="scalelaw-train; repeatable")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--every", type=float, default=1, help="seconds between checkpoints")
    parser.add_argument("--train", default="default", help="the data set")
    parser.add_argument("--data", default=str(ROOT / "data"), help="the folder of data sets")
    parser.add_argument("--work", default=None, help="folder on the disk that is written to")
    options = parser.parse_args()
    programs = options.program or [str(ROOT / "build/release/bin/scalelaw-train")]
    print(f"{options.rounds} rounds; {len(os.sched_getaffinity(0))} cores; {datetime.date.today()}\n")
    print("| shape | a checkpoint | program | held a checkpoint | over rounds | computed |")
    print("|---|---|---|---|---|---|")
    for shape in SHAPES:
        held, computed, size = {p: [] for p in programs}, {p: [] for p in programs}, 0
        for _ in range(options.rounds):
            for program in programs:
                last, plain_cpu, _, size = trained(program, options, shape, 0)
                seconds, cpu, count, _ = trained(program, options, shape, options.every)
                if count < 2:
                    sys.exit(f"{shape['name']}: too short a run for --every {options.every}")
                held[program].append((seconds - last) / (count - 1))
                computed[program].append((cpu - plain_cpu) / (count - 1))
        for program in programs:
            waits = [f"{1000 * value:.0f}" for value in sorted(held[program])]
            print(f"| {shape['name']} | {size:.1f} MB | {program} "
                  f"| {1000 * statistics.median(held[program]):.1f} ms | {waits[0]} to {waits[-1]} "
                  f"| {1000 * statistics.median(computed[program]):.0f} ms |")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
