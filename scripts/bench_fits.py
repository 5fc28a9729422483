#!/usr/bin/env python3
"""Bootstrap refits of Chinchilla's law on Epoch AI's 240 rows, by scalelaw and by SciPy, in turn.

    scripts/bench_fits.py [--program build/no-torch/bin/fit_benchmark] [--replicates 10] [--csv FILE]

The same replicates (counts of the rows), the same objective (Huber of 1e-3 in ln L) and the same
warm start, the optimum of all rows. SciPy in three ways: L-BFGS-B with numeric gradients, as
published fits were made; L-BFGS-B and BFGS on the objective divided by delta^2 with its exact
gradient. CPU milliseconds of one refit, medians, and how many end above scalelaw's F by more than
1e-6 of it. Needs numpy and SciPy; one thread.
"""
import argparse
import csv
import os
import statistics
import subprocess
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import scipy
from scipy.optimize import minimize
from scipy.special import huber, logsumexp

DELTA = 1e-3
OPTIMUM = dict(E=1.817218099, A=477.82587, B=2143.41736, alpha=0.347310499, beta=0.367172433)


def read_rows(path):
    with open(path, newline="") as file:
        rows = [r for r in csv.reader(file)][1:]
    table = sorted((float(r[6]), float(r[3]), float(r[4])) for r in rows)[:-5]
    loss, n, c = map(np.array, zip(*table))
    return np.log(n), np.log(c / (6 * n)), np.log(loss)


def terms(p, ln_n, ln_d):
    a, b, e, alpha, beta = p
    return np.stack([a - alpha * ln_n, b - beta * ln_d, np.full_like(ln_n, e)])


def value(p, ln_n, ln_d, ln_l, weight):
    return np.sum(weight * huber(DELTA, ln_l - logsumexp(terms(p, ln_n, ln_d), axis=0)))


def scaled(p, ln_n, ln_d, ln_l, weight):
    each = terms(p, ln_n, ln_d)
    whole = logsumexp(each, axis=0)
    share = np.exp(each - whole)
    r = ln_l - whole
    slope = -weight * np.clip(r, -DELTA, DELTA)
    gradient = np.array([slope @ share[0], slope @ share[1], slope @ share[2],
                         -slope @ (share[0] * ln_n), -slope @ (share[1] * ln_d)])
    return np.sum(weight * huber(DELTA, r)) / DELTA**2, gradient / DELTA**2


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    data = os.environ.get("SCALELAW_TEST_DATA", "shared/data")
    parser.add_argument("--program", default="build/no-torch/bin/fit_benchmark")
    parser.add_argument("--csv", default=data + "/fits/epoch_chinchilla/svg_extracted_data.csv")
    parser.add_argument("--replicates", type=int, default=10)
    a = parser.parse_args()
    ln_n, ln_d, ln_l = read_rows(a.csv)
    start = np.array([np.log(OPTIMUM["A"]), np.log(OPTIMUM["B"]), np.log(OPTIMUM["E"]),
                      OPTIMUM["alpha"], OPTIMUM["beta"]])
    lines = subprocess.run([a.program, "replicates", str(a.replicates)], check=True,
                           capture_output=True, text=True).stdout.splitlines()
    ours, ours_ms, taken, above = [], [], {}, {}
    ways = {"L-BFGS-B, numeric gradient": (value, dict(method="L-BFGS-B")),
            "L-BFGS-B, exact gradient, scaled": (scaled, dict(method="L-BFGS-B", jac=True)),
            "BFGS, exact gradient, scaled": (scaled, dict(method="BFGS", jac=True))}
    for line in lines:
        cells = line.split()
        ours.append(float(cells[0]))
        ours_ms.append(float(cells[1]))
        weight = np.array(cells[2:], dtype=float)
        for name, (of, options) in ways.items():
            begin = time.process_time()
            found = minimize(of, start, args=(ln_n, ln_d, ln_l, weight), **options)
            taken.setdefault(name, []).append(1e3 * (time.process_time() - begin))
            f = value(found.x, ln_n, ln_d, ln_l, weight)
            above[name] = above.get(name, 0) + (f > ours[-1] * (1 + 1e-6))
    median = statistics.median(ours_ms)
    print(f"SciPy {scipy.__version__}, numpy {np.__version__}, {len(lines)} replicates")
    print(f"{'scalelaw':36} {median:9.3f} ms")
    for name, ms in taken.items():
        print(f"{name:36} {statistics.median(ms):9.3f} ms, {statistics.median(ms) / median:6.1f} "
              f"times, {above[name]} of {len(lines)} above scalelaw's F")


if __name__ == "__main__":
    main()
