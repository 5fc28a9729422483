#!/usr/bin/env python3
"""What a sweep of small runs gains on a CPU: scalelaw's one single-thread process a core, against
plain eager PyTorch's runs one after another, each with all cores (scripts/bench_reference.py).

    scripts/bench_sweep.py --python PATH/TO/A/PYTHON/WITH/TORCH [--precision bf16] [--rounds 5]

In each round one after the other: as many `scalelaw bench` processes at once as there are cores,
then the reference alone with as many threads. The ratio is of tokens a second by wall time, all
processes together, of the steps in the middle; the table gives the median over rounds. Prints
Markdown for docs/performance.md. Needs Python 3 alone; PyTorch only in --python.
"""

import concurrent.futures
import datetime
import os
import statistics
import sys

from bench import ROOT, SHAPES, chosen, flags, measure, options_of_all, processor


def main():
    parser = options_of_all("A sweep's throughput against PyTorch's.")
    parser.add_argument("--python", default=sys.executable, help="a Python that has torch")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    cores = len(os.sched_getaffinity(0))
    shapes = chosen(SHAPES, options, parser)
    print(f"{options.arch}, {options.precision}, {cores} cores, {options.rounds} rounds; "
          f"PyTorch eager in fp32; {processor()}; {datetime.date.today()}\n")
    print("| shape | scalelaw, tokens/s | PyTorch, tokens/s | ratio | over rounds |")
    print("|---|---|---|---|---|")
    with concurrent.futures.ThreadPoolExecutor(cores) as pool:
        for shape in shapes:
            arguments = flags(shape, options.arch, shape["steps"])
            ours = [options.program, "bench", *arguments, "--precision", options.precision]
            reference = [options.python, str(ROOT / "scripts/bench_reference.py"), *arguments,
                         "--threads", str(cores)]
            tokens = shape["batch"] * shape["context"]
            rates, ratios = {"ours": [], "theirs": []}, []
            for _ in range(options.rounds):
                together = pool.map(measure, [ours] * cores)
                rates["ours"].append(sum(tokens / r["step_wall_seconds_median"] for r in together))
                alone = measure(reference, threads=cores)
                rates["theirs"].append(tokens / alone["step_wall_seconds_median"])
                ratios.append(rates["ours"][-1] / rates["theirs"][-1])
            print(f"| {shape['name']} | {statistics.median(rates['ours']):,.0f} "
                  f"| {statistics.median(rates['theirs']):,.0f} | {statistics.median(ratios):.2f} "
                  f"| {min(ratios):.2f} to {max(ratios):.2f} |")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
