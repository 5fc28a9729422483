#include "analysis/study.h"

#include <algorithm>

#include "analysis/number_text.h"
#include "trainer/config_error.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

void warn_of_arm(const ArmLaws& arm, std::vector<std::string>& warnings) {
  if (arm.power.status == FitStatus::kTooFewPoints) {
    warnings.push_back("arm " + arm.arm + ": " + arm.power.why + "; it has no law here");
    return;
  }
  if (arm.power.status != FitStatus::kConverged) {
    warnings.push_back("arm " + arm.arm + ": " + arm.power.why);
  }
  if (arm.power.sizes < kFewestSizesForFloor) {
    warnings.push_back("arm " + arm.arm + " has " + std::to_string(arm.power.sizes) +
                       " sizes: a law with a floor needs at least " +
                       std::to_string(kFewestSizesForFloor));
  }
  if (arm.decades() <= 1) {
    warnings.push_back("arm " + arm.arm + " spans " + fixed(arm.decades(), 1) +
                       " decades of N: over one decade or less almost any curve looks straight "
                       "on a log-log plot");
  }
}

// Runs of one size that share a seed share its part of the noise.
void warn_of_seeds_that_never_vary(Study& study) {
  bool replicates = false, init_varies = false, data_varies = false;
  for (const ArmLaws& arm : study.laws) {
    for (const SizeCell& cell : arm.cells) {
      const RunRecord& first = study.table.rows[cell.rows.front()].record;
      for (const std::size_t i : cell.rows) {
        const RunRecord& record = study.table.rows[i].record;
        replicates |= cell.seeds() > 1;
        init_varies |= record.seed_init != first.seed_init;
        data_varies |= record.seed_data != first.seed_data;
      }
    }
  }
  if (!replicates || (init_varies && data_varies)) return;
  if (!init_varies && !data_varies) {
    study.warnings.push_back(
        "between runs of one size neither seed varies: what is taken for noise between seeds is "
        "not, and is too small");
    return;
  }
  study.warnings.push_back(std::string("between runs of one size only the seed of ") +
                           (init_varies
                                ? "initialisation varies, never that of the order of the data"
                                : "the order of the data varies, never that of initialisation") +
                           ": the noise between seeds lacks that part and is too small");
}

bool has_count(const RunTable& table, NCount count) {
  return std::ranges::any_of(table.rows, [&](const RunRow& row) { return row.n(count) > 0; });
}

// Where too few sizes are left: runs of other D may be the reason.
std::string what_to_do(const Study& study) {
  const bool of_other_d = study.options.selection.train_tokens &&
                          std::ranges::any_of(study.table.excluded, [](const Exclusion& e) {
                            return e.reason.starts_with("trained on ");
                          });
  std::string advice =
      of_other_d ? "where D was chosen for each size, --tokens own takes all runs; " : "";
  if (study.table.tabled) return advice + "give a table with more sizes";
  return advice +
         "add sizes to the sweep (`scalelaw sweep status SPEC` says what is still missing)";
}

void tell_tuning(Study& study, const std::vector<std::filesystem::path>& paths) {
  study.rate_scans = rate_scans(paths, study.options.selection);
  for (Comparison& c : study.comparisons) {
    c.remarks.push_back(tuning_remark(study.rate_scans, c.arm_a, c.arm_b));
    const std::string warning = tuning_warning(study.rate_scans, c.arm_a, c.arm_b);
    if (!warning.empty()) study.warnings.push_back(warning);
  }
}

}  // namespace

Study analyse(const std::vector<std::filesystem::path>& paths, const LawOptions& options) {
  return analyse_runs(read_runs(paths), options, paths);
}

Study analyse_runs(RunTable table, const LawOptions& options,
                   const std::vector<std::filesystem::path>& paths) {
  Study study;
  study.options = options;
  study.table = std::move(table);
  select_runs(study.table, study.options.selection);
  const NCount chosen = study.options.selection.n_count;
  study.other_count = chosen == NCount::kNonEmbeddingPlusHead ? NCount::kNonEmbedding
                                                              : NCount::kNonEmbeddingPlusHead;
  study.laws = fit_arms(study.table, chosen, study.options);
  if (has_count(study.table, study.other_count)) {
    study.other_laws = fit_arms(study.table, study.other_count, study.options);
  }
  if (std::all_of(study.laws.begin(), study.laws.end(),
                  [](const ArmLaws& arm) { return arm.power.sizes < kFewestSizesForPowerLaw; })) {
    std::string there;
    for (const ArmLaws& arm : study.laws) {
      there += (there.empty() ? "" : ", ") + arm.arm + " has " + std::to_string(arm.power.sizes);
    }
    throw ConfigError("no law can be fitted: a power law needs runs of at least " +
                      std::to_string(kFewestSizesForPowerLaw) + " sizes in an arm, and " + there +
                      "; " + what_to_do(study));
  }
  study.multiverse = multiverse(study.table, study.options);
  study.warnings = study.table.warnings;
  warn_of_seeds_that_never_vary(study);
  for (const ArmLaws& arm : study.laws) warn_of_arm(arm, study.warnings);
  for (const ArmLaws& arm : study.other_laws) {
    if (!arm.left_out.empty()) study.warnings.push_back("arm " + arm.arm + ": " + arm.left_out);
  }
  study.noise = study.laws.front().noise;
  if (!study.noise.evaluation_known && study.table.tabled) {
    study.warnings.push_back(
        "of a table's losses nothing tells what the finite test text adds to slopes and "
        "differences: it is not counted");
  } else if (!study.noise.evaluation_known) {
    study.warnings.push_back(
        "losses of single test windows are not there for every run (window_losses.safetensors), or "
        "runs of one arm cut the text into different windows (n_ctx): "
        "what the finite test text adds to slopes and differences is not counted, and standard "
        "errors of single losses take windows for independent and are too small");
  }
  if (study.noise.seed.df == 0) {
    study.warnings.push_back(
        "no size has a second seed: the noise between seeds is not known, so a difference between "
        "two single runs cannot be judged");
  }
  study.other_comparisons = compare_all(study.table, study.other_laws, study.options);
  study.comparisons = compare_all(study.table, study.laws, study.options,
                                  study.other_laws.empty() ? nullptr : &study.other_comparisons);
  for (const Comparison& c : study.comparisons) {
    for (const std::string& warning : c.warnings) study.warnings.push_back(warning);
  }
  if (!study.table.tabled) tell_tuning(study, paths);
  std::size_t named = 0;
  for (const SweepSource& sweep : study.table.sweeps) named += sweep.not_used.size();
  const auto left_out = static_cast<std::size_t>(std::ranges::count_if(
      study.table.excluded, [](const Exclusion& each) { return !each.is_trial; }));
  if (left_out > named) {
    study.warnings.push_back(std::to_string(left_out) +
                             (left_out == 1 ? " run was" : " runs were") +
                             " left out in all, each named with its reason");
  }
  return study;
}

}  // namespace scalelaw
