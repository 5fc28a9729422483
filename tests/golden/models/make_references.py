#!/usr/bin/env python3
"""Writes the golden files that the C++ models and optimizer are compared with.

Plain torch.nn implementations, written from the papers and PyTorch's documentation and sharing no
code with models/ or trainer/. Weights are random float32 numbers, never degenerate ones (norm
gains are not 1, biases not 0, residual outputs not 0); everything is then computed in float64 and
stored as float32, so that the reference's own error is half a float32 ulp.

Renew (only when a convention below changes; needs torch, numpy and safetensors):
    python tests/golden/models/make_references.py
The same library versions write the same bytes. `--check` writes nothing and compares instead.

models/<case>.safetensors   B windows, T tokens, W d_model, F d_ff, V n_vocab
    weight.<name>, gradient.<name>   F32, names and layouts below; gradient of `loss`
    tokens, targets                  I64 (B, T)
    logits                           F32 (B, T, V)
    loss                             F32 (1): mean cross-entropy over the B*T targets, in nats
    metadata: arch, n_layer, d_model, d_ff_ratio, n_head, n_ctx, n_vocab, position, embeddings, bias
Names; a linear map's weight is [in, out]:
    embedding.weight [V, W]; position.weight [n_ctx, W] (position: learned only)
    blocks.<i>.norm_1.gain|bias [W]; blocks.<i>.attention.qkv.weight [W, 3W] (columns: all heads of
    q, then of k, then of v), .bias [3W]; blocks.<i>.attention.out.weight [W, W], .bias
    blocks.<i>.norm_2.gain|bias; blocks.<i>.mlp.up.weight [W, F], .bias; .mlp.down.weight [F, W], .bias
    layers.<i>.norm.gain|bias [W]; layers.<i>.input.weight, .hidden.weight [W, 4W];
    layers.<i>.bias [4W] (gates i, f, g, o as nn.LSTM; its b_ih, with b_hh = 0)
    final_norm.gain|bias [W]; head.weight [W, V] (untied only; a head never has a bias)
bias = false removes every bias, a norm's included. LayerNorm's eps is 1e-5. Rotary: pairs
(j, j + d_head/2), angle = position * 10000^(-2j/d_head). GELU is the tanh form. A Transformer block
is x += attention(norm_1(x)); x += mlp(norm_2(x)); an LSTM layer is x += lstm(norm(x)), state 0 first.

adamw.safetensors   clip by global norm, AdamW, linear warm-up and cosine, 20 steps from given
gradients. `matrix` is decayed, `vector` is not.
    initial.<p> F32 [...]; gradient.<p>, value.<p> F32 [20, ...]: before clipping; after the update
    learning_rate, gradient_norm F64 [20]: of each update; before clipping
    metadata: learning_rates (the list), peak, warmup, final, steps, beta1, beta2, eps,
              weight_decay, clip_norm

training/<arch>.safetensors   a model trained for 40 steps of float64, as above; a model case's
metadata and the optimizer's. Matrices but the embeddings are decayed.
    initial.<name> F32; tokens, targets I64 (40, B, T): windows of a Markov chain
    loss, gradient_norm F64 [40]: of each step, before its update; before clipping
"""

import argparse
import json
import math
import pathlib

import torch
import torch.nn as nn
import torch.nn.functional as F
from safetensors.torch import load_file, save_file

GOLDEN = pathlib.Path(__file__).resolve().parent.parent

CASES = {
    "transformer_learned_tied_bias": dict(
        arch="transformer", n_layer=2, d_model=16, d_ff_ratio=4, n_head=2, n_ctx=16, n_vocab=48,
        position="learned", embeddings="tied", bias=True, batch=2, tokens=16),
    "transformer_rotary_untied_no_bias": dict(
        arch="transformer", n_layer=2, d_model=16, d_ff_ratio=4, n_head=4, n_ctx=16, n_vocab=32,
        position="rotary", embeddings="untied", bias=False, batch=2, tokens=16),
    "transformer_rotary_odd_sizes": dict(
        arch="transformer", n_layer=1, d_model=20, d_ff_ratio=3, n_head=2, n_ctx=12, n_vocab=37,
        position="rotary", embeddings="tied", bias=True, batch=3, tokens=9),
    "transformer_one_head_short_window": dict(
        arch="transformer", n_layer=1, d_model=12, d_ff_ratio=1.5, n_head=1, n_ctx=11, n_vocab=23,
        position="learned", embeddings="untied", bias=True, batch=3, tokens=7),
    "transformer_no_layers": dict(
        arch="transformer", n_layer=0, d_model=12, d_ff_ratio=4, n_head=1, n_ctx=8, n_vocab=29,
        position="learned", embeddings="tied", bias=True, batch=2, tokens=8),
    "lstm_one_layer_tied": dict(
        arch="lstm", n_layer=1, d_model=16, d_ff_ratio=4, n_head=1, n_ctx=16, n_vocab=48,
        position="rotary", embeddings="tied", bias=True, batch=2, tokens=16),
    "lstm_two_layers_untied": dict(
        arch="lstm", n_layer=2, d_model=12, d_ff_ratio=4, n_head=1, n_ctx=16, n_vocab=31,
        position="rotary", embeddings="untied", bias=True, batch=3, tokens=13),
}


def rotate(x):  # (B, H, T, d_head)
    tokens, d_head = x.shape[-2:]
    frequency = 10000.0 ** (-2.0 * torch.arange(d_head // 2, dtype=x.dtype) / d_head)
    angle = torch.arange(tokens, dtype=x.dtype)[:, None] * frequency  # (T, d_head/2)
    first, second = x.chunk(2, dim=-1)
    return torch.cat([first * angle.cos() - second * angle.sin(),
                      second * angle.cos() + first * angle.sin()], dim=-1)


class Attention(nn.Module):
    def __init__(self, case):
        super().__init__()
        width = case["d_model"]
        self.n_head, self.rotary = case["n_head"], case["position"] == "rotary"
        self.qkv = nn.Linear(width, 3 * width, bias=case["bias"])
        self.out = nn.Linear(width, width, bias=case["bias"])

    def forward(self, x):
        q, k, v = (part.unflatten(-1, (self.n_head, -1)).transpose(1, 2)
                   for part in self.qkv(x).chunk(3, dim=-1))
        if self.rotary:
            q, k = rotate(q), rotate(k)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.out(y.transpose(1, 2).flatten(-2))


class Mlp(nn.Module):
    def __init__(self, case):
        super().__init__()
        width, d_ff = case["d_model"], round(case["d_ff_ratio"] * case["d_model"])
        self.up = nn.Linear(width, d_ff, bias=case["bias"])
        self.down = nn.Linear(d_ff, width, bias=case["bias"])

    def forward(self, x):
        return self.down(F.gelu(self.up(x), approximate="tanh"))


class Block(nn.Module):
    def __init__(self, case):
        super().__init__()
        self.norm_1 = nn.LayerNorm(case["d_model"], eps=1e-5, bias=case["bias"])
        self.attention = Attention(case)
        self.norm_2 = nn.LayerNorm(case["d_model"], eps=1e-5, bias=case["bias"])
        self.mlp = Mlp(case)

    def forward(self, x):
        x = x + self.attention(self.norm_1(x))
        return x + self.mlp(self.norm_2(x))


class LstmLayer(nn.Module):
    def __init__(self, case):
        super().__init__()
        self.norm = nn.LayerNorm(case["d_model"], eps=1e-5, bias=case["bias"])
        self.lstm = nn.LSTM(case["d_model"], case["d_model"], batch_first=True)

    def forward(self, x):
        return x + self.lstm(self.norm(x))[0]


class ReferenceModel(nn.Module):
    def __init__(self, case):
        super().__init__()
        width, vocabulary = case["d_model"], case["n_vocab"]
        self.embedding = nn.Embedding(vocabulary, width)
        if case["arch"] == "transformer" and case["position"] == "learned":
            self.position = nn.Embedding(case["n_ctx"], width)
        if case["arch"] == "transformer":
            self.blocks = nn.ModuleList(Block(case) for _ in range(case["n_layer"]))
        else:
            self.layers = nn.ModuleList(LstmLayer(case) for _ in range(case["n_layer"]))
        self.final_norm = nn.LayerNorm(width, eps=1e-5, bias=case["bias"])
        self.head = nn.Linear(width, vocabulary, bias=False)
        if case["embeddings"] == "tied":
            self.head.weight = self.embedding.weight

    def forward(self, tokens):  # (B, T) -> (B, T, V)
        x = self.embedding(tokens)
        if hasattr(self, "position"):
            x = x + self.position(torch.arange(tokens.shape[1]))
        for layer in self.blocks if hasattr(self, "blocks") else self.layers:
            x = layer(x)
        return self.head(self.final_norm(x))


def our_name(torch_name):
    """The project's name of a torch parameter, and whether its layout is transposed."""
    lstm = {"lstm.weight_ih_l0": "input.weight", "lstm.weight_hh_l0": "hidden.weight",
            "lstm.bias_ih_l0": "bias"}
    for theirs, ours in lstm.items():
        if torch_name.endswith(theirs):
            return torch_name.removesuffix(theirs) + ours, ours != "bias"
    parent, leaf = torch_name.rsplit(".", 1)
    if "norm" in parent:
        return f"{parent}.{'gain' if leaf == 'weight' else 'bias'}", False
    return torch_name, leaf == "weight" and parent not in ("embedding", "position")


@torch.no_grad()
def fill(model, generator):
    for name, parameter in model.named_parameters():
        noise = torch.randn(parameter.shape, generator=generator, dtype=torch.float32)
        if name.endswith("bias_hh_l0"):
            noise.zero_()  # the project has one bias a gate
        elif parameter.dim() == 2:
            fan_in = 1 if name.startswith(("embedding", "position")) else parameter.shape[1]
            noise *= (1.5 if "lstm" in name else 0.7) / math.sqrt(fan_in)
        else:
            gain = "norm" in name and name.endswith("weight")
            noise = 1.0 + 0.3 * noise if gain else 0.3 * noise
        parameter.copy_(noise)


def model_reference(case, seed):
    generator = torch.Generator().manual_seed(seed)
    model = ReferenceModel(case).double()
    fill(model, generator)
    shape = (case["batch"], case["tokens"])
    tokens, targets = (torch.randint(case["n_vocab"], shape, generator=generator) for _ in range(2))
    logits = model(tokens)
    loss = F.cross_entropy(logits.flatten(0, 1), targets.flatten())
    loss.backward()
    tensors = {"tokens": tokens, "targets": targets, "logits": logits.detach().float(),
               "loss": loss.detach().float().reshape(1)}
    for name, parameter in model.named_parameters():  # a tied weight is listed once
        if name.endswith("bias_hh_l0"):
            continue
        ours, transposed = our_name(name)
        for kind, value in (("weight", parameter.detach()), ("gradient", parameter.grad)):
            tensors[f"{kind}.{ours}"] = (value.T if transposed else value).float().contiguous()
    metadata = {key: str(value).lower() for key, value in case.items()
                if key not in ("batch", "tokens")}
    return tensors, metadata


def learning_rate(update, steps, peak, warmup, final):
    """Rate of 0-based `update`: linear to `peak`, then cosine to final*peak at the last one."""
    warmup_steps = round(warmup * steps)
    if update < warmup_steps:
        return peak * (update + 1) / warmup_steps
    progress = (update - warmup_steps) / max(1, steps - 1 - warmup_steps)
    return peak * (final + (1 - final) * 0.5 * (1 + math.cos(math.pi * progress)))


def optimizer_reference(seed, steps=20, peak=0.05, warmup=0.2, final=0.1, beta1=0.9, beta2=0.95,
                        eps=1e-8, weight_decay=0.1, clip_norm=1.0):
    generator = torch.Generator().manual_seed(seed)
    shapes = {"matrix": (3, 5), "vector": (7,)}
    parameters = {name: nn.Parameter(torch.randn(shape, generator=generator).double())
                  for name, shape in shapes.items()}
    tensors = {f"initial.{name}": p.detach().float() for name, p in parameters.items()}
    optimizer = torch.optim.AdamW([{"params": [parameters["matrix"]], "weight_decay": weight_decay},
                                   {"params": [parameters["vector"]], "weight_decay": 0.0}],
                                  betas=(beta1, beta2), eps=eps)
    rates, norms = [], []
    history = {f"{kind}.{name}": [] for kind in ("gradient", "value") for name in shapes}
    for step in range(steps):
        rates.append(learning_rate(step, steps, peak, warmup, final))
        for group in optimizer.param_groups:
            group["lr"] = rates[-1]
        scale = 0.1 if step % 3 == 0 else 1.0  # norms on both sides of clip_norm
        for name, parameter in parameters.items():
            gradient = scale * torch.randn(parameter.shape, generator=generator)
            history[f"gradient.{name}"].append(gradient)
            parameter.grad = gradient.double()
        norms.append(nn.utils.clip_grad_norm_(parameters.values(), clip_norm).item())
        optimizer.step()
        for name, parameter in parameters.items():
            history[f"value.{name}"].append(parameter.detach().float().clone())
    tensors |= {name: torch.stack(values) for name, values in history.items()}
    tensors["learning_rate"] = torch.tensor(rates, dtype=torch.float64)
    tensors["gradient_norm"] = torch.tensor(norms, dtype=torch.float64)
    settings = dict(learning_rates=rates, peak=peak, warmup=warmup, final=final, steps=steps,
                    beta1=beta1, beta2=beta2, eps=eps, weight_decay=weight_decay,
                    clip_norm=clip_norm)
    return tensors, {key: json.dumps(value) for key, value in settings.items()}


def markov_windows(case, steps, generator):
    """(steps, B, T + 1): each token has a usual successor, which follows four times in five."""
    vocabulary = case["n_vocab"]
    successor = torch.randperm(vocabulary, generator=generator)
    windows = torch.randint(vocabulary, (steps, case["batch"], case["tokens"] + 1),
                            generator=generator)
    usual = torch.rand(windows.shape, generator=generator) < 0.8
    for t in range(1, windows.shape[-1]):
        windows[..., t] = torch.where(usual[..., t], successor[windows[..., t - 1]],
                                      windows[..., t])
    return windows


def training_reference(case, seed, steps=40, peak=0.02, warmup=0.1, final=0.1, beta1=0.9,
                       beta2=0.95, eps=1e-8, weight_decay=0.1, clip_norm=1.0):
    generator = torch.Generator().manual_seed(seed)
    model = ReferenceModel(case).double()
    fill(model, generator)
    windows = markov_windows(case, steps, generator)
    tokens, targets = windows[..., :-1].contiguous(), windows[..., 1:].contiguous()
    tensors = {"tokens": tokens, "targets": targets}
    trained = {name: p for name, p in model.named_parameters() if not name.endswith("bias_hh_l0")}
    for name, parameter in trained.items():
        ours, transposed = our_name(name)
        value = parameter.detach()
        tensors[f"initial.{ours}"] = (value.T if transposed else value).float().contiguous()
    decayed = [p for name, p in trained.items()
               if p.dim() == 2 and not name.startswith(("embedding", "position"))]
    others = [p for p in trained.values() if not any(p is other for other in decayed)]
    optimizer = torch.optim.AdamW([{"params": decayed, "weight_decay": weight_decay},
                                   {"params": others, "weight_decay": 0.0}],
                                  betas=(beta1, beta2), eps=eps)
    losses, norms = [], []
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, steps, peak, warmup, final)
        optimizer.zero_grad()
        loss = F.cross_entropy(model(tokens[step]).flatten(0, 1), targets[step].flatten())
        loss.backward()
        losses.append(loss.item())
        norms.append(nn.utils.clip_grad_norm_(trained.values(), clip_norm).item())
        optimizer.step()
    tensors["loss"] = torch.tensor(losses, dtype=torch.float64)
    tensors["gradient_norm"] = torch.tensor(norms, dtype=torch.float64)
    settings = dict(peak=peak, warmup=warmup, final=final, steps=steps, beta1=beta1, beta2=beta2,
                    eps=eps, weight_decay=weight_decay, clip_norm=clip_norm)
    metadata = {key: str(value).lower() for key, value in case.items()
                if key not in ("batch", "tokens")}
    return tensors, metadata | {key: json.dumps(value) for key, value in settings.items()}


def save(path, tensors, metadata):
    save_file(tensors, path, metadata)
    content = path.read_bytes()  # the library writes metadata in an order of its own each time
    end = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:end])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":")).encode()
    assert len(text) <= end - 8, path
    path.write_bytes(content[:8] + text.ljust(end - 8) + content[end:])


def main():
    parser = argparse.ArgumentParser(description="Write the golden files of models and optimizer.")
    parser.add_argument("--check", action="store_true", help="write nothing; compare with the files")
    check = parser.parse_args().check
    torch.set_num_threads(1)
    references = {f"models/{name}": model_reference(case, seed)
                  for seed, (name, case) in enumerate(CASES.items(), start=1)}
    references["adamw"] = optimizer_reference(seed=100)
    for seed, case in ((200, "transformer_learned_tied_bias"), (201, "lstm_two_layers_untied")):
        references[f"training/{CASES[case]['arch']}"] = training_reference(
            CASES[case] | {"batch": 4, "tokens": CASES[case]["n_ctx"]}, seed)
    for name, (tensors, metadata) in references.items():
        path = GOLDEN / f"{name}.safetensors"
        if check:
            stored = load_file(path)
            assert stored.keys() == tensors.keys(), path
            for key, value in tensors.items():
                torch.testing.assert_close(stored[key], value, msg=f"{path}: {key}")
        else:
            save(path, tensors, metadata)
        print(f"{path.relative_to(GOLDEN)}: {path.stat().st_size / 1000:.1f} kB")


if __name__ == "__main__":
    main()
