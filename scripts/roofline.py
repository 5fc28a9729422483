#!/usr/bin/env python3
"""How near the training step comes to the matrix products' ceiling, from 0.1 M to 350 M parameters.

    scripts/roofline.py [--device cpu|cuda] [--step device] [--precision fp32|bf16] [--arch lstm] [--only 10M]
                        [--peak-tflops 989]

One `scalelaw bench` a shape, one thread on a CPU. The ceiling is what a product of 1,024 (on a GPU
8,192) cubed of the same precision reaches on the same device in the same process; FLOPs are exact_causal
(masked scores not counted). N is without embeddings and head. Prints Markdown for
docs/performance.md. Needs Python 3 alone.
"""

import datetime
import pathlib
import sys

from bench import chosen, measure, options_of_all, processor

# The batch on a GPU is what fills it, on a CPU what a step of seconds allows.
SHAPES = [
    dict(name="0.1M", layers=2, width=64, heads=2, context=128, vocab=256, cpu=16, cuda=256),
    dict(name="1M", layers=5, width=128, heads=4, context=256, vocab=1024, cpu=8, cuda=128),
    dict(name="10M", layers=6, width=384, heads=6, context=256, vocab=1024, cpu=4, cuda=64),
    dict(name="124M", layers=12, width=768, heads=12, context=1024, vocab=50304, cpu=1, cuda=16),
    dict(name="350M", layers=24, width=1024, heads=16, context=1024, vocab=50304, cpu=1, cuda=8),
]
STEPS = {"0.1M": 60, "1M": 15, "10M": 8, "124M": 2, "350M": 1}


def command(options, shape):
    words = [options.program, "bench", "--arch", options.arch, "--device", options.device,
             "--precision", options.precision, "--json", "--threads", "1",
             "--step", options.step or ("eager" if options.device == "cpu" else "graph"),
             "--batch", str(shape[options.device])]
    for key in ("layers", "width", "heads", "context", "vocab"):
        words += [f"--{key}", str(shape[key])]
    steps = STEPS[shape["name"]] if options.device == "cpu" else 30
    warmup = 1 if options.device == "cpu" and shape["width"] >= 768 else 5
    return words + ["--steps", str(steps), "--warmup", str(warmup)]


def main():
    parser = options_of_all("The training step against the products' ceiling.")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--step", choices=["eager", "device", "graph"],
                        help="default: eager on a CPU, graph on a GPU")
    parser.add_argument("--peak-tflops", type=float, default=0,
                        help="of the device by its data sheet (bench --help), for a column of shares")
    options = parser.parse_args()
    shapes = chosen(SHAPES, options, parser)
    where = processor() if options.device == "cpu" else "GPU"
    print(f"{options.arch}, {options.precision}, {where}, {datetime.date.today()}\n")
    peak = 1e12 * options.peak_tflops
    more = f" of {options.peak_tflops:g} TFLOP/s |" if peak else ""
    print(f"| N | shape | ms a step | tokens/s | GFLOP/s | of the ceiling | peak memory |{more}")
    print(f"|---|---|---|---|---|---|---|{'---|' if peak else ''}")
    for shape in shapes:
        result = measure(command(options, shape))
        rate = result["flops_per_second_exact_causal"]
        ceiling = result["ceiling_flops_per_second"]
        print(f"| {shape['name']} | L{shape['layers']} d{shape['width']} T{shape['context']} "
              f"B{shape[options.device]} V{shape['vocab']} "
              f"| {1e3 * result['step_wall_seconds_median']:,.1f} "
              f"| {result['tokens_per_second']:,.0f} | {1e-9 * rate:,.1f} "
              f"| {100 * rate / ceiling:.0f}% of {1e-9 * ceiling:,.0f} "
              f"| {1e-9 * result['peak_memory_bytes']:.2f} GB |"
              f"{f' {100 * rate / peak:.1f}% |' if peak else ''}")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
