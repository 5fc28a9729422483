#!/usr/bin/env python3
"""Step time of a plain PyTorch training loop: what `scalelaw-train bench` is compared with.

A nanoGPT-style Transformer (pre-norm, learned positions, tied head, tanh GELU, biases,
F.scaled_dot_product_attention) and an LSTM of nn.LSTM layers with residual and norm; torch.optim.AdamW
and clipping at norm 1; fresh random tokens each step. On a CPU eager, float32 and one thread unless told
otherwise, and the time is the process's CPU time (time.process_time), which a busy machine disturbs
less than wall time. On a GPU as nanoGPT trains there: autocast to bf16, TF32 for what stays float32,
the fused AdamW, tokens made on the device, --compile for torch.compile; ten steps between two
synchronisations, by wall time. The median is printed as one JSON line, with the keys of
`scalelaw-train bench`.

    python scripts/bench_reference.py                   the shapes of scripts/bench.py, one line each
    python scripts/bench_reference.py --layers 2 --width 32 --context 64 --batch 16 --vocab 256 \\
        --heads 2 --arch transformer --steps 30
    python scripts/bench_reference.py --device cuda --precision bf16 --compile --layers 12 ...
"""

import argparse
import json
import os
import resource
import statistics
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch starts its threads

import torch  # noqa: E402
import torch.nn as nn  # noqa: E402
import torch.nn.functional as F  # noqa: E402

from bench import SHAPES  # noqa: E402


class Block(nn.Module):
    def __init__(self, width, heads, bias):
        super().__init__()
        self.heads = heads
        self.norm_1, self.norm_2 = (nn.LayerNorm(width, bias=bias) for _ in range(2))
        self.qkv = nn.Linear(width, 3 * width, bias=bias)
        self.out = nn.Linear(width, width, bias=bias)
        self.up = nn.Linear(width, 4 * width, bias=bias)
        self.down = nn.Linear(4 * width, width, bias=bias)

    def forward(self, x):  # (B, T, W)
        q, k, v = (part.unflatten(-1, (self.heads, -1)).transpose(1, 2)
                   for part in self.qkv(self.norm_1(x)).split(x.shape[-1], dim=-1))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(y.transpose(1, 2).contiguous().view_as(x))
        return x + self.down(F.gelu(self.up(self.norm_2(x)), approximate="tanh"))


class LstmLayer(nn.Module):
    def __init__(self, width, bias):
        super().__init__()
        self.norm = nn.LayerNorm(width, bias=bias)
        self.lstm = nn.LSTM(width, width, batch_first=True)

    def forward(self, x):
        return x + self.lstm(self.norm(x))[0]


class ReferenceModel(nn.Module):
    def __init__(self, options):
        super().__init__()
        width, self.is_lstm = options.width, options.arch == "lstm"
        self.embedding = nn.Embedding(options.vocab, width)
        if self.is_lstm:
            layers = [LstmLayer(width, options.bias) for _ in range(options.layers)]
        else:
            self.position = nn.Embedding(options.context, width)
            layers = [Block(width, options.heads, options.bias) for _ in range(options.layers)]
        self.layers = nn.ModuleList(layers)
        self.final_norm = nn.LayerNorm(width, bias=options.bias)
        self.head = nn.Linear(width, options.vocab, bias=False)
        self.head.weight = self.embedding.weight
        for parameter in self.parameters():
            if parameter.dim() == 2:
                nn.init.normal_(parameter, std=0.02)

    def forward(self, tokens, targets):
        x = self.embedding(tokens)
        if not self.is_lstm:
            x = x + self.position(torch.arange(tokens.shape[1], device=tokens.device))
        for layer in self.layers:
            x = layer(x)
        logits = self.head(self.final_norm(x))
        return F.cross_entropy(logits.view(-1, logits.shape[-1]), targets.view(-1))


def weights_and_others(model):
    matrices = [p for p in model.parameters() if p.dim() == 2]
    others = [p for p in model.parameters() if p.dim() != 2]
    return [{"params": matrices, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}]


def measure(options):
    torch.manual_seed(1)
    on_gpu = options.device == "cuda"
    if on_gpu:
        torch.set_float32_matmul_precision("high")
    model = ReferenceModel(options).to(options.device)
    optimizer = torch.optim.AdamW(weights_and_others(model), lr=1e-3, betas=(0.9, 0.95),
                                  **({"fused": True} if on_gpu else {}))
    forward = torch.compile(model) if options.compile else model
    cast = torch.autocast(options.device, torch.bfloat16, enabled=options.precision == "bf16")

    def step():
        windows = torch.randint(options.vocab, (options.batch, options.context + 1),
                                device=options.device)
        with cast:
            loss = forward(windows[:, :-1].contiguous(), windows[:, 1:].contiguous())
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        return loss

    def finish():
        if on_gpu:
            torch.cuda.synchronize()

    at_once = 10 if on_gpu else 1
    for _ in range(options.warmup_steps):
        loss = step()
    finish()
    cpu_seconds, wall_seconds = [], []
    for _ in range(0, options.steps, at_once):
        cpu_start, wall_start = time.process_time(), time.perf_counter()
        for _ in range(at_once):
            loss = step()
        finish()
        cpu_seconds.append((time.process_time() - cpu_start) / at_once)
        wall_seconds.append((time.perf_counter() - wall_start) / at_once)
    assert torch.isfinite(loss)
    wall = statistics.median(wall_seconds)
    return {"step_cpu_seconds_median": statistics.median(cpu_seconds),
            "step_wall_seconds_median": wall,
            "tokens_per_second": options.batch * options.context / wall,
            "peak_memory_bytes": torch.cuda.max_memory_reserved() if on_gpu else
            1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
            "final_loss_nats": loss.item(),
            "torch": torch.__version__, "onednn": torch.backends.mkldnn.is_available()}


def main():
    parser = argparse.ArgumentParser(description="Step time of a plain PyTorch training loop.")
    for name in ("layers", "width", "context", "batch", "vocab", "heads"):
        parser.add_argument(f"--{name}", type=int)
    parser.add_argument("--arch", choices=["transformer", "lstm"], default="transformer")
    parser.add_argument("--steps", type=int, help="timed steps (default: the shape's, else 30)")
    parser.add_argument("--warmup-steps", type=int, default=5, help="untimed steps before (default 5)")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--precision", choices=["fp32", "bf16"], default="fp32",
                        help="bf16: under autocast")
    parser.add_argument("--compile", action="store_true", help="torch.compile")
    parser.add_argument("--bias", action=argparse.BooleanOptionalAction, default=True,
                        help="biases of linear maps and norms (default yes)")
    parser.add_argument("--json", action="store_true", help="accepted; the output is always JSON")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.set_num_interop_threads(1)
    given = options.width is not None
    for shape in [vars(options)] if given else SHAPES:
        chosen = {**vars(options), **shape, "steps": options.steps or shape.get("steps") or 30}
        missing = [name for name, value in chosen.items() if value is None]
        if missing:
            parser.error(f"a shape needs --{', --'.join(missing)} too")
        result = measure(argparse.Namespace(**chosen))
        described = {} if given else {"shape": shape["name"]}
        print(json.dumps(described | result), flush=True)


if __name__ == "__main__":
    main()
