#!/usr/bin/env python3
"""How long a store of many runs is listed, without its index and with it.

    scripts/bench_store.py [--cells 10000] [--folder /tmp/store_bench] [--rounds 5]

Makes the store once, of complete runs as training leaves them (build the target make-store for it),
and times `scalelaw runs list` and `scalelaw sweep status` over it: first without RUNS/.index, then
with. The files' pages are in memory in both cases. Prints Markdown for docs/runs.md, medians over
rounds. Needs Python 3 alone.
"""

import argparse
import os
import pathlib
import resource
import statistics
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent


def timed(command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    wall = time.monotonic() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def median_of(command, rounds, before_each):
    results = []
    for _ in range(rounds):
        before_each()
        results.append(timed(command))
    return [statistics.median(column) for column in zip(*results)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cells", type=int, default=10000)
    parser.add_argument("--folder", type=pathlib.Path, default=pathlib.Path("/tmp/store_bench"))
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/release")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    runs, data = options.folder / "runs", options.folder / "data"
    if not runs.exists():
        subprocess.run([options.build / "tests/make-store", options.folder, str(options.cells)],
                       check=True)
    index = runs / ".index"
    verbs = {
        "runs list": ["scalelaw-runs", "list", "--runs", runs],
        "runs list --where ... --sort loss":
            ["scalelaw-runs", "list", "--runs", runs, "--sort", "loss", "--where",
             "model.arch == lstm and N > 1000 and state == complete"],
        "sweep status": ["scalelaw-sweep", "status", options.folder / "many.yaml", "--runs", runs,
                         "--data", data],
    }
    load = os.getloadavg()[0]
    print(f"{options.cells} runs, load {load:.1f} on {os.cpu_count()} cores at the start\n")
    print("| | without index: wall, CPU | with: wall, CPU |")
    print("|---|---|---|")
    for name, words in verbs.items():
        command = [options.build / "bin" / words[0], *words[1:]]
        cold = median_of(command, options.rounds, lambda: index.unlink(missing_ok=True))
        warm = median_of(command, options.rounds, lambda: None)
        print(f"| `{name}` | {cold[0]:.2f} s, {cold[1]:.2f} s | {warm[0]:.2f} s, {warm[1]:.2f} s |")
    print(f"\nindex: {index.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
