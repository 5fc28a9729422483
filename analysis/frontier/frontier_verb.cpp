#include "analysis/frontier/frontier_verb.h"

#include <algorithm>
#include <iostream>
#include <sstream>

#include "analysis/figures/gnuplot.h"
#include "analysis/frontier/frontier_figure.h"
#include "analysis/frontier/frontier_runs.h"
#include "analysis/frontier/frontier_text.h"
#include "trainer/command_line.h"
#include "trainer/config_error.h"
#include "trainer/escaped.h"
#include "trainer/number.h"
#include "trainer/writable_folder.h"

namespace scalelaw {
namespace {

constexpr const char* kTableOptions[] = {"--map",          "--where",  "--run-column",
                                         "--error-column", "--optima", "--drop-highest"};
constexpr const char* kRunOptions[] = {"--n-count",  "--c-count", "--arm",
                                       "--test-set", "--metric",  "--bytes"};

double positive(const std::string& option, const std::string& text, const std::string& example) {
  const std::optional<double> value = parse_real(text);
  if (!value || *value <= 0) {
    throw ConfigError(option + " " + text + ": not a number above 0, as " + example);
  }
  return *value;
}

}  // namespace

FrontierVerb::FrontierVerb(CLI::App& app)
    : verb_(app.add_subcommand("frontier",
                               "the best size of a budget by all of Chinchilla's approaches")) {
  arguments_.bootstrap = 1000;
  verb_
      ->add_option(
          "runs", arguments_.runs,
          "sweep record, folder of runs, run folders; or one table of runs (CSV, TSV, JSON lines)")
      ->required()
      ->type_name("RUNS|TABLE");
  add_selection(*verb_, arguments_);
  verb_
      ->add_option("--c-count", c_count_,
                   "how C counts: exact_causal, exact_full, six_n, six_n_plus_head or chinchilla")
      ->capture_default_str();
  verb_->add_option("--arm", arm_, "whose runs (default: the only arm)");
  add_table_options();
  add_fit_options();
  verb_->footer(
      "Example: scalelaw frontier runs/sweeps/isoflop.json --out report/frontier\n"
      "         scalelaw frontier runs.csv --map N=params,C=flops --at 1e21,1e23\n"
      "Every approach is shown beside the others and the published ones; what a minimum at the end "
      "of its\nsizes says is a bound, and on no line. docs/frontier.md explains the output.\n"
      "Ends with 0 when a result stands (warnings included), 2 when none can, 1 when the figure "
      "could\nnot be written.");
}

void FrontierVerb::add_table_options() {
  verb_
      ->add_option("--map", reading_.maps,
                   "of a table: loss=val_loss,N=params,C=exaflops*1e18; without D it is C / 6N, "
                   "without C 6 N D")
      ->allow_extra_args(false);
  verb_->add_option("--where", reading_.where,
                    "of a table: only rows such as 'N > 1e8 and arm == moe'");
  verb_
      ->add_option("--run-column", reading_.run,
                   "of a table: rows of one run are its loss curve (default: run, run_id)")
      ->type_name("COLUMN");
  verb_
      ->add_option("--error-column", reading_.error,
                   "of a table of minima: standard deviation of ln N* (default: n_star_std)")
      ->type_name("COLUMN");
  verb_->add_flag("--optima", reading_.optima,
                  "rows of the table are minima of budgets, not runs: N* and C");
  add_whole(*verb_, "--drop-highest", reading_.drop_highest, {0, 1'000'000},
            "leave out so many points of a table, of the highest losses");
}

void FrontierVerb::add_fit_options() {
  verb_
      ->add_option("--tolerance", tolerance_,
                   "runs whose C differs by this share at most are of one budget")
      ->capture_default_str();
  verb_
      ->add_option("--same-size", same_size_,
                   "of several runs of a size in a budget: mean, or lowest where they were tuned")
      ->capture_default_str();
  verb_
      ->add_option("--weights", weights_,
                   "of the minima in N* = G C^a: equal, or error (1 / standard error squared)")
      ->capture_default_str();
  verb_->add_option("--noise", noise_,
                    "sd of ln L between runs (default: from the parabolas' residuals)");
  verb_->add_option("--huber-delta", huber_delta_, "of approach 3, in ln L")->capture_default_str();
  verb_->add_option("--at", at_,
                    "budgets in FLOPs, with commas (default: the smallest, the largest, 10 x it)");
  add_whole(*verb_, "--seed", arguments_.seed, {}, "of the bootstrap and of simulated noise");
  add_whole(*verb_, "--bootstrap", arguments_.bootstrap, {0, 1'000'000}, "replicates; 0: none");
  add_whole(*verb_, "--threads", arguments_.threads, {0, 1024},
            "0: the cores there are; changes no number");
  verb_->add_option("--out", out_, "folder for the figure (default: none is drawn)");
  verb_->add_flag("--json", arguments_.json, "for scripts");
}

bool FrontierVerb::is_table() const {
  const auto tables = std::ranges::count_if(arguments_.runs, is_measurement_file);
  if (tables > 0 && arguments_.runs.size() > 1) {
    throw ConfigError("a table is read alone: its N, C and loss may be other conventions'");
  }
  return tables == 1;
}

FrontierData FrontierVerb::data() const {
  const bool table = is_table();
  for (const char* option : kTableOptions) {
    if (!table && verb_->count(option) > 0) {
      throw ConfigError(std::string(option) + ": is of a table, and these are runs");
    }
  }
  for (const char* option : kRunOptions) {
    if (table && verb_->count(option) > 0) {
      throw ConfigError(std::string(option) +
                        ": is of run folders; a table has columns, see --map");
    }
  }
  if (table) {
    return frontier_from_table(read_measurements({arguments_.runs.front()}, {}), reading_);
  }
  const std::optional<CCount> c_count = c_count_from(c_count_);
  if (!c_count) {
    throw ConfigError("--c-count " + c_count_ +
                      ": not a convention; it is one of exact_causal, exact_full, six_n, "
                      "six_n_plus_head, chinchilla");
  }
  Selection selection = options_from(arguments_).selection;
  return frontier_from_runs(read_runs({arguments_.runs.begin(), arguments_.runs.end()}), selection,
                            *c_count, arm_);
}

FrontierOptions FrontierVerb::options() const {
  FrontierOptions o;
  const LawOptions common = options_from(arguments_);
  o.bootstrap = common.bootstrap();
  o.isoflop.seed = o.envelope.seed = common.seed;
  o.isoflop.tolerance = positive("--tolerance", tolerance_, "5%");
  o.huber_delta = positive("--huber-delta", huber_delta_, "0.001");
  if (!noise_.empty()) o.isoflop.noise = positive("--noise", noise_, "0.002");
  if (same_size_ != "mean" && same_size_ != "lowest") {
    throw ConfigError("--same-size " + same_size_ + ": it is mean or lowest");
  }
  o.isoflop.same_size = same_size_ == "mean" ? SameSize::kMean : SameSize::kLowest;
  if (weights_ != "equal" && weights_ != "error") {
    throw ConfigError("--weights " + weights_ + ": it is equal or error");
  }
  o.weighted = weights_ == "error";
  std::istringstream list(at_);
  for (std::string text; std::getline(list, text, ',');) {
    o.budgets.push_back(positive("--at", text, "1e21,1e23"));
  }
  return o;
}

Outcome FrontierVerb::run() const {
  if (!out_.empty()) {
    const std::string reason = why_not_writable(out_);
    if (!reason.empty()) throw ConfigError("--out " + out_ + ": " + reason);
  }
  const FrontierOptions asked = options();
  const Frontier frontier = find_frontier(data(), asked);
  if (arguments_.json) {
    std::cout << to_json(frontier);
  } else {
    std::cout << to_markdown(document_of(frontier), "");
    warn(frontier.warnings);
  }
  if (out_.empty()) return {kExitComplete, Product::kText};
  const RenderedFigure files = render(frontier_figure(frontier), out_);
  if (!arguments_.json) {
    std::cout << escaped(files.svg.string()) << '\n' << escaped(files.png.string()) << '\n';
  }
  return {kExitComplete, Product::kFiles};
}

}  // namespace scalelaw
