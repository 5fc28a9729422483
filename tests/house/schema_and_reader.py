#!/usr/bin/env python3
"""The schema that `scalelaw explain --schema` prints and the reader of sweep files agree: on each
text below both say yes or both say no, but for those of LOOSER, which the reader alone refuses, and
of STRICTER, which the schema alone does.

    tests/house/schema_and_reader.py PROGRAM

Ends with 77 (skipped) without Debian's python3-jsonschema and python3-yaml.
"""

import json
import pathlib
import re
import subprocess
import sys
import tempfile

try:
    import jsonschema
    import yaml
except ImportError as missing:
    print(f"skipped: {missing} (scripts/setup.sh --checks)")
    sys.exit(77)

program = sys.argv[1]
BASE = ["spec: 1", "name: s", "data: {train: tiny, test: {tiny: 256}}",
        "model: {n_ctx: 16, n_layer: 1, d_model: 32, n_head: 2}", "train: {batch_tokens: 64}",
        "horizon: {tokens: 4096}", "evaluate: {tokens: 64}"]
SIZES = "model: {n_ctx: 16, n_head: 2}\n"  # a ladder chooses the rest

GOOD = [
    "name: 5", "name: a.b-c_1", "name: true", "name: 1.5", "blocks: [{name: false}]",
    "arms: {1: {}, true: {}}", "spec: 1", "spec: '1'",
    "horizon: {tokens: 4k}", "horizon: {steps: 64}", "horizon: {steps: = 8 * 8}",
    "horizon: {tokens_per_param: .5}", "horizon: {flops: 1e9, count: six_n}",
    "model: {n_ctx: 16, d_model: = 8 * n_head, n_head: 4, n_layer: 0}",
    "train: {batch_tokens: 64, learning_rate: 2%, optimizer: {beta2: 0, weight_decay: 0}}",
    "train.learning_rate: '= 0.1 / sqrt(d_model)'", "train.learning_rate: 5.",
    "train: {batch_tokens: 64, schedule: {warmup: 10%, final: 1}}",
    "evaluate: {tokens: 64, points_per_decade: 0, noise_scale_every: 0}",
    "seeds: {init: 0, data: 7}", "seeds: {init: [1, 2]}",
    "model.bias: false", "how: {checkpoint_every_seconds: auto, progress_every_seconds: 5m}",
    "how.keep: weights", "order: longest_first",
    "budget: {flops: 1e18, device_hours: 3, disk: 200GB}", "budget: {disk: 2GiB, price: 5}",
    "budget: {flops: 5P, when_reached: start_nothing_new}",
    "keep: {resume_state: until_complete, weights: none}", "keep: {weights: all}",
    "executor: {jobs: 1, replicas: auto, device: cpu, time_limit: 8h}",
    "arms: {a: {}, b: {model: {arch: lstm}}}",
    "arms: {a: {horizon: {steps: 9}}}",
    "grid: {model.d_model: [16, 32], seeds: {init: [1]}}", "zip: {seeds.init: [1, 2]}",
    "list: [{seeds.init: 1}, {model.d_model: 16}]",
    "arms: {a: {}}\nblocks: [{name: b, arms: [a], grid: {seeds.init: [1]}}]",
    SIZES + "ladder: {n: 5k}", SIZES + "ladder: {n: [5k, 9k], d_head: 8, width_multiple: 2}",
    SIZES + "ladder: {n: {from: 5k, to: 9k, sizes: 2}, aspect: 16}",
    SIZES + "ladder: {n: {from: 5k, to: 90k, per_decade: 1.5}, count: total}",
    SIZES + "isoflop: {budgets: [1e9], centre: = 0.3 * budget^0.5, sizes: 3, spacing: 1.5}\n"
    "horizon: {}",
    "tune: {learning_rate: {factors: [0.5, 1, 2], then: fit_law, seeds: [1001], "
    "extend_at_edge: 0}}",
    "tune: {learning_rate: {where: N > 1, factors: [50%, 1, 2]}}",
    "tune: {learning_rate: {where: 1, factors: [0.5, 1, 2]}}", "seeds: {init: [1, 1]}",
    "grid: {model.d_model: [16, 32]}\nhold_out: {where: N > 4k, register: large}",
    "grid: {model.d_model: [16, 32]}\nhold_out: {where: N > 4k, register: true}",
    "budget: {disk: 100%}", "horizon: {steps: 6400%}",
    SIZES + "ladder: {n: 5k, width_multiple: 800%, d_ff_multiple: 100%}",
]
BAD = [
    "name: ''", "name: a/b", "name: .a", "spec: 2", "spec: one", "modle: {n_ctx: 8}",
    "horizon: {tokens: -5}", "horizon: {tokens: 2.5}", "horizon: {tokens: 0}",
    "horizon: {tokens: lots}", "horizon: {tokens: [1, 2]}", "horizon: 5",
    "horizon: {tokens: 4k, steps: 64}", "horizon: {flops: 0}", "horizon: {tokens_per_param: -1}",
    "horizon.tokens: 4k\nhorizon.flops: 1e9",
    "arms: {a: {horizon: {steps: 9, flops: 1e9}}}",
    "model: {n_ctx: 16, n_layer: -1}", "model: {n_ctx: 16, n_layer: 1.5}",
    "model: {n_ctx: 16, n_layer: true}", "model: {n_ctx: 16, n_layer: ''}",
    "model: {n_ctx: 16, arch: rnn}", "model: {n_ctx: 16, bias: 3}",
    "model: {n_ctx: 16, d_ff_ratio: 0}",
    "train.learning_rate: -1", "train.learning_rate: 0", "train.learning_rate: 1e-2X",
    "train: {batch_tokens: 64, optimizer: {beta2: 1}}",
    "train: {batch_tokens: 64, optimizer: {beta2: 1.5}}",
    "train: {batch_tokens: 64, schedule: {warmup: 2}}",
    "seeds: {init: -1}", "seeds: {init: [1, a]}", "seeds: {init: []}",
    "evaluate: {tokens: 0}", "evaluate: {tokens: 8 Ki}", "data: {train: tiny, test: {tiny: 0}}",
    "how.keep: all", "how: {checkpoint_every_seconds: soon}",
    "order: x", "budget: {flops: -1}", "budget: {disk: 200XB}", "budget: {flop: 1}", "budget: {}",
    "keep: {resume_state: never}", "keep: {}", "keep: {weights: some}",
    "executor: {jobs: -1}", "executor: {jobs: 1.5}", "executor: {time_limit: 8 hours}",
    "executor: {replicas: 0}", "executor: {workers: 2}", "executor: {}",
    "include: []", "include: {file: a}",
    "arms: {}", "arms: [a]", "arms: {a b: {}}", "arms: {a: {grid: {seeds.init: [1]}}}",
    "arms: {a: {ladder: {n: [1k, 2k]}}}",
    "blocks: []", "blocks: [{grid: {seeds.init: [1]}}]", "blocks: [{name: 'a b'}]",
    "blocks: [{name: a, budget: {flops: 1}}]", "blocks: [{name: a}]\ngrid: {seeds.init: [1]}",
    "grid: {}", "zip: {}", "list: []", "grid: {seeds.init: []}", "grid: {seeds.init: 1}",
    "grid: {seeds.init: [-1]}",
    SIZES + "ladder: {}", SIZES + "ladder: {n: 0}", SIZES + "ladder: {n: 5k, times: 0}",
    SIZES + "ladder: {n: 5k, width_multiple: 1.5}", "model: {n_ctx: 16}\nladder: {n: 5k, d_head: 0.5}",
    SIZES + "ladder: {n: {from: 5k}}", SIZES + "ladder: {n: {from: 5k, to: 9k}}",
    SIZES + "ladder: {n: {from: 5k, to: 9k, sizes: 2.5}}",
    SIZES + "ladder: {n: {from: 5k, to: 9k, sizes: 2, per_decade: 1}}",
    SIZES + "ladder: {n: {from: 5k, to: 9k, per_decade: 0}}", SIZES + "ladder: {n: []}",
    SIZES + "isoflop: {centre: 3000}", SIZES + "isoflop: {budgets: 1e9}", SIZES + "isoflop: {}",
    SIZES + "isoflop: {budgets: [], centre: 3000}",
    SIZES + "isoflop: {budgets: 1e9, centre: 3000, sizes: 2.5}",
    SIZES + "isoflop: {budgets: 1e9, centre: 3000, spacing: 1}",
    SIZES + "isoflop: {budgets: 1e9, centre: {law: x}}",
    "critical_batch: {}", "critical_batch: x",
    "tune: {}", "tune: {learning_rate: {}}", "tune: {learning_rate: {factors: [1, 2]}}",
    "tune: {learning_rate: {factors: [1, 2, -3]}}", "tune: {learning_rate: {factors: [1, 2, a]}}",
    "tune: {learning_rate: {factors: [1, 2, 3], then: fit}}",
    "tune: {learning_rate: {factors: [1, 2, 3], extend_at_edge: -1}}",
    "tune: {learning_rate: {factors: [1, 2, 3], extend_at_edge: 21}}",
    "tune: {learning_rate: {factors: [1, 2, 3], seeds: []}}",
    "tune: {learning_rate: {factors: [1, 2, 3], seeds: 1001}}",
    "tune: {learning_rate: {where: = N > 1, factors: [1, 2, 3]}}",
    "tune.learning_rate: {factors: [1, 2, 3]}", "tune: {learning_rate.factors: [1, 2, 3]}",
    "hold_out: {where: N > 1k}", "hold_out: {register: x}",
    "hold_out: {where: N > 1k, register: a b}",
    "name: -1", "name: .inf", "arms: {-1: {}}", "train.learning_rate: .inf",
    "train.learning_rate: -.inf", "train: {batch_tokens: 64, optimizer: {weight_decay: .inf}}",
    "evaluate: {tokens: 64, points_per_decade: .inf}", "horizon: {flops: .inf}",
    "horizon: {tokens: .inf}", "horizon: {tokens: .nan}", "budget: {flops: .inf}",
    SIZES + "ladder: {n: .inf}", SIZES + "isoflop: {budgets: [.inf], centre: 3000}",
    "horizon: {tokens: 6400%}", "horizon: {steps: -100%}", "seeds: {init: 100%}",
    "data: {train: tiny, test: {tiny: 25600%}}", "executor: {jobs: 100%}",
    "evaluate: {tokens: 64, noise_scale_every: 100%}", "seeds: {init: 9007199254740992}",
    "executor: {jobs: 99999}", SIZES + "ladder: {n: {from: 5k, to: 9k, sizes: 20000}}",
    SIZES + "isoflop: {budgets: 1e9, centre: 3000, sizes: 200%}",
    "tune: {learning_rate: {factors: [1, 1, 2]}}",
    "tune: {learning_rate: {factors: [0.5, 1, 2], seeds: [7, 7]}}",
    "tune: {learning_rate: {factors: [0.5, 1, 2], seeds: [100%]}}",
    "tune: {learning_rate: {factors: [0.5, 1, 2], extend_at_edge: 100%}}",
    "tune: {learning_rate: {where: 3, factors: [0.5, 1, 2]}}", SIZES + "ladder: {n: true}",
    "model: {n_ctx: 16}\nladder: {n: 5k, d_head: auto}",
]
# What a schema cannot see: the text of an expression or a name's meaning, what two keys are
# together, a bound of what is written as text (a letter behind the digits, or 1e9, which many
# readers of YAML take for a text), the largest sizes of a ladder, .nan, which is beyond no bound, and
# what YAML makes of a value before a schema sees it.
LOOSER = [
    "train.learning_rate: = 2 *", "hold_out: {where: N > > 1, register: x}",
    "hold_out: {where: N > 1e12, register: x}", "model: {n_ctx: 16, d_model: 15, n_head: 2}",
    "zip: {seeds.init: [1, 2], seeds.data: [1]}", "data: {train: nowhere}",
    "horizon: {tokens: 4k}\nhorizon.steps: 64", "horizon: {tokens: 4k, count: total}",
    "horizon: {tokens: 0k}", "model: {n_ctx: 16, n_layer: 1e12}",
    "train: {batch_tokens: 64, schedule: {warmup: 200%}}", "evaluate: {tokens: 1.00001k}", "model: {n_ctx: 16, n_layer: 0x2}",
    "model: {n_ctx: 16, n_layer: +2}", "model: {n_ctx: 16, bias: yes}",
    "budget: {when_reached: refuse}", "keep: {weights: none}",
    "tune: {learning_rate: {factors: [1, 1.01, 2]}}",
    "tune: {learning_rate: {factors: [0.5, 1, 2], seeds: [7, '7']}}",
    "tune: {learning_rate: {where: 1k, factors: [0.5, 1, 2]}}",
    "arms: {a: {}}\nblocks: [{name: b, arms: [c]}]", "blocks: [{name: a}, {name: a}]",
    SIZES + "ladder: {n: 5k, width_multiple: 2000000}", SIZES + "ladder: {n: 2e15}",
    "name: .nan", "train.learning_rate: .nan", "budget: {disk: .nan}",
    "ladder: {n: [5k, 9k]}\nblocks: [{name: a}]",
]
# What YAML makes a date of before a schema sees it, and what no cell reads.
STRICTER = ["name: 2026-11-23", SIZES + "ladder: {n: 5k, d_head: 0}"]


def whole(text):
    """With what the text leaves out of a sweep that can be planned."""
    own = {line.split(":")[0].split(".")[0] for line in text.splitlines()}
    dotted = {line.split(":")[0] for line in text.splitlines() if "." in line.split(":")[0]}
    kept = own - {key.split(".")[0] for key in dotted}
    lines = [line for line in BASE if line.split(":")[0] not in kept]
    if any(key.startswith("horizon.") for key in dotted) or "isoflop:" in text:
        lines = [line for line in lines if not line.startswith("horizon:")]
    text = re.sub(r"^horizon: \{\}$", "", text, flags=re.MULTILINE)
    return "\n".join(lines + [text]) + "\n"


schema = json.loads(subprocess.run([program, "explain", "--schema"], check=True,
                                   capture_output=True).stdout)
validator = jsonschema.Draft7Validator(schema)
failed = 0
with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    for i in range(40):
        (folder / f"text{i}.txt").write_text(f"what is written here is number {i}. " * 40)
    subprocess.run([program, "data", "build", *sorted(folder.glob("*.txt")), "--name", "tiny",
                    "--tokenizer", "bytes", "--test", "20%", "--val", "20%", "--quiet", "--data",
                    folder / "data"], check=True, capture_output=True)
    file = folder / "sweep.yaml"

    def reader_takes(text):
        file.write_text(text)
        plan = subprocess.run([program, "sweep", "plan", file, "--runs", folder / "runs", "--data",
                               folder / "data", "--profile", "none"], capture_output=True,
                              text=True)
        if plan.returncode not in (0, 2):
            raise SystemExit(f"{text}: exit {plan.returncode}: {plan.stderr}")
        return plan.returncode == 0, plan.stderr.strip()

    for texts, by_schema, by_reader in ((GOOD, True, True), (BAD, False, False),
                                        (LOOSER, True, False), (STRICTER, False, True)):
        for text in texts:
            faults = [error.message[:200] for error in validator.iter_errors(
                yaml.safe_load(whole(text)))]
            taken, said = reader_takes(whole(text))
            if (not faults, taken) != (by_schema, by_reader):
                failed += 1
                print(f"{text!r}: the schema says {faults or 'yes'}, the reader {said or 'yes'}")

print(f"{len(GOOD)} good and {len(BAD)} bad texts, {len(LOOSER)} that the reader alone refuses, "
      f"{len(STRICTER)} that the schema alone does")
sys.exit(1 if failed else 0)
