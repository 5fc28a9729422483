#include "analysis/kaplan/kaplan_verb.h"

#include <algorithm>
#include <iostream>

#include "analysis/kaplan/chain_text.h"
#include "analysis/kaplan/curves_of_runs.h"
#include "trainer/command_line.h"
#include "trainer/config_error.h"
#include "trainer/escaped.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

constexpr const char* kTableOptions[] = {"--map", "--where", "--run-column", "--warmup"};
constexpr const char* kRunOptions[] = {"--n-count", "--test-set", "--metric", "--bytes"};

void refuse(const CLI::App& verb, std::span<const char* const> options, const char* why) {
  for (const char* option : options) {
    if (verb.count(option) > 0) throw ConfigError(std::string(option) + why);
  }
}

std::optional<CriticalBatch> critical_from(const std::string& text) {
  if (text.empty()) return {};
  if (text == "kaplan") return published_critical_batch();
  return CriticalBatch(text, "as given");
}

}  // namespace

KaplanVerb::KaplanVerb(CLI::App& app)
    : verb_(
          app.add_subcommand("kaplan", "laws of compute from training curves, by Kaplan's chain")) {
  arguments_.bootstrap = 500;
  verb_
      ->add_option("runs", arguments_.runs,
                   "sweep record, folder of runs, run folders; or tables of training curves")
      ->required()
      ->type_name("RUNS|TABLE");
  add_selection(*verb_, arguments_);
  verb_->add_option("--arm", arm_, "whose runs (default: the only arm)");
  verb_->add_option("--b-crit", b_crit_,
                    "critical batch in tokens: kaplan, or a formula as '2.1e8 / L^(1/.21)' "
                    "(default: none, the naive law alone)");
  verb_->add_option("--data-law", data_law_,
                    "loss of data alone, for where compute asks too much of them: kaplan, or a "
                    "formula as '(5.4e13 / D)^.095' (default: not asked)");
  verb_->add_option("--map", maps_, "of a table: N=params,S=step,batch=batch_size*1024,L=val_loss")
      ->allow_extra_args(false);
  verb_->add_option("--where", where_, "of a table: only rows such as 'N > 1e6'");
  verb_->add_option("--run-column", run_column_, "of a table: rows of one value are a curve")
      ->capture_default_str();
  verb_->add_option("--warmup", warmup_, "of a table: steps of the warm-up, left out")
      ->capture_default_str();
  verb_->add_option("--smooth", reach_, "factor of steps that smoothing reaches to either side")
      ->capture_default_str();
  add_whole(*verb_, "--seed", arguments_.seed, {}, "of the bootstrap");
  add_whole(*verb_, "--bootstrap", arguments_.bootstrap, {0, 1'000'000}, "replicates; 0: none");
  add_whole(*verb_, "--threads", arguments_.threads, {0, 1024},
            "0: the cores there are; changes no number");
  verb_->add_flag("--json", arguments_.json, "for scripts");
  verb_->footer(
      "Example: scalelaw kaplan runs/sweeps/sizes.json --b-crit '5e6 / L^5'\n"
      "         scalelaw kaplan curves.csv --warmup 3000 --b-crit kaplan\n"
      "A table has the columns run, N, S, batch and L. docs/kaplan.md explains the output.\n"
      "Ends with 0 when some law stands (the others say what they lack), 2 when none can.");
}

CurveData KaplanVerb::data() const {
  const auto tables = std::ranges::count_if(
      arguments_.runs, [](const std::string& path) { return is_measurement_file(path); });
  if (tables == 0) {
    refuse(*verb_, kTableOptions, ": is of a table, and these are runs");
    Selection selection = options_from(arguments_).selection;
    return curves_of_runs(read_runs({arguments_.runs.begin(), arguments_.runs.end()}), selection,
                          arm_);
  }
  if (tables < static_cast<std::ptrdiff_t>(arguments_.runs.size())) {
    throw ConfigError("tables and runs are not read together: their N and loss may differ");
  }
  refuse(*verb_, kRunOptions, ": is of run folders; a table has columns, see --map");
  const std::optional<double> warmup = parse_real(warmup_);
  if (!warmup || *warmup < 0) {
    throw ConfigError("--warmup " + escaped(warmup_) + ": not a number of steps, as 3000");
  }
  Measurements table = read_measurements({arguments_.runs.begin(), arguments_.runs.end()}, {});
  return curves_of_table(std::move(table), {maps_, where_, "", arm_, run_column_}, *warmup);
}

ChainOptions KaplanVerb::options() const {
  ChainOptions o;
  o.bootstrap = options_from(arguments_).bootstrap();
  const std::optional<double> reach = parse_real(reach_);
  if (!reach || *reach <= 1) {
    throw ConfigError("--smooth " + escaped(reach_) + ": not a factor above 1, as 2");
  }
  o.smoothing.reach = *reach;
  if (data_law_ == "kaplan") {
    o.data_law = published_data_law();
  } else if (!data_law_.empty()) {
    o.data_law = data_law(data_law_, "as given");
  }
  return o;
}

Outcome KaplanVerb::run() const {
  const ChainOptions asked = options();
  std::optional<CriticalBatch> critical = critical_from(b_crit_);
  const CurveData curves = data();
  Chain chain = find_chain(curves, std::move(critical), asked);
  if (!chain.stands()) {
    std::string why = "no law of compute stands: " + chain.naive.why;
    if (!chain.left_out.empty()) {
      why += "; " + std::to_string(chain.left_out.size()) + " curves left out, the first " +
             chain.left_out.front().what + ": " + chain.left_out.front().why;
    }
    if (!chain.critical) {
      why += "; and L(N, S_min) needs B_crit: " + chain.no_critical;
    } else {
      why += "; L(N, S_min): " + chain.joint.fit.why;
    }
    throw ConfigError(escaped(curves.source) + ": " + escaped(why));
  }
  if (arguments_.json) {
    std::cout << to_json(curves, chain, asked);
  } else {
    std::cout << to_markdown(document_of(curves, chain, asked), "");
    warn(curves.warnings);
  }
  return {kExitComplete};
}

}  // namespace scalelaw
