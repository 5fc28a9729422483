#!/usr/bin/env python3
"""How long a store of many runs is listed, without its index and with it.

    scripts/bench_store.py [--cells 10000] [--folder /tmp/store_bench] [--rounds 5]

Makes the store once, of complete runs as training leaves them (build the target make-store for it),
and times `scalelaw runs list` and `scalelaw sweep status` over it: first without RUNS/.index, then
with. The files' pages are in memory in both cases. Then what a page of `scalelaw sweep watch` costs
on a terminal: one more run keeps that store's sweep from being complete, and of another sweep of as
many runs none has begun. Prints Markdown for docs/runs.md and docs/sweeps.md, medians over rounds.
Needs Python 3 alone.
"""

import argparse
import os
import pathlib
import pty
import re
import resource
import select
import signal
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


def pages_cost(command, seconds):
    """CPU seconds of the first page and of each later one."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(command[0], [str(word) for word in command])

    def cpu():
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    pages, first, end = 0, 0.0, None
    while end is None or time.monotonic() < end:
        if select.select([terminal], [], [], 0.05)[0]:
            pages += os.read(terminal, 1 << 16).count(b"\x1b[J")
        if pages > 0 and end is None:
            first, end = cpu(), time.monotonic() + seconds
    each = (cpu() - first) / max(1, pages - 1)
    os.kill(pid, signal.SIGTERM)
    while True:  # it writes its last page
        try:
            if not os.read(terminal, 1 << 16):
                break
        except OSError:
            break
    os.waitpid(pid, 0)
    return first, each


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
    spec = (options.folder / "many.yaml").read_text()
    waiting = re.sub(r"^(name: )many", r"\1waiting", spec, flags=re.M)
    (options.folder / "waiting.yaml").write_text(
        re.sub(r"d_model: \[16, 32\]", "d_model: [8, 24]", waiting))
    last_seed = int(re.search(r"(\d+)\]\}", spec).group(1))
    following = re.sub(r"^(name: )many", r"\1following", spec, flags=re.M)
    (options.folder / "following.yaml").write_text(
        following.replace(f"{last_seed}]", f"{last_seed}, {last_seed + 1}]"))
    for name, what in (("following", "all but one of each kind complete"),
                       ("waiting", "none begun")):
        first, each = pages_cost(
            [options.build / "bin/scalelaw-sweep", "watch", options.folder / f"{name}.yaml",
             "--runs", runs, "--data", data, "--every", "1s"], 20)
        print(f"\n`sweep watch`, {what}: {first:.2f} s of the CPU, {1000 * each:.1f} ms a later page")
    print(f"\nindex: {index.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
