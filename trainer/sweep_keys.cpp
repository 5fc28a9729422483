#include "trainer/sweep_keys.h"

namespace scalelaw {
namespace {

std::vector<std::string> names(bool SweepKey::*where) {
  std::vector<std::string> all;
  for (const SweepKey& key : sweep_keys()) {
    if (key.*where) all.push_back(key.name);
  }
  return all;
}

}  // namespace

const std::vector<SweepKey>& sweep_keys() {
  static const std::vector<SweepKey> table = {
      {"name", true, true, "letters, digits, '_', '-' or '.'",
       "Of the sweep, whose record is then RUNS/sweeps/NAME.json; or of a block, by which its runs "
       "are told apart. No part of a run's identity.",
       SweepValue::kName, true},
      {"arms", true, true, "at the top: names with overrides; in a block: a list of those names",
       "What is compared, as {lstm: {model: {arch: lstm}}}. Each arm overrides the keys at the "
       "file's top; a block takes every arm, or those that its own arms name, as [lstm].",
       SweepValue::kArms},
      {"include", true, false, "a file's name, or a list of them",
       "Sweep files that are read first, relative to this one's folder: the keys here override "
       "theirs, arms and blocks here stand behind theirs.",
       SweepValue::kTextOrTexts},
      {"blocks", true, false, "a list of blocks",
       "The sweep is their union. A block holds a name, keys that override the arms', and at most "
       "one grid, zip and list, which are crossed. Equal runs merge and are paid once.",
       SweepValue::kBlocks},
      {"grid", true, true, "keys with lists, as {model.d_model: [16, 32]}",
       "Every value; of two keys every pair. In a block, or at the top of a file without blocks.",
       SweepValue::kAxes},
      {"zip", true, true, "keys with lists of one length",
       "Values taken side by side: a learning rate for each width.", SweepValue::kAxes},
      {"budget", true, false, "a map, as {flops: 5e18, device_hours: 60, disk: 200GB}",
       "What the whole sweep may cost, with what was run of it already: run refuses what comes to "
       "more, or starts nothing new once it is reached.",
       SweepValue::kMembers},
      {"budget.flops", false, false, "a number", "Of training, as plan counts them.",
       SweepValue::kPositiveWritten},
      {"budget.device_hours", false, false, "a number",
       "Of cores on a CPU, else of GPUs, by the ledgers and by what plan predicts.",
       SweepValue::kPositiveWritten},
      {"budget.price", false, false, "a number", "Of this machine, with --price-per-hour.",
       SweepValue::kPositiveWritten},
      {"budget.disk", false, false, "bytes, as 200GB", "That complete runs hold.",
       SweepValue::kBytes},
      {"budget.when_reached", false, false, "refuse or start_nothing_new",
       "refuse, where it says nothing: nothing is started of a sweep that comes to more. "
       "start_nothing_new: it is run as far as the budget reaches, and goes on with a larger one.",
       SweepValue::kWhenReached},
      {"critical_batch", true, false, "a map, as {fit: FILE}",
       "Of what batch more tokens at once save no more steps, as fitted to other runs: plan warns "
       "of cells whose train.batch_tokens are more.",
       SweepValue::kMembers},
      {"critical_batch.fit", false, false, "a file of fits, relative to this file's folder",
       "Its critical_batch, in tokens, of D or of N. One of the loss is refused, since that is not "
       "known before a run has ended.",
       SweepValue::kText, true},
      {"order", true, false, "smallest_rung_first, longest_first or as_written",
       "Which runs start first: smallest_rung_first, where it says nothing, the cheapest of each "
       "arm, where a wrong setting shows in minutes, then the longest.",
       SweepValue::kOrder},
      {"tune", true, false,
       "a map, as {learning_rate: {where: N <= 1e6, factors: [0.5, 1, 2], then: fit_law}}",
       "Rates of learning that trials find before the runs that need them.", SweepValue::kMembers},
      {"tune.learning_rate", false, false, "a map of the keys below it",
       "Each recipe that `where` names is trained at every factor on its own rate, and read on the "
       "train set's val split; its runs then take the vertex of a parabola in ln rate.",
       SweepValue::kMembers, true},
      {"tune.learning_rate.where", false, false, "a condition, as N <= 1e6 && D >= 2M",
       "Of cells, those that are scanned; all where it says nothing. Names as in expressions.",
       SweepValue::kCondition},
      {"tune.learning_rate.factors", false, false,
       "a list of three numbers or more, as [0.5, 1, 2]", "On the rate that the file gives a cell.",
       SweepValue::kFactors, true},
      {"tune.learning_rate.extend_at_edge", false, false, "a whole number",
       "Further rates at most, one after another, of a scan whose best is at an edge; 2 where it "
       "says nothing.",
       SweepValue::kExtensions},
      {"tune.learning_rate.then", false, false, "fit_law",
       "Cells that `where` leaves out take their arm's law of the scans, a correction c N^a D^b of "
       "the file's rate. Without it they keep that rate.",
       SweepValue::kThen},
      {"tune.learning_rate.seeds", false, false, "a list of whole numbers, as [1001, 1002]",
       "Of the trials, initialisation and data alike; other ones than the runs' own, so that none "
       "is chosen by its luck. 1001 where it says nothing.",
       SweepValue::kSeeds},
      {"hold_out", true, false, "a map, as {where: N > 3e7, register: hero}",
       "Cells that start once all others have ended and their loss was predicted from those and "
       "written down, in RUNS/predictions/NAME.json; `scalelaw predict --score` compares.",
       SweepValue::kMembers},
      {"hold_out.where", false, false, "a condition, as N > 3e7",
       "Of cells, those that are held out. Names as in expressions.", SweepValue::kCondition, true},
      {"hold_out.register", false, false, "letters, digits, '_', '-' or '.'",
       "Under which name the prediction is kept; it is written once.", SweepValue::kName, true},
      {"hold_out.test_set", false, false, "a test set's name",
       "Whose loss is predicted, of runs with several test sets. The training text's where it says "
       "nothing.",
       SweepValue::kText},
      {"keep", true, false, "a map, as {resume_state: until_complete, weights: hold_out}",
       "What complete runs keep of their checkpoints: how.keep of the cells that do not set it. No "
       "part of a run's identity.",
       SweepValue::kMembers},
      {"keep.resume_state", false, false, "until_complete or always",
       "The moments beside the weights, two thirds of a checkpoint, which training alone reads. "
       "always, where it says nothing: complete runs keep their last checkpoint whole.",
       SweepValue::kResumeState},
      {"keep.weights", false, false, "all, hold_out or none",
       "With resume_state: until_complete, of which complete runs the weights stay, for evaluate "
       "and model export; hold_out: of those that hold_out names. all where it says nothing.",
       SweepValue::kKeptWeights},
      {"executor", true, false, "a map, as {profile: gpu, replicas: auto}",
       "Where the runs are trained and how many side by side. The command line wins over it, and "
       "it "
       "over the profile that it names. No part of a run's identity.",
       SweepValue::kMembers},
      {"executor.profile", false, false, "a name",
       "One of the user's own profiles, ~/.config/scalelaw/profiles.yaml ($XDG_CONFIG_HOME), which "
       "alone say paths and prices; --profile wins over it.",
       SweepValue::kText},
      {"executor.device", false, false, "auto, cpu or cuda", "As --device of plan and run.",
       SweepValue::kDevice},
      {"executor.jobs", false, false, "auto, or a whole number",
       "Processes side by side, on each GPU or on the CPU, as --jobs of run; auto: one a GPU, one "
       "a "
       "core.",
       SweepValue::kCountOrAuto},
      {"executor.replicas", false, false, "auto, or a whole number",
       "Most runs of one shape trained side by side in a process, as --replicas; auto: as many as "
       "gain by the device's law.",
       SweepValue::kCountOrAuto},
      {"executor.time_limit", false, false, "a time, as 90s, 15m or 8h",
       "Of an attempt of a run, as --time-limit of run: then it writes a checkpoint and ends.",
       SweepValue::kTime},
      {"horizon.steps", false, false, "a whole number, or an expression",
       "In place of horizon.tokens, in a sweep: updates.", SweepValue::kWhole},
      {"horizon.tokens_per_param", false, false, "a number, or an expression",
       "In place of horizon.tokens, in a sweep: D / N, N as horizon.count says.",
       SweepValue::kPositive},
      {"horizon.flops", false, false, "a number, or an expression",
       "In place of horizon.tokens, in a sweep: C, as horizon.count says, to within half a step.",
       SweepValue::kPositive},
      {"horizon.count", false, false,
       "non_embedding, non_embedding_plus_head, total; of flops exact_causal, six_n, "
       "six_n_plus_head, exact_full, chinchilla",
       "What tokens_per_param and flops count; the first of each where it says nothing.",
       SweepValue::kCount},
      {"ladder", true, true, "a map, as {n: {from: 1e5, to: 1e8, per_decade: 3}, aspect: 32}",
       "Sizes instead of shapes: of each cell the d_model, and with aspect the n_layer where the "
       "cell sets none, that bring its architecture nearest to n parameters. A list of sizes, or "
       "from and to with "
       "per_decade or sizes.",
       SweepValue::kMembers},
      {"ladder.n", false, false, "a number, a list, or {from, to, per_decade or sizes}",
       "Parameters asked for, as ladder.count says.", SweepValue::kNumbers},
      {"ladder.count", false, false, "non_embedding, non_embedding_plus_head, total",
       "What ladder.n counts; non_embedding where it says nothing.", SweepValue::kNCount},
      {"ladder.aspect", false, false, "a number above 0, or an expression",
       "d_model / n_layer: layers are chosen too, of a cell that sets no model.n_layer.",
       SweepValue::kPositive},
      {"ladder.d_head", false, false, "a number, 1 or more, or an expression",
       "Features a head: n_head is the divisor of d_model that brings them nearest to it.",
       SweepValue::kAtLeastOne},
      {"ladder.width_multiple", false, false, "a whole number, or an expression",
       "Of which d_model is a multiple; 8 where it says nothing. 64 suits tensor cores.",
       SweepValue::kWhole},
      {"ladder.d_ff_multiple", false, false, "a whole number, or an expression",
       "d_ff is its multiple nearest to d_ff_ratio * d_model; without it that product itself.",
       SweepValue::kWhole},
      {"ladder.times", false, false, "a number above 0, or an expression",
       "A factor on ladder.n; what the sizes and the spacing of an isoflop come to.",
       SweepValue::kPositive},
      {"isoflop", true, true,
       "a map, as {budgets: [1e15, 4e15], sizes: 7, spacing: 2, centre: {law: chinchilla}}",
       "Models of several sizes for each budget of FLOPs, counted as `count` says: `sizes` of them "
       "(7), each `spacing` times (2) the one before, about `centre`: {law: chinchilla}, {law: "
       "kaplan}, {fit: FILE}, or an expression of the budget, as = 0.3 * budget^0.5. ladder beside "
       "it holds the "
       "rules of shapes.",
       SweepValue::kMembers},
      {"isoflop.budgets", false, false, "a number, a list, or {from, to, per_decade or sizes}",
       "Training FLOPs, counted as isoflop.count says.", SweepValue::kNumbers, true},
      {"isoflop.count", false, false,
       "exact_causal, six_n, six_n_plus_head, exact_full, chinchilla",
       "What a budget counts; exact_causal where it says nothing, or what the centre's fit counts.",
       SweepValue::kCCount},
      {"isoflop.sizes", false, false, "a whole number", "Models a budget; 7 where it says nothing.",
       SweepValue::kWholeWritten},
      {"isoflop.spacing", false, false, "a number above 1",
       "From one size to the next; 2 where it says nothing.", SweepValue::kAboveOne},
      {"isoflop.centre", false, false,
       "{law: chinchilla}, {law: kaplan}, {fit: FILE}, a number or an expression",
       "About which sizes of a budget lie, as = 0.3 * budget^0.5, counted as ladder.count says. A "
       "fit is what `scalelaw fit RUNS --law chinchilla --out FILE` wrote, relative to this file's "
       "folder; sizes and budgets then count as it does.",
       SweepValue::kCentre, true},
      {"list", true, true, "a list of overrides, as [{model: {d_model: 64}}]",
       "Runs written out one by one.", SweepValue::kCells},
  };
  return table;
}

std::vector<std::string> sweep_file_keys() {
  return names(&SweepKey::in_file);
}

std::vector<std::string> sweep_block_keys() {
  return names(&SweepKey::in_block);
}

}  // namespace scalelaw
