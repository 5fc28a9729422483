#!/usr/bin/env python3
"""The schema that `scalelaw explain --schema` prints, by a validator of its own: every sweep file of
configs/ obeys it, and what the reader refuses as unknown does not.

    tests/house/schema_of_sweeps.py PROGRAM CONFIGS

Ends with 77 (skipped) without Debian's python3-jsonschema and python3-yaml.
"""

import json
import pathlib
import subprocess
import sys

try:
    import jsonschema
    import yaml
except ImportError as missing:
    print(f"skipped: {missing} (scripts/setup.sh --checks)")
    sys.exit(77)

program, configs = sys.argv[1], pathlib.Path(sys.argv[2])
schema = json.loads(subprocess.run([program, "explain", "--schema"], check=True,
                                   capture_output=True).stdout)
jsonschema.Draft7Validator.check_schema(schema)
validator = jsonschema.Draft7Validator(schema)


def faults(text):
    """Of a file, which has a spec and a name."""
    text += "" if "spec:" in text else "spec: 1\n"
    text += "" if text.startswith("name:") or "\nname:" in text else "name: s\n"
    return [f"{'.'.join(map(str, e.absolute_path))}: {e.message[:200]}"
            for e in validator.iter_errors(yaml.safe_load(text))]


failed = False
files = [file for file in sorted(configs.rglob("*.yaml")) if "devices" not in file.parts]
for file in files:
    for fault in faults(file.read_text()):
        print(f"{file}: {fault}")
        failed = True

GOOD = [
    "spec: 1\nname: s\ntrain.learning_rate: = 0.08 / sqrt(d_model)\n",
    "include: [a.yaml, b.yaml]\n",
    "model: {d_model: 64}\ntrain.optimizer: {beta2: 95%}\nhow: {checkpoint_every_seconds: auto}\n",
    "data: {train: x, test: {x: 128Ki, y: 1e6}}\nmodel.bias: false\n",
    "data.test.x: 5\nblocks: [{name: b, grid: {data.test.x: [5, 6]}}]\n",
    "ladder: {n: {from: 1e5, to: 1e8, per_decade: 3}, aspect: 32}\nseeds: {init: [1, 2]}\n",
    "blocks: [{name: b, grid: {model.d_model: [8, 16], model: {n_ctx: [8]}}, arms: [a]}]\n",
    "order: as_written\nbudget: {flops: 5e18, disk: 200GB, when_reached: start_nothing_new}\n",
    "blocks: [{name: b, isoflop: {budgets: [1e9], centre: {law: kaplan}, sizes: 5}}]\n",
    "isoflop: {budgets: [1e9], centre: {fit: fit.json}}\ncritical_batch: {fit: fit.json}\n",
    "tune: {learning_rate: {where: N <= 1e6, factors: [0.5, 1, 2], then: fit_law}}\n",
    "hold_out: {where: N > 3e7, register: hero}\n",
    "keep: {resume_state: until_complete, weights: hold_out}\nhold_out: {where: N > 3, register: x}\n",
    "tune: {learning_rate: {factors: [0.5, 1, 2], then: fit_law}}\nhow.keep: weights\n",
    "executor: {profile: gpu, device: cuda, jobs: 2, replicas: auto, time_limit: 8h}\n",
]
BAD = [
    "modle: {d_model: 64}\n",
    "model: {d_modl: 64}\n",
    "model.d_model: [64]\n",
    "model: {position: rotarry}\n",
    "spec: 2\n",
    "blocks: [{grid: {model.d_model: [8]}}]\n",
    "blocks: [{name: b, grid: {model.d_model: 8}}]\n",
    "arms: {a: {grid: {seeds.init: [1]}}}\n",
    "isoflop: {budgets: [1e9], centre: {law: chinchila}}\n",
    "isoflop: {budgets: [1e9], centre: {law: kaplan, fit: fit.json}}\n",
    "critical_batch: {fits: fit.json}\n",
    "tune: {learning_rate: {wher: N <= 1e6}}\n",
    "ladder: {n: {from: 1e5, too: 1e8}}\n",
    "train: {learning_rate: fast}\n",
    "order: biggest_first\n",
    "budget: {flop: 1}\n",
    "keep: {weights: some}\n",
    "keep: {resume: always}\n",
    "blocks: [{name: b, keep: {weights: none}}]\n",
    "how: {keep: all}\n",
    "executor: {workers: 4}\n",
    "executor: {device: gpu}\n",
    "executor: {jobs: all}\n",
    "executor.jobs: 2\n",
    "blocks: [{name: b, executor: {jobs: 2}}]\n",
    "isoflop.budgets: [1]\n",
    "arms: {a: {seeds: {init: [1, 2]}}}\n",
]
for text in GOOD:
    for fault in faults(text):
        print(f"refused: {text!r}: {fault}")
        failed = True
for text in BAD:
    if not faults(text):
        print(f"taken: {text!r}")
        failed = True
print(f"{len(files)} files, {len(GOOD)} good and {len(BAD)} bad texts")
sys.exit(1 if failed or not files else 0)
