"""Whether scripts/kill_sweep.py sees two attempts that train one run at once.

    kill_sweep_ledgers.py SCRIPTS_FOLDER
"""

import json
import pathlib
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])

import kill_sweep  # noqa: E402


class Run:
    """Its ledgers, as attempts write them."""

    def __init__(self, folder):
        self.folder = folder
        self.watch = kill_sweep.Ledgers()

    def cost(self, attempt, steps, first_step=0, end=""):
        content = {"attempt": attempt, "first_step": first_step, "steps": steps,
                   "train_tokens": 64 * steps, "end": end}
        (self.folder / f"cost.{attempt:04}.json").write_text(json.dumps(content))

    def look(self):
        self.watch.look(self.folder)
        return self.watch.faults()

    def ledger_faults(self, steps, is_disk_full=False):
        record = {"steps": steps, "batch_tokens": 64}
        return kill_sweep.ledger_faults(self.folder, record, is_disk_full)


def check(holds, what):
    if not holds:
        sys.exit(what)


def two_at_once(run):
    for steps in range(10):
        run.cost(1, 10 * steps)
        run.cost(2, 10 * steps)
        run.look()
    run.cost(1, 90, end="lost")
    run.cost(2, 90, end="complete")
    check(len(run.look()) == 1, "two attempts at once are not seen")


def one_after_the_other(run):
    for attempt in (1, 2, 3):
        for steps in range(10):
            run.cost(attempt, 10 * steps)
            check(not run.look(), "an attempt after another is taken for one beside it")


def woken_beside_a_later_one(run):
    run.cost(1, 10)
    run.look()
    for steps in range(10):
        run.cost(2, 10 * steps)
        run.look()
    for steps, end in ((15, ""), (16, "lost")):
        run.cost(1, steps, end=end)
        check(not run.look(), "one that sees that it was replaced is taken for one that trains on")


def thrown_away(run):
    run.cost(1, 50, end="interrupted")
    run.cost(2, 90, end="complete")
    check(run.ledger_faults(90), "progress that was thrown away is not seen")
    check(not run.ledger_faults(90, is_disk_full=True), "a full disk may have kept nothing")
    run.cost(2, 40, first_step=50, end="complete")
    check(not run.ledger_faults(90), "a run that goes on is a fault")


for scene in (two_at_once, one_after_the_other, woken_beside_a_later_one, thrown_away):
    with tempfile.TemporaryDirectory() as folder:
        scene(Run(pathlib.Path(folder)))
