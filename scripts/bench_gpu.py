#!/usr/bin/env python3
"""Everything that needs a GPU, in one command and within a time, what is worth most first.

    scripts/bench_gpu.py --collect FOLDER                           # where it was built
    FOLDER/scripts/bench_gpu.py --out RESULTS --minutes 9 [--only tests,124M]   # where the GPU is
    scripts/bench_gpu.py --device cpu --tiny --out RESULTS          # a rehearsal without a GPU

--collect copies what a bare machine needs beside a Python with PyTorch (--python there): programs,
libraries, tests and these scripts; no compiler and no network. Stages run one after another, each in
the time that is left, and one that fails does not keep the next from running:

    tests      kernels, layers, steps, graphs and evaluations on the GPU
    char, 124M scalelaw's steps (eager, device, graph, and eager by plain ATen operators) against
               bench_reference.py's, eager and compiled, all in bf16, in turn over rounds: nanoGPT's
               character model, GPT-2 small
    packs      bench_packs.py, which writes the device's file
    roofline   roofline.py
    lstm       as char, an LSTM of 10 M
    sanitizer  compute-sanitizer on the tests
    profile    where a step's time goes

RESULTS holds, written as they come: report.md (tables), results.jsonl (each measured step), log.txt
(all that was printed), device.yaml (bench_packs.py). Exit code 1 where something was not measured;
without a GPU that is so of graphs. Needs Python 3 alone; PyTorch in --python.
"""

import argparse
import datetime
import json
import os
import pathlib
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

from bench import ROOT, environment, processor
from bench_packs import gpu_name

SCRIPTS = pathlib.Path(__file__).resolve().parent
# Steps, warm-up included, take a second or two on an H100.
CHAR = dict(arch="transformer", layers=6, width=384, heads=6, context=256, vocab=65, batch=64)
GPT2 = dict(arch="transformer", layers=12, width=768, heads=12, context=1024, vocab=50304, batch=16)
LSTM = dict(arch="lstm", layers=5, width=512, heads=1, context=256, vocab=65, batch=64)
TINY = dict(layers=1, width=16, heads=1, context=8, vocab=32, batch=2)

LONGEST_MEASUREMENT = 75  # seconds of one program in a comparison, compilation included


class Measurement:
    """The options, the time that is left, and the files of the results."""

    def __init__(self, options):
        self.options = options
        self.ends = self.stage_ends = time.monotonic() + 60 * options.minutes
        options.out.mkdir(parents=True, exist_ok=True)
        self.report = open(options.out / "report.md", "a")
        self.results = open(options.out / "results.jsonl", "a")
        self.log = open(options.out / "log.txt", "a")
        self.all_went_well = True
        folders = [str(options.programs / "lib"), *torch_folders(options.python)]
        inherited = os.environ.get("LD_LIBRARY_PATH")
        folders += [inherited] if inherited else []
        self.environment = environment(1) | {"LD_LIBRARY_PATH": ":".join(folders)}
        if (options.programs / "golden").is_dir():
            self.environment["SCALELAW_GOLDEN"] = str(options.programs / "golden")

    def left(self):
        return self.stage_ends - time.monotonic()

    def begin_stage(self, minutes):
        self.stage_ends = min(self.ends, time.monotonic() + 60 * minutes)

    def say(self, text):
        print(text, flush=True)
        print(text, file=self.report, flush=True)

    def run(self, words, limit_seconds=600):
        """(exit code, stdout) of a program; 124 where its time ended, 127 where it could not be
        started. All of it is in the log, and another code than 0 in all_went_well."""
        words = [str(word) for word in words]
        limit = max(1, min(limit_seconds, self.left()))
        print(f"\n$ {' '.join(words)}", file=self.log, flush=True)
        start = time.monotonic()
        try:
            process = subprocess.Popen(words, env=self.environment, text=True,
                                       start_new_session=True, stdout=subprocess.PIPE,
                                       stderr=self.log)
        except OSError as error:
            print(error, file=self.log, flush=True)
            self.all_went_well = False
            return 127, ""
        try:
            out, code = process.communicate(timeout=limit)[0], process.returncode
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # its own session: what it started goes along
            out, code = process.communicate()[0], 124
        self.all_went_well &= code == 0
        print(f"{out}[{code} after {time.monotonic() - start:.1f} s]", file=self.log, flush=True)
        return code, out

    def measure(self, who, words):
        """The JSON line of a benchmark; None where it failed."""
        code, out = self.run(words, LONGEST_MEASUREMENT)
        lines = [line for line in out.splitlines() if line.startswith("{")]
        if code != 0 or not lines:
            self.all_went_well = False
            return None
        result = json.loads(lines[-1])
        print(json.dumps({"who": who} | result), file=self.results, flush=True)
        return result


def torch_folders(python):
    """Where that Python's PyTorch keeps its libraries and those of CUDA; PyTorch is not loaded."""
    search = ("import importlib.util, pathlib\n"
              "torch = pathlib.Path(importlib.util.find_spec('torch').origin).parent\n"
              "print(torch / 'lib', *sorted(torch.parent.glob('nvidia/*/lib')), sep='\\n')")
    try:
        done = subprocess.run([python, "-c", search], capture_output=True, text=True)
    except OSError as error:
        sys.exit(f"--python {python}: {error.strerror}")
    if done.returncode != 0:
        sys.exit(f"--python {python} has no torch:\n{done.stderr[-500:]}")
    return done.stdout.split()


def run_tests(measurement):
    tests = sorted((measurement.options.programs / "tests").glob("gpu_*_test"))
    tests += [measurement.options.programs / "tests/kernel_library_test"]
    measurement.say("| test | passed | failed | skipped |\n|---|---|---|---|")
    for test in tests:
        code, out = measurement.run([test, "--gtest_color=no"])
        counts = [sum(line.split()[1] == word for line in test_lines(out))
                  for word in ("OK", "FAILED", "SKIPPED")]
        measurement.say(f"| {test.name}{'' if code in (0, 1) else f' (ended with {code})'} "
                    f"| {counts[0]} | {counts[1]} | {counts[2]} |")
        if measurement.options.device == "cuda" and counts[2] > 0:
            measurement.all_went_well = False
        for line in test_lines(out):
            if line.startswith("[  FAILED"):
                measurement.say(f"    {line}")


def test_lines(out):
    """GoogleTest's line of each test, without the summary's repetition."""
    lines = []
    for line in out.splitlines():
        if line.startswith("[==========]") and lines:
            break
        if line.startswith(("[       OK ]", "[  FAILED  ]", "[  SKIPPED ]")):
            lines.append(line)
    return lines


def comparison(shape, steps):
    """A stage: scalelaw's steps and the reference's, in turn."""
    def stage(measurement):
        options = measurement.options
        used = shape | TINY if options.tiny else shape
        flags = [word for key, value in used.items() for word in (f"--{key}", value)]
        flags += ["--precision", "bf16", "--device", options.device, "--json"]
        count = ["--steps", 2 if options.tiny else steps]
        ours = [options.programs / "bin/scalelaw-train", "bench", *flags, *count,
                "--threads", 1, "--warmup", 16, "--step"]
        theirs = [options.python, SCRIPTS / "bench_reference.py", *flags, *count,
                  "--warmup-steps", 10]
        commands = {"scalelaw, graph": [*ours, "graph"], "PyTorch, eager": theirs,
                    "PyTorch, compiled": [*theirs, "--compile"],
                    "scalelaw, eager": [*ours, "eager"], "scalelaw, device": [*ours, "device"],
                    "scalelaw, plain": [*ours, "eager", "--plain"]}
        # Of this stage alone: what a killed compiler leaves must not meet the next.
        with tempfile.TemporaryDirectory() as cache:
            measurement.environment["TORCHINDUCTOR_CACHE_DIR"] = cache
            compare(measurement, used, commands)
    return stage


def compare(measurement, shape, commands):
    seen = {who: [] for who in commands}
    for round_number in range(measurement.options.rounds):
        for who, words in commands.items():
            failed_before = len(seen[who]) < round_number
            if not failed_before and measurement.left() > 0:
                result = measurement.measure(who, words)
                seen[who] += [result] if result else []
    name = f"{shape['arch']} L{shape['layers']} d{shape['width']} T{shape['context']} " \
           f"B{shape['batch']} V{shape['vocab']}"
    measurement.say(f"{name}, bf16, wall time, median of up to {measurement.options.rounds} rounds\n")
    measurement.say("| program | rounds | ms a step | tokens/s | peak memory | of PyTorch eager "
                "| of compiled | last loss |\n|---|---|---|---|---|---|---|---|")
    seconds = {who: [one["step_wall_seconds_median"] for one in results]
               for who, results in seen.items()}
    for who, results in seen.items():
        if not results:
            measurement.say(f"| {who} | 0: see log.txt | | | | | | |")
            continue
        step = statistics.median(seconds[who])
        tokens = shape["batch"] * shape["context"] / step
        memory = statistics.median(one["peak_memory_bytes"] for one in results)
        ratios = [ratio_text(seconds[other], seconds[who])
                  for other in ("PyTorch, eager", "PyTorch, compiled")]
        measurement.say(f"| {who} | {len(results)} | {1e3 * step:,.3f} | {tokens:,.0f} "
                    f"| {1e-9 * memory:.2f} GB | {ratios[0]} | {ratios[1]} "
                    f"| {results[-1]['final_loss_nats']:.4f} |")


def ratio_text(theirs, ours):
    ratios = [a / b for a, b in zip(theirs, ours)]
    return f"{statistics.median(ratios):.2f}" if ratios else "-"


def script(name, *flags):
    """A stage: another script's Markdown."""
    def stage(measurement):
        options = measurement.options
        words = [sys.executable, SCRIPTS / name, "--device", options.device,
                 "--program", options.programs / "bin/scalelaw-train"]
        words += [flag.format(out=options.out) for flag in flags]
        if name == "bench_packs.py":
            words += ["--minutes", f"{max(0.1, measurement.left() / 60 - 0.5):.2f}"]
        if options.tiny:
            words += ["--only", "0.1M"]
            if name == "bench_packs.py":
                words += ["--seconds", "0.05", "--rounds", "1", "--most-replicas", "2"]
        code, out = measurement.run(words)
        measurement.say(out + ("" if code == 0 else f"\nended with code {code}; see log.txt"))
    return stage


def run_sanitizer(measurement):
    tool = shutil.which("compute-sanitizer") or "/usr/local/cuda/bin/compute-sanitizer"
    if not os.access(tool, os.X_OK):
        measurement.say("compute-sanitizer is not here")
        measurement.all_went_well = False
        return
    test = measurement.options.programs / "tests/gpu_layers_test"
    for check in ("memcheck", "racecheck"):
        code, out = measurement.run([tool, "--tool", check, "--error-exitcode", 99, test,
                                 "--gtest_filter=*ModelsGradients*:*Repeats*"])
        last = [line for line in out.splitlines() if "SUMMARY" in line] or ["no summary"]
        measurement.say(f"{check}: exit code {code}; {last[-1].strip('= ')}")


def run_profile(measurement):
    for shape in (CHAR, LSTM):
        used = shape | TINY if measurement.options.tiny else shape
        flags = [word for key, value in used.items() for word in (f"--{key}", value)]
        code, out = measurement.run([measurement.options.programs / "bin/scalelaw-train", "profile", *flags,
                                 "--precision", "bf16", "--device", measurement.options.device,
                                 "--threads", 1, "--rows", 30])
        measurement.say(f"{shape['arch']}, exit code {code}\n```\n{out}```")


# Name, the minutes that it may take where another follows, what it does.
STAGES = [
    ("tests", 1, run_tests),
    ("char", 2, comparison(CHAR, 96)),
    ("124M", 2.5, comparison(GPT2, 48)),
    ("packs", 3, script("bench_packs.py", "--precision", "bf16", "--rounds", "1", "--seconds", "1",
                        "--out", "{out}/device.yaml")),
    ("roofline", 1.5, script("roofline.py", "--precision", "bf16")),
    ("lstm", 1.5, comparison(LSTM, 48)),
    ("sanitizer", 2, run_sanitizer),
    ("profile", 1, run_profile),
]
LEAST_SECONDS = 20  # without which a stage is not begun


def collect(folder, build):
    """What programs and tests need of this machine: themselves, and libraries that are neither
    PyTorch's, nor CUDA's, nor the C and C++ libraries of the system."""
    left_out = ("libc.so", "libm.so", "libdl.", "librt.", "libpthread.", "libutil.", "ld-linux",
                "libstdc++", "libgcc_s", "libtorch", "libc10", "libgomp", "libcu", "libnv", "libnccl")
    programs = [build / "bin/scalelaw-train", *sorted((build / "tests").glob("gpu_*_test")),
                build / "tests/kernel_library_test", *sorted((build / "lib").glob("*.so"))]
    (folder / "lib").mkdir(parents=True, exist_ok=True)
    for program in programs:
        target = folder / program.relative_to(build)
        target.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["strip", "-o", target, program], check=True)
        listed = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
        for line in listed.splitlines():
            name, _, path = line.strip().partition(" => ")
            path = path.split(" (")[0]
            if path.startswith("/") and not name.startswith(left_out) and \
                    "/torch/" not in path and "/nvidia/" not in path:  # LibTorch's own copies
                shutil.copy(path, folder / "lib")
    shutil.copytree(ROOT / "tests/golden", folder / "golden", dirs_exist_ok=True)
    (folder / "scripts").mkdir(exist_ok=True)
    for name in SCRIPTS.glob("*.py"):
        shutil.copy(name, folder / "scripts")
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    print(f"{folder}: {1e-6 * size:.0f} MB; on the other machine: {folder.name}/scripts/bench_gpu.py")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--collect", type=pathlib.Path, metavar="FOLDER")
    collected = (ROOT / "bin").is_dir()
    parser.add_argument("--programs", type=pathlib.Path, help="a build, or what --collect made",
                        default=ROOT if collected else ROOT / "build/release")
    parser.add_argument("--out", type=pathlib.Path)
    parser.add_argument("--python", default=sys.executable, help="a Python that has torch")
    parser.add_argument("--minutes", type=float, default=9)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cuda")
    parser.add_argument("--tiny", action="store_true", help="tiny shapes: does it all run?")
    parser.add_argument("--only", default="", help="stages, by name and comma")
    options = parser.parse_args()
    if options.collect:
        return collect(options.collect, options.programs)
    if not options.out:
        parser.error("--out FOLDER is missing")
    asked_for = options.only.split(",") if options.only else [name for name, _, _ in STAGES]
    if unknown := set(asked_for) - {name for name, _, _ in STAGES}:
        parser.error(f"--only: no stage is called {', '.join(sorted(unknown))}")
    stages = [stage for stage in STAGES if stage[0] in asked_for]
    options.programs = options.programs.resolve()
    options.out = options.out.resolve()
    measurement = Measurement(options)
    where = gpu_name() if options.device == "cuda" else processor()
    measurement.say(f"# {where}, {datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d %H:%M} UTC\n")
    for name, minutes, stage in stages:
        measurement.say(f"\n## {name}\n")
        measurement.begin_stage(options.minutes if stage is stages[-1][2] else minutes)
        if measurement.left() < LEAST_SECONDS:
            measurement.say(f"not begun: {measurement.left():.0f} s are left")
            measurement.all_went_well = False
            continue
        start = time.monotonic()
        try:
            stage(measurement)
        except Exception as error:  # noqa: BLE001: the next stage is worth its minutes
            measurement.say(f"failed: {error!r}")
            measurement.all_went_well = False
        measurement.say(f"\n({time.monotonic() - start:.0f} s)")
    if not measurement.all_went_well:
        sys.exit("not all of it was measured: see the report, and log.txt for what failed")


if __name__ == "__main__":
    main()
