// What a sweep file asks for, resolved, merged and priced. Reads data sets' headers; starts and
// writes nothing.
#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/model_shape.h"
#include "sweeps/device/throughput.h"
#include "sweeps/language/cell_expressions.h"
#include "sweeps/language/sweep_spec.h"
#include "sweeps/plan/fit_centres.h"
#include "sweeps/plan/workers.h"
#include "sweeps/tuning/tuned_rates.h"
#include "trainer/run_config.h"
#include "trainer/sweep_record.h"

namespace scalelaw {

struct PlanOptions {
  std::filesystem::path runs = "runs";  // the store
  std::filesystem::path data = "data";  // where data sets lie
  NCount n_count = NCount::kNonEmbedding;
  CCount c_count = CCount::kExactCausal;  // the convention that hours follow from
  double flops_per_second = 30e9;         // a core; of c_count's FLOPs
  Workers workers;
  double memory_bytes = 0;               // of their device, for all processes on it; 0: not known
  std::optional<Throughput> throughput;  // as measured of that device
  std::optional<double> price_per_hour;  // of the whole machine, in any currency
  std::string profile;                   // "gpu of FILE", that some of these are of; "": none
};

// Bytes, of the device's for each process on it; infinity where they are not known.
double memory_a_run(const PlanOptions& options);

// What must be known before a cell can start.
enum class WaitsFor {
  kNothing,
  kTrials,       // its rate
  kHand,         // likewise, and nothing that is to come will make it known
  kPrediction,   // of its loss, to be written down
  kAnotherName,  // likewise, and nothing can be under the name that the file gives it: a hand
};

// When a cell's turn comes: those of a stage start once all of the stages before have ended.
enum class Stage {
  kAtOnce,    // trials, and what takes nothing from others
  kByTrials,  // takes the rate that trials tell
  kHeldOut,   // is predicted from all others
};
inline constexpr Stage kStages[] = {Stage::kAtOnce, Stage::kByTrials, Stage::kHeldOut};

// One run of the sweep. Counts are absent for an architecture that gives no formula.
struct PlannedCell {
  RunConfig config;
  ModelShape shape;          // canonical, n_vocab filled in
  std::string content_hash;  // 32 hex digits
  std::string recipe_hash;   // RunIdentity's
  std::string folder;        // name below runs
  std::vector<SweepPlace> places;
  std::vector<CellSize> sizes;        // that ladders asked for and this model is nearest to
  std::optional<double> budget;       // FLOPs, of a horizon that was asked for in them
  std::vector<const NamedLaw*> laws;  // that expressions of its keys call
  int64_t steps = 0;
  int64_t train_tokens = 0;                   // steps * batch
  int64_t unique_train_tokens = 0;            // of those, different ones
  std::optional<double> n_params;             // N by n_count
  std::optional<double> train_flops;          // C by c_count, evaluation left out
  std::optional<double> core_hours;           // with evaluations and noise scales; of a CPU
  std::optional<double> evaluate_core_hours;  // those alone
  std::optional<double> gpu_hours;            // likewise, its share of a GPU in its pack
  // Of that pack, with the GPU for itself; on a CPU of a pack of several.
  std::optional<double> pack_hours;
  int64_t runs_in_its_pack = 1;
  int64_t packs_on_its_gpu = 1;        // that share it with that pack, itself included
  std::optional<double> memory_bytes;  // a step's peak as it is computed alone on its device
  bool fits = true;                    // in its share of the memory that is known
  bool is_trial = false;               // of `tune`; no result of the sweep
  bool has_rate_of_trials = false;     // or will have
  std::string prediction;              // that holds it out until it is registered; "": none
  std::string predicted_test_set;      // whose loss that is of
  bool is_predicted = false;           // what is registered under that name holds it
  WaitsFor waits = WaitsFor::kNothing;
  std::string waits_for;  // in words
  bool is_held_back() const {
    return waits == WaitsFor::kPrediction || waits == WaitsFor::kAnotherName;
  }
  // Whatever has become known of it since the sweep began.
  Stage stage() const {
    if (!prediction.empty()) return Stage::kHeldOut;
    return has_rate_of_trials ? Stage::kByTrials : Stage::kAtOnce;
  }
  bool needs_hand() const { return waits == WaitsFor::kHand || waits == WaitsFor::kAnotherName; }
  bool is_of(std::string_view block) const {
    return std::ranges::find(places, block, &SweepPlace::block) != places.end();
  }
  // Its rate is the file's for want of its own, and so are hash and folder.
  bool is_provisional() const { return waits == WaitsFor::kTrials || waits == WaitsFor::kHand; }
};

// What a cell costs beside others of its sweep: FLOPs, or tokens where those are not known.
inline double cost(const PlannedCell& cell) {
  return cell.train_flops.value_or(static_cast<double>(cell.train_tokens));
}

struct Plan {
  std::string name;
  std::string spec_file;
  std::string spec_hash, file_hash;
  PlanOptions options;
  std::vector<PlannedCell> cells;  // in the file's order, each content hash once
  int64_t asked_for = 0;           // before equal cells merged
  std::vector<std::string> swept;  // keys of the blocks' grids, zips and lists, in their order
  std::vector<std::string> warnings;
  SweepBudget budget;
  StartOrder order = StartOrder::kSmallestRungFirst;
  TunedRates tuned;
  // Of hold_out.register, with its line; also among the warnings. Cells can never start under that
  // name, and run_stages() refuses to begin; or that may come, once trials tell what they are.
  std::string held_out_fault, held_out_doubt;
  bool predicts_for_study = false;    // settings of a command line that change no run
  bool has_prediction = false;        // under that name one is there, though it cannot be read
  std::vector<FittedCentre> centres;  // of isoflops about a fit
};

// ConfigError: as resolve() and identify(), with the place in the sweep; an impossible shape; a
// data set too small for a batch or an evaluation; c_count not defined for an architecture.
// `ends`: what has become of trials (sweeps/launch/stages.h); without it none has ended. Reads what
// was predicted of held-out cells; where that cannot be read, they wait and the plan says so.
Plan make_plan(const SweepSpec& spec, const PlanOptions& options, const TrialEnds& ends = {});

// What analysis reads (trainer/sweep_record.h); without the cells that are provisional. `open`:
// cells of the record before that those may turn out to be (sweeps/plan/plan_diff.h), which stay in
// it.
SweepRecord record_of(const Plan& plan, const std::vector<SweepCell>& open = {});

// Two sweeps of one name would overwrite each other's record. A fault in words where the plan's
// record is there and was written for another sweep: its file is another one (links followed; a
// relative path counts from the current folder) with other contents. So a sweep's file may be
// edited or moved, not both at once. Also where the record cannot be read.
std::string fault_of_name(const Plan& plan);
void refuse_name_of_another_sweep(const Plan& plan);  // ConfigError with that fault

// The folder of a cell's run in the store.
std::filesystem::path run_folder(const Plan& plan, const PlannedCell& cell);

}  // namespace scalelaw
