#!/usr/bin/env python3
"""What models side by side gain on a device: R replicas in one process, P processes at once.

    scripts/bench_packs.py [--device cuda --step graph] [--precision bf16] [--only 0.1M]
                           [--out configs/devices/<name>.yaml]

For each shape R grows (1, 2, 4, ..., on a GPU 1, 4, 16, ...) until the tokens a second grow by less
than 5% or memory ends. Then, over rounds, one after another: those R in one process, and R = 1 and the
best R in several (on a CPU 2, 4, ... up to its cores, on a GPU 2 and 4), which are timed for the same seconds at the same time
(`bench --together`). Last, unlike shapes beside each other. A time is the median over rounds of the
median step: process CPU time on a CPU, where a process has one thread and a busy machine disturbs
that least, else wall time.

Prints Markdown for docs/performance.md; --out writes what sweeps/device/device_file.h reads, after every
shape, so that what was measured is there when time ends. Needs Python 3 alone.
"""

import contextlib
import datetime
import json
import math
import os
import pathlib
import statistics
import subprocess
import sys
import time

from bench import ROOT, chosen, environment, options_of_all, processor

GROWS = 1.05  # the least that a larger R must gain
FACTOR = {"cpu": 2, "cuda": 4}  # from one R to the next
LONGEST_STEP = 2.0  # seconds; R does not grow beyond

# N without embeddings and head. The batch is one that a run of this size might have. What is worth
# most comes first, in case time ends.
SHAPES = [
    dict(name="transformer 0.1M", layers=2, width=64, heads=2, context=128, vocab=256, cpu=16, cuda=64),
    dict(name="lstm 0.1M", layers=1, width=112, heads=1, context=128, vocab=256, cpu=16, cuda=64),
    dict(name="transformer 1M", layers=5, width=128, heads=4, context=256, vocab=1024, cpu=8, cuda=32),
    dict(name="lstm 1M", layers=2, width=256, heads=1, context=256, vocab=1024, cpu=8, cuda=32),
    dict(name="transformer 10M", layers=6, width=384, heads=6, context=256, vocab=1024, cpu=4, cuda=32),
    dict(name="lstm 10M", layers=5, width=512, heads=1, context=256, vocab=1024, cpu=4, cuda=32),
    dict(name="transformer 0.02M", layers=2, width=32, heads=2, context=128, vocab=256, cpu=8, cuda=32),
    dict(name="lstm 0.02M", layers=1, width=56, heads=1, context=128, vocab=256, cpu=8, cuda=32),
    dict(name="transformer 0.4M", layers=4, width=96, heads=4, context=128, vocab=1024, cpu=16, cuda=64),
    dict(name="lstm 0.4M", layers=2, width=160, heads=1, context=128, vocab=1024, cpu=16, cuda=64),
    dict(name="transformer 3M", layers=7, width=192, heads=6, context=256, vocab=1024, cpu=4, cuda=32),
]

# Of which each is timed alone and beside the other.
UNLIKE = [("transformer 0.02M", "transformer 10M"), ("transformer 0.1M", "lstm 0.1M"),
          ("transformer 1M", "lstm 10M")]


def arch(shape):
    return shape["name"].split()[0]


def batch_tokens(shape, options):
    return shape[options.device] * shape["context"]


def described(shape, options):
    return (f"{shape['name']}: L{shape['layers']} d{shape['width']} T{shape['context']} "
            f"B{shape[options.device]} V{shape['vocab']}")


def command(options, shape, precision, replicas):
    words = [options.program, "bench", "--together", "--json", "--threads", "1",
             "--arch", arch(shape), "--device", options.device, "--step", options.step,
             "--precision", precision, "--replicas", str(replicas),
             "--batch", str(shape[options.device]), "--seconds", str(options.seconds),
             "--steps", "2", "--warmup", "2" if options.device == "cpu" else "10"]
    for key in ("layers", "width", "heads", "context", "vocab"):
        words += [f"--{key}", str(shape[key])]
    return words


def together(commands):
    """The JSON of each of the commands, all timed at once; None where one of them fails."""
    with contextlib.ExitStack() as stack:
        running = [stack.enter_context(subprocess.Popen(
            words, env=environment(1), text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE)) for words in commands]
        stack.callback(lambda: [process.kill() for process in running])
        for process in running:
            if not process.stdout.readline():  # `ready`, or it has ended
                return failed(process, process.communicate()[1])
        for process in running:
            process.stdin.write("\n")
            process.stdin.flush()
        results = []
        for process in running:
            out, err = process.communicate()
            lines = [line for line in out.splitlines() if line.startswith("{")]
            if process.returncode != 0 or not lines:
                return failed(process, err)
            results.append(json.loads(lines[-1]))
        return results


def failed(process, err):
    """None, having said why where it is not for want of memory."""
    if "memory does not suffice" not in err and process.returncode != -9:
        print(f"{' '.join(process.args)}\nended with code {process.returncode}:\n{err[-2000:]}",
              file=sys.stderr, flush=True)
    return None


def step_seconds(results, options):
    """Of all processes: what each would take if all took the same."""
    key = "step_cpu_seconds_median" if options.device == "cpu" else "step_wall_seconds_median"
    return len(results) / sum(1 / result[key] for result in results)


def rate(shape, options, packing, seconds):
    replicas, processes = packing
    return replicas * processes * batch_tokens(shape, options) / seconds


def grow(shape, precision, options):
    """{R: step seconds} of one process, and the best R."""
    seen, best, replicas = {}, 1, 1
    while replicas <= options.most_replicas and time.monotonic() < options.ends:
        results = together([command(options, shape, precision, replicas)])
        if results is None:
            break
        seen[replicas] = step_seconds(results, options)
        gain = (rate(shape, options, (replicas, 1), seen[replicas]) /
                rate(shape, options, (best, 1), seen[best]))
        if replicas > 1 and gain < GROWS:
            break
        best = replicas
        if FACTOR[options.device] * seen[replicas] > LONGEST_STEP:
            break
        replicas *= FACTOR[options.device]
    return seen, best


def process_counts(options):
    if options.device == "cpu":
        return [p for p in (2, 4, 8, 16, 32, 64) if p < options.cores] + [options.cores]
    return [2, 4]


def measure_shape(shape, precision, options):
    """{(R, P): step seconds over the rounds} of one shape, and the best R."""
    first, best = grow(shape, precision, options)
    packings = {(replicas, 1): [seconds] for replicas, seconds in first.items()}
    for processes in process_counts(options):
        if processes > 1:
            for replicas in sorted({1, best}):
                packings[replicas, processes] = []
    for round_number in range(options.rounds):
        for (replicas, processes), seconds in packings.items():
            if time.monotonic() > options.ends or len(seconds) > round_number:
                continue
            results = together([command(options, shape, precision, replicas)] * processes)
            if results is not None:
                seconds.append(step_seconds(results, options))
    return {packing: seconds for packing, seconds in packings.items() if seconds}, best


def measure_mix(pair, precision, options, best):
    """How fast each of two unlike shapes is beside the other, of its speed alone, over rounds."""
    shares = []
    for _ in range(options.rounds):
        if time.monotonic() > options.ends:
            break
        alone = [together([command(options, shape, precision, best[shape["name"]])]) for shape in pair]
        beside = together([command(options, shape, precision, best[shape["name"]]) for shape in pair])
        if None in alone or beside is None:
            break
        shares.append([step_seconds(one, options) / step_seconds([two], options)
                       for one, two in zip(alone, beside)])
    return shares


def print_rows(shape, precision, options, seen):
    alone = rate(shape, options, (1, 1), statistics.median(seen[1, 1]))
    for packing, seconds in sorted(seen.items(), key=lambda item: (item[0][1], item[0][0])):
        rates = [rate(shape, options, packing, one) for one in seconds]
        middle = rate(shape, options, packing, statistics.median(seconds))
        print(f"| {described(shape, options)} | {precision} | {packing[0]} | {packing[1]} "
              f"| {1e3 * statistics.median(seconds):,.2f} | {middle:,.0f} "
              f"| {min(rates):,.0f} to {max(rates):,.0f} | {middle / alone:.2f} |")
    sys.stdout.flush()


def row_text(shape, precision, options, packing, seconds):
    values = dict(arch=arch(shape), n_layer=shape["layers"], d_model=shape["width"],
                  n_head=shape["heads"], n_ctx=shape["context"], n_vocab=shape["vocab"],
                  batch_tokens=batch_tokens(shape, options), precision=precision,
                  replicas=packing[0], processes=packing[1],
                  step_seconds=f"{statistics.median(seconds):.4g}")
    return "  - {" + ", ".join(f"{key}: {value}" for key, value in values.items()) + "}"


def commit():
    words = ["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"]
    try:
        done = subprocess.run(words, capture_output=True, text=True)
    except OSError:
        return "unknown"
    return done.stdout.strip() or "unknown"


def gpu_name():
    try:
        done = subprocess.run(["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"],
                              capture_output=True, text=True)
    except OSError:
        return "GPU"
    return done.stdout.strip().splitlines()[0] if done.stdout.strip() else "GPU"


def write_file(options, rows):
    if not options.out or not rows:
        return
    is_cpu = options.device == "cpu"
    clock = "process CPU time of one thread a process" if is_cpu else "wall time"
    options.out.write_text("\n".join([
        "# Steps of models side by side, by scripts/bench_packs.py; read by sweeps/device/device_file.h.",
        f"device: {options.name}",
        f"kind: {'cpu' if is_cpu else 'gpu'}",
        f"date: {datetime.date.today()}",
        f"commit: {commit()}",
        f"step: {options.step}",
        f"clock: {clock}, median over {options.rounds} rounds",
        *([f"note: {json.dumps(options.note)}"] if options.note else []),
        "rows:", *rows]) + "\n")


def parse(arguments=None):
    parser = options_of_all("Models side by side: replicas and processes.")
    parser.set_defaults(precision=None, arch=None)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--step", choices=["eager", "device", "graph"],
                        help="default: eager on a CPU, graph on a GPU")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=1.5, help="timed in each process")
    parser.add_argument("--most-replicas", type=int, default=1024)
    parser.add_argument("--minutes", type=float, default=math.inf, help="stop after so long")
    parser.add_argument("--out", type=pathlib.Path, help="the device's file")
    parser.add_argument("--name", help="of the device (default: as the system calls it)")
    parser.add_argument("--note", help="what a reader of the file must know")
    options = parser.parse_args(arguments)
    if not os.access(options.program, os.X_OK):
        parser.error(f"--program {options.program}: no program; build it")
    options.step = options.step or ("eager" if options.device == "cpu" else "graph")
    options.precisions = [options.precision] if options.precision else ["fp32", "bf16"]
    options.cores = len(os.sched_getaffinity(0))
    options.name = options.name or (f"{processor()}, {options.cores} cores"
                                    if options.device == "cpu" else gpu_name())
    options.ends = time.monotonic() + 60 * options.minutes
    options.shapes = [shape for shape in chosen(SHAPES, options, parser)
                      if options.arch in (None, arch(shape))]
    return options


def print_mixes(options, best):
    print("\n| beside each other | precision | speed of each, of alone | both |\n|---|---|---|---|")
    shapes = {shape["name"]: shape for shape in options.shapes}
    for precision in options.precisions:
        for names in UNLIKE:
            if not all((name, precision) in best for name in names):
                continue
            sizes = {name: best[name, precision] for name in names}
            shares = measure_mix([shapes[name] for name in names], precision, options, sizes)
            if not shares:
                continue
            first, second = (statistics.median(one) for one in zip(*shares))
            print(f"| {' and '.join(f'{name} (R {sizes[name]})' for name in names)} | {precision} "
                  f"| {first:.2f}, {second:.2f} | {statistics.median(map(sum, shares)):.2f} |",
                  flush=True)


def main():
    options = parse()
    print(f"{options.name}, step {options.step}, {options.rounds} rounds, {datetime.date.today()}\n")
    print("| shape | precision | R | P | ms a step | tokens/s of all | over rounds | of R 1, P 1 |")
    print("|---|---|---|---|---|---|---|---|")
    rows, best = [], {}
    for precision in options.precisions:
        for shape in options.shapes:
            if time.monotonic() > options.ends:
                break
            seen, best[shape["name"], precision] = measure_shape(shape, precision, options)
            if (1, 1) not in seen:
                continue
            print_rows(shape, precision, options, seen)
            rows += [row_text(shape, precision, options, *item) for item in sorted(seen.items())]
            write_file(options, rows)
    if not rows:
        sys.exit("nothing was measured")
    print_mixes(options, best)


if __name__ == "__main__":
    main()
