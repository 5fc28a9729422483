#!/usr/bin/env python3
"""Runs a sweep while killing its processes at random, then compares it with an undisturbed one.

    scripts/kill_sweep.py --cells 100 --kills 500              # real training, tiny models
    scripts/kill_sweep.py --cells 10000 --kills 500 --trainer build/release/tests/bookkeeping-trainer
    scripts/kill_sweep.py --cells 6 --kills 12 --seed 3        # seconds; as in the tests

Several launchers work on one sweep in one store. Until all cells are complete, one of these befalls
them every now and then, at random:

    trainer    kill -9 of a training process
    launcher   kill -9 of a launcher; its trainers stop by themselves
    node       kill -9 of a launcher and all its trainers at once, as when a machine is lost
               (--nodes: of launchers with processes of their own, so that nobody else can ask the
               kernel whether a holder lives)
    sleep      SIGSTOP of a trainer for longer than others wait for a sign of life, then SIGCONT
    clock      the times of a run folder's files, or of the sweep's, moved by days, back or forth
    locked     (--read-only) the store, the sweep's folder or a run's made read-only for a while
    full       (--full) the store's file system filled to the last byte for a while

A launcher that ended is started again. Where all is complete before --kills were made, a new store
is begun. Then, for every store: each cell is complete, its run.json was never written a second time,
its losses, metrics and weights are those of the undisturbed sweep to the bit, the attempts of each
run have numbers and tokens of their own, nothing half written is left, what the attempts trained
adds up to the run, no attempt began before what one that saved itself had kept, and no two trained
at once, but for the moment in which one that was asleep sees that it was replaced. Exit code 1 and
the first differences where not.
"""

import argparse
import ctypes
import hashlib
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
SPEC = """\
spec: 1
name: killed
data: {{train: tiny, test: {{tiny: 512}}}}
horizon: {{tokens: {tokens}}}
model: {{n_layer: 1, d_model: 16, n_head: 2, n_ctx: 16}}
train: {{batch_tokens: 64}}
evaluate: {{tokens: 64}}
how: {{checkpoint_every_seconds: 0.05, log_every: 20, progress_every_seconds: 0}}
arms: {{transformer: {{model: {{arch: transformer}}}}, lstm: {{model: {{arch: lstm}}}}}}
blocks: [{{name: seeds, grid: {{seeds.init: [{seeds}]}}}}]
"""

KILLED_ALONE = "killed with no other run beside it too"


class Sweep:
    """One sweep file and the programs that run it."""

    def __init__(self, options, folder):
        self.options = options
        self.folder = folder
        self.programs = options.build.resolve() / "bin"
        self.spec = folder / "killed.yaml"
        per_arm = (options.cells + 1) // 2
        seeds = ", ".join(str(seed) for seed in range(1, per_arm + 1))
        self.spec.write_text(SPEC.format(tokens=options.tokens, seeds=seeds))
        text = folder / "text"
        text.mkdir()
        words = random.Random(0)
        vocabulary = ["".join(words.choices("abcdefghij", k=5)) for _ in range(50)]
        for i in range(40):
            (text / f"{i}.txt").write_text(" ".join(words.choices(vocabulary, k=1000)) + "\n")
        self.call("scalelaw-data", "build", text, "--name", "tiny", "--tokenizer", "bytes",
                  "--data", folder / "data")

    def call(self, program, *words):
        done = subprocess.run([self.programs / program, *map(str, words)], text=True,
                              capture_output=True, check=False)
        if done.returncode != 0:
            sys.exit(f"{program} {' '.join(map(str, words))}: exit {done.returncode}\n"
                     f"{done.stdout}{done.stderr}")
        return done.stdout

    def store_words(self, store):
        return [self.spec, "--runs", store, "--data", self.folder / "data", "--device", "cpu"]

    def start(self, store, log, own_node, reach):
        node = ["unshare", "--map-root-user", "--pid", "--fork", "--mount-proc", "--kill-child"]
        words = [*(node if own_node else []),
                 self.programs / "scalelaw-sweep", "run", *self.store_words(reach / store.name),
                 "--jobs", self.options.jobs, "--retries", 1000000, "--stop-after", 0,
                 "--yes", 100000]
        if self.options.trainer:
            words += ["--trainer", self.options.trainer.resolve()]
        beats = {"SCALELAW_HEARTBEAT_SECONDS": str(self.options.heartbeat)}
        with open(log, "a") as out:
            return subprocess.Popen([str(word) for word in words], stdout=out, stderr=out,
                                    stdin=subprocess.DEVNULL, env=os.environ | beats)

    def cells(self, store):
        record = json.loads((store / "sweeps" / "killed.json").read_text())
        return [cell["folder"] for cell in record["cells"]]


def children(pid):
    try:
        return [int(word) for word in
                pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def is_trainer(pid):
    """It has become the trainer, and is no copy of the launcher any more."""
    try:
        return b"train" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False


def send(pid, number):
    try:
        os.kill(pid, number)
        return True
    except ProcessLookupError:
        return False


class Ledgers:
    """What the attempts of unfinished runs say they have trained, looked at again and again.

    The times that they note themselves cannot tell whether two trained at once: an attempt may have
    waited for its folder, and processes start in fractions of the seconds that are noted."""

    # In which an attempt may have trained on beside a later one: it wakes, its ledger notes what it
    # did before it slept, and once more as it ends, within a heartbeat or two on a busy machine.
    MOST_LOOKS = 4

    def __init__(self):
        self.steps = {}  # cost file -> as last read
        self.looks_beside = {}  # cost file -> in how many looks it had grown beside a later one

    def look(self, folder):
        try:
            files = sorted(folder.glob("cost.*.json"))
        except OSError:
            return
        for file in files:
            try:
                steps = json.loads(file.read_text())["steps"]
            except (OSError, ValueError, KeyError):  # being written
                continue
            # The last one was already there at the look before where it has steps from then.
            grew = steps > self.steps.get(file, steps)
            if file != files[-1] and files[-1] in self.steps and grew:
                self.looks_beside[file] = self.looks_beside.get(file, 0) + 1
            self.steps[file] = steps

    def faults(self):
        return [f"{file.parent.name}: {file.name} grew beside a later attempt's"
                for file, looks in sorted(self.looks_beside.items()) if looks > self.MOST_LOOKS]


class Trouble:
    """What befalls the processes of one store."""

    def __init__(self, sweep, store, rng):
        self.sweep, self.store, self.rng = sweep, store, rng
        self.launchers = []
        self.killed = set()  # process ids of launchers
        self.asleep = []  # (when to wake, pid)
        self.counts = {}
        self.first_seen = {}  # run.json -> its hash when it was first there
        self.ledgers = Ledgers()
        self.ballast = None
        self.read_only, self.read_only_until = [], 0.0  # folders
        self.unwell_until = 0.0  # what a launcher ended of may be told of later

    def keep_launchers(self):
        unwell = self.ballast or self.read_only or time.monotonic() < self.unwell_until
        for launcher in [each for each in self.launchers if each.poll() is not None]:
            self.launchers.remove(launcher)
            was_killed = launcher.pid in self.killed
            if launcher.returncode in (1, 2) and not unwell and not was_killed:
                said = (self.sweep.folder / f"{self.store.name}.log").read_text()
                # A run killed twice in one launch, the second time alone, has failed in it.
                if launcher.returncode == 2 or KILLED_ALONE not in said[-20000:]:
                    sys.exit(f"a launcher ended with {launcher.returncode}: {said[-2000:]}")
        log = self.sweep.folder / f"{self.store.name}.log"
        unwell = self.ballast or self.read_only
        while len(self.launchers) < self.sweep.options.launchers and not unwell:
            nodes = sum(launcher.args[0] == "unshare" for launcher in self.launchers)
            own_node = nodes < self.sweep.options.nodes
            # One client of the file system each.
            in_use = [launcher.reach for launcher in self.launchers]
            reach = min(self.sweep.options.reach or [self.store.parent], key=in_use.count)
            self.launchers.append(self.sweep.start(self.store, log, own_node, reach))
            self.launchers[-1].reach = reach

    def kills(self):
        return sum(self.counts.get(kind, 0) for kind in ("trainer", "launcher", "node"))

    def befall(self):
        kinds = ["trainer"] * 6 + ["launcher"] * 2 + ["node"] * 2 + ["sleep", "clock"]
        if self.sweep.options.full:
            kinds += ["full"]
        if self.sweep.options.read_only:
            kinds += ["locked"]
        kind = self.rng.choice(kinds)
        if not self.launchers:
            return
        started = self.rng.choice(self.launchers)
        launcher = started.pid
        if started.args[0] == "unshare":
            launcher = (children(launcher) or [launcher])[0]
        trainers = [pid for pid in children(launcher) if is_trainer(pid)]
        happened = getattr(self, kind)(launcher, trainers)
        if kind in ("launcher", "node"):
            self.killed.add(started.pid)
        if happened:
            self.counts[kind] = self.counts.get(kind, 0) + 1

    def trainer(self, _launcher, trainers):
        return bool(trainers) and send(self.rng.choice(trainers), signal.SIGKILL)

    def launcher(self, launcher, _trainers):
        return send(launcher, signal.SIGKILL)

    def node(self, launcher, trainers):
        send(launcher, signal.SIGSTOP)  # so that it starts none meanwhile
        for pid in {*trainers, *children(launcher)}:
            send(pid, signal.SIGKILL)
        return send(launcher, signal.SIGKILL)

    def sleep(self, _launcher, trainers):
        if not trainers:
            return False
        pid = self.rng.choice(trainers)
        self.asleep.append((time.monotonic() + self.sweep.options.sleep_seconds, pid))
        return send(pid, signal.SIGSTOP)

    def clock(self, _launcher, _trainers):
        sweeps = self.store / "sweeps"
        folders = [each for each in self.store.iterdir() if each != sweeps]
        if not folders:
            return False
        # The sweep's own files half of the time: drafts there are told by their age.
        chosen = self.rng.choice([sweeps, self.rng.choice(folders)])
        moved = time.time() + self.rng.choice([-1, 1]) * self.rng.uniform(1, 1e6)
        try:
            files = list(chosen.rglob("*"))
        except FileNotFoundError:  # a draft that is no more
            return False
        for file in files:
            try:
                os.utime(file, (moved, moved), follow_symlinks=False)
            except (FileNotFoundError, PermissionError):  # read-only at the moment
                pass
        return True

    def full(self, _launcher, _trainers):
        if self.ballast:
            return False
        file = self.store / ".ballast"
        try:
            with open(file, "wb", buffering=0) as out:
                while True:
                    out.write(bytes(4096))
        except OSError:
            pass
        self.ballast = (time.monotonic() + self.rng.uniform(0.5, 3), file)
        return True

    def locked(self, _launcher, _trainers):
        if self.read_only:
            return False
        folders = [each for each in self.store.iterdir() if each.is_dir()]
        chosen = self.rng.choice([self.store, self.store / "sweeps" / "killed", *folders])
        tree = [chosen]
        if chosen != self.store:
            try:
                tree += [each for each in chosen.rglob("*") if each.is_dir()]
            except FileNotFoundError:  # a draft that is no more
                pass
        self.read_only = [each for each in tree if make_read_only(each, True)]
        self.read_only_until = time.monotonic() + self.rng.uniform(0.5, 3)
        return bool(self.read_only)

    def wake(self, everything=False):
        now = time.monotonic()
        for due, pid in [each for each in self.asleep if everything or each[0] <= now]:
            self.asleep.remove((due, pid))
            send(pid, signal.SIGCONT)
        if self.ballast and (everything or self.ballast[0] <= now):
            self.ballast[1].unlink()
            self.ballast = None
            self.unwell_until = now + 10
        if self.read_only and (everything or self.read_only_until <= now):
            for folder in self.read_only:
                make_read_only(folder, False)
            self.read_only = []
            self.unwell_until = now + 10

    def look(self, cells):
        """How many are complete; each run.json is remembered as it first was."""
        for cell in cells:
            if cell not in self.first_seen:
                try:
                    self.first_seen[cell] = digest(self.store / cell / "run.json")
                except OSError:
                    pass
        return len(self.first_seen)

    def look_at_ledgers(self, cells):
        """Of the runs that have begun and are not complete."""
        for folder in self.store.iterdir():
            if folder.name in cells and folder.name not in self.first_seen:
                self.ledgers.look(folder)

    def run(self, kills_wanted):
        """Until every cell is complete."""
        options = self.sweep.options
        record = self.store / "sweeps" / "killed.json"
        cells, next_trouble, next_look, next_ledgers = set(), 0.0, 0.0, 0.0
        while True:
            self.wake()
            if not cells and record.exists():
                cells = set(self.sweep.cells(self.store))
            if cells and time.monotonic() >= next_ledgers:
                next_ledgers = time.monotonic() + options.heartbeat
                self.look_at_ledgers(cells)
            if cells and time.monotonic() >= next_look:
                next_look = time.monotonic() + 0.5
                if self.look(cells) == len(cells):
                    break
            self.keep_launchers()
            if time.monotonic() >= next_trouble and self.kills() < kills_wanted:
                next_trouble = time.monotonic() + self.rng.expovariate(1 / options.every)
                self.befall()
            time.sleep(0.005)
        self.wake(everything=True)
        for launcher in self.launchers:
            launcher.wait(120)

    def end(self):
        """Nothing of it runs any more, however it went."""
        self.wake(everything=True)
        for launcher in self.launchers:
            for pid in [launcher.pid, *children(launcher.pid)]:
                send(pid, signal.SIGKILL)
            launcher.wait()


def make_read_only(folder, so):
    """Nothing can be made, renamed or removed in it, by root neither."""
    try:
        if os.geteuid() != 0:
            folder.chmod(0o555 if so else 0o755)
            return True
        flag = "+i" if so else "-i"
        return subprocess.run(["chattr", flag, folder], stderr=subprocess.DEVNULL,
                              check=False).returncode == 0
    except FileNotFoundError:
        return False


def digest(file):
    return hashlib.sha256(file.read_bytes()).hexdigest()


TIMES = ("wall_seconds", "evaluate_seconds", "checkpoint_seconds", "final_evaluate_seconds",
         "tokens_per_second", "attempts", "events", "pack", "pack_row", "files", "record_hash")


def timeless(record):
    return {key: value for key, value in record.items() if key not in TIMES}


def timeless_metadata(header):
    """Of a checkpoint, without what tells of its history and the hash over that."""
    metadata = header.get("__metadata__", {})
    return {key: value for key, value in metadata.items()
            if key not in ("cursor", "xxh3_128_metadata")}


def result_of(folder):
    """All of a run that is no time and no history."""
    result = {"run.json": timeless(json.loads((folder / "run.json").read_text()))}
    metrics = folder / "metrics.jsonl"
    if metrics.exists():
        lines = [timeless(json.loads(line)) for line in metrics.read_text().splitlines()]
        result["metrics.jsonl"] = lines
    windows = folder / "window_losses.safetensors"
    if windows.exists():
        result["window_losses"] = digest(windows)
    # The last alone: where earlier ones lie depends on when an attempt was asked to stop.
    for file in sorted((folder / "checkpoints").glob("*.safetensors"))[-1:]:
        content = file.read_bytes()
        header = int.from_bytes(content[:8], "little")
        result["metadata"] = timeless_metadata(json.loads(content[8:8 + header]))
        if len(content) > 8 + header:
            result[f"weights of {file.name}"] = hashlib.sha256(content[8 + header:]).hexdigest()
    return result


def attempt_faults(folder, is_disk_full):
    """What is wrong with the history of a run."""
    record = json.loads((folder / "run.json").read_text())
    attempts = [json.loads(file.read_text()) for file in sorted((folder / "attempts").glob("*.json"))]
    faults = []
    numbers = [attempt["number"] for attempt in attempts]
    if numbers != list(range(1, len(numbers) + 1)):
        faults.append(f"attempts are numbered {numbers}")
    if len({attempt["token"] for attempt in attempts}) != len(attempts):
        faults.append("two attempts have one token")
    steps = record["steps"]
    for attempt in attempts:
        if not 0 <= attempt["first_step"] <= steps:
            faults.append(f"attempt {attempt['number']} began at step {attempt['first_step']}")
    for file in folder.rglob(".draft-*"):
        faults.append(f"{file.name} is left")
    return faults + ledger_faults(folder, record, is_disk_full)


def ledger_faults(folder, record, is_disk_full):
    """Whether what the attempts say they trained makes up the run."""
    costs = [json.loads(file.read_text()) for file in sorted(folder.glob("cost.*.json"))]
    reached = kept = 0
    for cost in costs:
        if cost["first_step"] > reached:
            return [f"no attempt trained steps {reached} to {cost['first_step']}"]
        if cost["first_step"] < kept:
            return [f"attempt {cost['attempt']} began at step {cost['first_step']}, and a checkpoint "
                    f"of step {kept} was there"]
        # Where the disk was full it may have found no room for its last checkpoint.
        if cost["end"] == "interrupted" and not is_disk_full:
            kept = max(kept, cost["first_step"] + cost["steps"])
        reached = max(reached, cost["first_step"] + cost["steps"])
        if cost["train_tokens"] != cost["steps"] * record["batch_tokens"]:
            return [f"attempt {cost['attempt']}: {cost['steps']} steps are not "
                    f"{cost['train_tokens']} tokens"]
    if reached != record["steps"]:
        return [f"the attempts trained {reached} steps of {record['steps']}"]
    ends = [cost["end"] for cost in costs]  # none of them: killed just behind the record
    return [] if ends.count("complete") <= 1 else [f"the attempts ended {ends}"]


def compare(sweep, undisturbed, trouble):
    """The differences, and how many attempts there were."""
    faults, attempts = [], 0
    cells = sweep.cells(trouble.store)
    if sorted(cells) != sorted(sweep.cells(undisturbed)):
        faults.append("the two sweeps do not have the same cells")
    for cell in cells:
        folder = trouble.store / cell
        if digest(folder / "run.json") != trouble.first_seen[cell]:
            faults.append(f"{cell}: run.json was written twice")
        ours, theirs = result_of(folder), result_of(undisturbed / cell)
        faults += [f"{cell}: {key} differs" for key in sorted(ours.keys() | theirs.keys())
                   if ours.get(key) != theirs.get(key)]
        faults += [f"{cell}: {fault}"
                   for fault in attempt_faults(folder, sweep.options.full > 0)]
        attempts += len(list((folder / "attempts").glob("*.json")))
    strangers = {each.name for each in trouble.store.iterdir() if each.is_dir()} - {*cells, "sweeps"}
    faults += [f"{name}: no cell of the sweep" for name in sorted(strangers)
               if not name.startswith(".")]
    return faults + trouble.ledgers.faults(), attempts


def run_undisturbed(sweep, store):
    launcher = sweep.start(store, sweep.folder / "undisturbed.log", False, sweep.folder)
    if launcher.wait() != 0:
        sys.exit(f"the undisturbed sweep ended with {launcher.returncode}:\n"
                 f"{(sweep.folder / 'undisturbed.log').read_text()[-2000:]}")


def all_kills(options, folder):
    sweep = Sweep(options, folder)
    start = time.monotonic()
    run_undisturbed(sweep, folder / "undisturbed")
    print(f"undisturbed: {options.cells} cells in {time.monotonic() - start:.0f} s", flush=True)
    rng = random.Random(options.seed)
    kills, rounds, faults = 0, 0, []
    while kills < options.kills and not faults:
        rounds += 1
        trouble = Trouble(sweep, folder / f"killed-{rounds}", rng)
        trouble.store.mkdir()
        if options.full:
            mount_small(trouble.store, options.full)
        start = time.monotonic()
        try:
            trouble.run(options.kills - kills)
        finally:
            trouble.end()
        kills += trouble.kills()
        faults, attempts = compare(sweep, folder / "undisturbed", trouble)
        what = ", ".join(f"{count} {kind}" for kind, count in sorted(trouble.counts.items()))
        print(f"round {rounds}: {len(trouble.first_seen)} cells complete in {attempts} attempts, "
              f"{time.monotonic() - start:.0f} s, with {what}; {kills} kills so far", flush=True)
    for fault in faults[:20]:
        print(fault)
    if len(faults) > 20:
        print(f"and {len(faults) - 20} more")
    print("equal to the undisturbed sweep" if not faults else f"{len(faults)} differences")
    return 1 if faults else 0


def mount_small(folder, megabytes):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"tmpfs", os.fsencode(folder), b"tmpfs", 0,
                  f"size={megabytes}m".encode()) != 0:
        sys.exit(f"--full: no small file system could be mounted ({os.strerror(ctypes.get_errno())})"
                 "; run it under unshare -rm")


def can_make_nodes():
    tried = ["unshare", "--map-root-user", "--pid", "--fork", "--mount-proc", "true"]
    return shutil.which("unshare") and subprocess.run(tried, check=False).returncode == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0],
                                     epilog=__doc__.split("\n", 1)[1],
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/release")
    parser.add_argument("--trainer", type=pathlib.Path, help="in place of scalelaw-train")
    parser.add_argument("--cells", type=int, default=20)
    parser.add_argument("--kills", type=int, default=40)
    parser.add_argument("--launchers", type=int, default=2)
    parser.add_argument("--nodes", type=int, default=0,
                        help="of the launchers, with processes of their own")
    parser.add_argument("--heartbeat", type=float, default=0.25,
                        help="seconds between two signs of life of a run's holder")
    parser.add_argument("--jobs", type=int, default=2, help="training processes of a launcher")
    parser.add_argument("--every", type=float, default=0.5, help="seconds between two troubles, mean")
    parser.add_argument("--tokens", type=int, default=60000, help="that each run trains on")
    parser.add_argument("--sleep-seconds", type=float, default=5)
    parser.add_argument("--full", type=int, metavar="MB", default=0,
                        help="the store is of so many megabytes, and is filled at times")
    parser.add_argument("--read-only", action="store_true",
                        help="folders are made read-only at times; as root with chattr")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=pathlib.Path, help="where to work; kept")
    parser.add_argument("--reach", type=pathlib.Path, action="append",
                        help="another way to --folder, as by a mount of the file system that serves "
                             "it; given several times, launchers reach the store by one each")
    options = parser.parse_args()
    if options.nodes and not can_make_nodes():
        print("skipped: this machine lets nobody make a process namespace")
        sys.exit(77)
    if options.reach and not options.folder:
        parser.error("--reach needs --folder")
    if options.folder:
        options.folder.mkdir(parents=True)
        sys.exit(all_kills(options, options.folder.resolve()))
    folder = pathlib.Path(tempfile.mkdtemp(prefix="kill_sweep_"))
    try:
        code = all_kills(options, folder)
    finally:
        if options.full:
            subprocess.run(["umount", "-q", "--lazy", *map(str, folder.glob("killed-*"))], check=False)
        shutil.rmtree(folder)
    sys.exit(code)


if __name__ == "__main__":
    main()
