#include "analysis/propose/propose_verb.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <iostream>

#include "analysis/measurements/runs_or_tables.h"
#include "analysis/propose/proposals_text.h"
#include "analysis/propose/proposed_sweep.h"
#include "analysis/propose/waiting_cells.h"
#include "trainer/atomic_file.h"
#include "trainer/command_line.h"
#include "trainer/config_error.h"
#include "trainer/escaped.h"
#include "trainer/number.h"
#include "trainer/shell_word.h"
#include "trainer/writable_folder.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

bool is_sweep_name(const std::string& name) {
  return !name.empty() && name.front() != '.' && name.front() != '-' && name.size() <= 100 &&
         std::ranges::all_of(name, [](unsigned char c) {
           return c < 128 && (std::isalnum(c) != 0 || c == '_' || c == '-' || c == '.');
         });
}

// Before an analysis that could then be kept nowhere.
void require_new_file(const std::string& out) {
  const fs::path file = out;
  if (file.extension() != ".yaml" && file.extension() != ".yml") {
    throw ConfigError("--out " + escaped(out) + ": is a sweep file's name, which ends in .yaml");
  }
  if (!is_sweep_name(file.stem().string())) {
    throw ConfigError("--out " + escaped(out) +
                      ": the sweep takes the file's name, and one is of letters, digits, '_', '-' "
                      "and '.'");
  }
  if (fs::symlink_status(file).type() != fs::file_type::not_found) {
    throw ConfigError("--out " + escaped(out) +
                      ": is there already and is not replaced; give another name");
  }
  const fs::path folder = file.has_parent_path() ? file.parent_path() : ".";
  if (!fs::is_directory(folder)) {
    throw ConfigError("--out " + escaped(out) + ": there is no folder " + escaped(folder.string()) +
                      "; make it first");
  }
  const std::string reason = why_not_writable(folder);
  if (!reason.empty()) throw ConfigError("--out " + escaped(out) + ": " + reason);
}

}  // namespace

ProposeVerb::ProposeVerb(CLI::App& app)
    : verb_(app.add_subcommand("propose", "which runs to make next, as a file for the sweep")) {
  verb_
      ->add_option("runs", arguments_.runs,
                   "sweep record, folder of runs, run folders; or tables (.csv, .tsv, .jsonl)")
      ->required()
      ->type_name("RUNS|TABLE");
  add_selection(*verb_, arguments_);
  verb_->add_option("--by", arguments_.by, "what an arm is: arm (of the sweep) or arch")
      ->capture_default_str();
  verb_->add_option("--tokens", arguments_.tokens,
                    "D of slopes and seeds (default: D of most runs); own: each size at the D that "
                    "it has");
  verb_
      ->add_option("--c-count", c_count_,
                   "how FLOPs of run folders count: six_n, six_n_plus_head, exact_causal, "
                   "exact_full, chinchilla")
      ->capture_default_str();
  verb_->add_option("--tolerance", tolerance_, "share of C by which runs of one budget may differ")
      ->capture_default_str();
  verb_->add_option("--flops", flops_, "what all proposals may cost, as 1e15");
  add_whole(*verb_, "--most", most_, {1, 1000}, "proposals; seeds of one size are one");
  verb_->add_option("--out", out_, "sweep file to write, as next.yaml; never replaced")
      ->type_name("FILE");
  verb_->add_option("--map", arguments_.maps, "of tables: loss=val_loss,N=params,D=tokens*1e9")
      ->allow_extra_args(false);
  verb_->add_option("--where", arguments_.where, "only runs such as 'N > 1e8 and lr == 3e-4'");
  verb_->add_option("--run-column", arguments_.run_column,
                    "of tables: rows of one value are one run while it trains (default: run)");
  verb_->add_flag("--json", arguments_.json, "for scripts");
  verb_->footer(
      "Example: scalelaw propose runs/sweeps/study.json --flops 1e14 --out next.yaml\n"
      "         scalelaw sweep plan next.yaml\n"
      "         scalelaw propose others.csv --map loss=val_loss,N=params,D=tokens\n"
      "Sizes and seeds that narrow a slope, sizes past the edge of a budget or where it has few,\n"
      "seeds where noise decides between arms. docs/report.md says how they are chosen.\n"
      "Ends with 0, also where there is nothing to propose, 2 for runs that cannot be read.");
}

ProposeOptions ProposeVerb::options() const {
  ProposeOptions options;
  options.law = options_from(arguments_);
  const std::optional<CCount> c_count = c_count_from(c_count_);
  if (!c_count) {
    throw ConfigError("--c-count " + escaped(c_count_) +
                      ": not a count; it is one of six_n, six_n_plus_head, exact_causal, "
                      "exact_full, chinchilla");
  }
  options.budgets.c_count = *c_count;
  const std::optional<double> tolerance = parse_real(tolerance_);
  if (!tolerance || *tolerance < 0 || *tolerance > 1) {
    throw ConfigError("--tolerance " + escaped(tolerance_) + ": not a share of C, as 5%");
  }
  options.budgets.tolerance = *tolerance;
  options.most = most_;
  if (flops_.empty()) return options;
  options.flops = parse_real(flops_);
  if (!options.flops || *options.flops <= 0) {
    throw ConfigError("--flops " + escaped(flops_) + ": not a number above 0, as 1e15");
  }
  return options;
}

void ProposeVerb::write(const Proposals& proposals) const {
  if (proposals.proposals.empty()) {
    warn({out_ + " is not written: there is nothing to run"});
    return;
  }
  const fs::path file = out_;
  const std::string text = proposed_sweep(proposals, file.stem().string());
  if (!publish_atomically(file, text)) {
    throw ConfigError("--out " + escaped(out_) +
                      ": is there already and is not replaced; give another name");
  }
  if (!arguments_.json) {
    std::cout << "\nWritten: " << escaped(out_) << "; see what it costs with scalelaw sweep plan "
              << escaped(shell_word(out_)) << '\n';
  }
}

Outcome ProposeVerb::run() const {
  ProposeOptions asked = options();
  if (!out_.empty()) require_new_file(out_);
  const std::vector<fs::path> paths(arguments_.runs.begin(), arguments_.runs.end());
  const RunTable table = read_runs_or_tables(
      paths, {arguments_.maps, arguments_.where, arguments_.run_column}, asked.law.selection);
  if (!out_.empty() && table.tabled) {
    throw ConfigError("--out " + escaped(out_) +
                      ": a table of runs has no settings from which a sweep file could be written; "
                      "leave it out, and the proposals are printed");
  }
  if (verb_->count("--c-count") > 0 && table.tabled) {
    throw ConfigError(
        "--c-count: is of run folders; a table's compute is its column C, else 6 N D");
  }
  if (!table.tabled) asked.budgets.waiting = waiting_cells(paths);
  const Proposals proposals = propose(table, asked);
  if (arguments_.json) {
    std::cout << to_json(proposals);
  } else {
    std::cout << to_markdown(document_of(proposals), "");
    warn(proposals.warnings);
  }
  if (!out_.empty()) write(proposals);
  return {kExitComplete, out_.empty() ? Product::kText : Product::kFiles};
}

}  // namespace scalelaw
