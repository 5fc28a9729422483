// scalelaw-fit: from finished runs to laws, comparisons, figures and a page.
#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include "analysis/budget/budget_verb.h"
#include "analysis/figures/gnuplot.h"
#include "analysis/fit_law/law_verb.h"
#include "analysis/fit_options.h"
#include "analysis/frontier/frontier_verb.h"
#include "analysis/predict/predict_verb.h"
#include "analysis/predict/surface_verb.h"
#include "analysis/ranking/rank_verb.h"
#include "analysis/report/report.h"
#include "analysis/report/sections.h"
#include "analysis/study.h"
#include "trainer/command_line.h"
#include "trainer/config_error.h"
#include "trainer/escaped.h"
#include "trainer/number.h"
#include "trainer/program_exit.h"
#include "trainer/shell_word.h"
#include "trainer/writable_folder.h"

namespace {

using namespace scalelaw;

constexpr const char* kSources =
    "RUNS may be a sweep's record (runs/sweeps/NAME.json: it names the arms), a folder of runs, or "
    "run folders.\n"
    "Ends with 0 when a result stands (warnings included), 2 when none can, 1 when some of it "
    "could\n"
    "not be written, figures included.";

void add_common(CLI::App* verb, FitArguments& a, const std::string& example) {
  verb->footer("Example: " + example + "\n" + kSources);
  verb->add_option("runs", a.runs, "sweep record, folder of runs, or run folders")
      ->required()
      ->type_name("RUNS");
  add_selection(*verb, a);
  verb->add_option("--by", a.by, "what is compared: arm (of the sweep) or arch")
      ->capture_default_str();
  verb->add_option("--tokens", a.tokens,
                   "D: use runs of this many tokens (default: D of most runs)");
  add_whole(*verb, "--seed", a.seed, {}, "of the bootstrap");
  add_whole(*verb, "--bootstrap", a.bootstrap, {0, 1'000'000}, "replicates; 0: none");
  add_whole(*verb, "--threads", a.threads, {0, 1024}, "0: the cores there are; changes no number");
}

Study study_of(const FitArguments& a) {
  return analyse({a.runs.begin(), a.runs.end()}, options_from(a));
}

// Where no page holds the table of exclusions. Of many for one reason the first.
void name_left_out(const Study& study) {
  constexpr int kMostNamed = 5;
  std::map<std::string, int> times;
  for (const Exclusion& left_out : study.table.excluded) ++times[left_out.reason];
  std::map<std::string, int> named;
  for (const Exclusion& left_out : study.table.excluded) {
    const int all = times[left_out.reason];
    if (all > kMostNamed && ++named[left_out.reason] > 1) continue;
    std::cerr << "left out: " << escaped(left_out.folder_name);
    if (all > kMostNamed) std::cerr << " and " << all - 1 << " more";
    std::cerr << ": " << escaped(left_out.reason) << '\n';
  }
}

std::string command_of(const FitArguments& a) {
  std::string command = "scalelaw report";
  for (const std::string& run : a.runs) command += " " + shell_word(run);
  command += " --n-count " + a.n_count + " --by " + a.by + " --metric " + a.metric;
  if (!a.test_set.empty()) command += " --test-set " + shell_word(a.test_set);
  for (const std::string& bytes : a.bytes) command += " --bytes " + shell_word(bytes);
  if (!a.tokens.empty()) command += " --tokens " + shell_word(a.tokens);
  for (const std::string& flops : a.gain_at) command += " --gain-at " + shell_word(flops);
  if (!a.equivalent_within.empty()) {
    command += " --equivalent-within " + shell_word(a.equivalent_within);
  }
  return command + " --seed " + std::to_string(a.seed) + " --bootstrap " +
         std::to_string(a.bootstrap) + " --out " + shell_word(a.out);
}

void fit(const FitArguments& a) {
  const Study study = study_of(a);
  name_left_out(study);
  if (a.json) {
    std::cout << study_json(study);
    return;
  }
  Document document;
  add_laws(document, study);
  std::cout << to_markdown(document, "");
  warn(study.warnings);
}

void fit_of_any_kind(const CLI::App& verb, const FitArguments& a, const SurfaceArguments& surface,
                     LawArguments& law) {
  law.law = surface.law;
  law.arm = surface.arm;
  if (is_asked(verb, a, law)) return fit_law_verb(verb, a, law);
  if (a.runs.empty())
    throw ConfigError("runs is required (`scalelaw fit --help` lists what it takes)");
  verb.count("--law") == 0 ? fit(a) : fit_surface_verb(a, surface);
}

void compare(const FitArguments& a) {
  const Study study = study_of(a);
  if (study.comparisons.empty()) {
    throw ConfigError("one arm only (" + study.laws.front().arm +
                      "): a comparison needs two; give a sweep's record with arms, or runs of two "
                      "architectures");
  }
  if (a.json) {
    std::cout << study_json(study);
    return;
  }
  name_left_out(study);
  Document document;
  const Conclusions found = conclusions(study);
  document.lead(found.finding);
  document.list(found.support);
  add_comparisons(document, study);
  std::cout << to_markdown(document, "");
  warn(study.warnings);
}

// Before an analysis that could then be kept nowhere.
void require_writable_out(const FitArguments& a) {
  const std::string reason = why_not_writable(a.out);
  if (!reason.empty()) throw ConfigError("--out " + a.out + ": " + reason);
}

void figures(const FitArguments& a) {
  require_writable_out(a);
  const Study study = study_of(a);
  name_left_out(study);
  std::vector<std::string> warnings = study.warnings;
  for (const Figure& figure : study_figures(study, warnings)) {
    const RenderedFigure files = render(figure, a.out);
    std::cout << escaped(files.svg.string()) << '\n' << escaped(files.png.string()) << '\n';
  }
  warn(warnings);
}

void report(const FitArguments& a) {
  require_writable_out(a);
  const Study study = study_of(a);
  const ReportFiles files = write_report(study, a.out, command_of(a));
  const Conclusions found = conclusions(study);
  std::cout << escaped(found.finding) << "\n\n";
  for (const std::string& sentence : found.support) std::cout << "- " << escaped(sentence) << '\n';
  std::cout << "\nPage: "
            << escaped(std::filesystem::absolute(files.page).lexically_normal().string()) << '\n';
  warn(study.warnings);
  warn(files.warnings);
  if (!files.figures_missing.empty()) {
    throw std::runtime_error(files.figures_missing + "; the rest of the report is written");
  }
}

// "scalelaw report"
std::string command_name(int argc, char** argv) {
  for (const std::string verb :
       {"fit", "compare", "predict", "frontier", "rank", "budget", "figures", "report"}) {
    if (argc > 1 && argv[1] == verb) return "scalelaw " + verb;
  }
  return "scalelaw";
}

Outcome run(int argc, char** argv) {
  FitArguments a;
  CLI::App app{"From finished runs to scaling laws with honest intervals, figures and a page.",
               "scalelaw"};
  app.require_subcommand(1);
  CLI::App* fit_verb = app.add_subcommand("fit", "print the laws of each arm");
  add_common(fit_verb, a, "scalelaw fit runs/sweeps/quickstart.json --n-count non_embedding");
  fit_verb->add_flag("--json", a.json, "for scripts");
  SurfaceArguments surface;
  add_surface_options(*fit_verb, surface);
  LawArguments law;
  add_law_options(*fit_verb, law);
  CLI::App* compare_verb = app.add_subcommand("compare", "print what the data say of two arms");
  add_common(compare_verb, a, "scalelaw compare runs/sweeps/quickstart.json");
  add_comparison_options(*compare_verb, a);
  compare_verb->add_flag("--json", a.json, "for scripts");
  PredictVerb predict_verb(app);
  FrontierVerb frontier_verb(app);
  RankVerb rank_verb(app);
  BudgetVerb budget_verb(app);
  CLI::App* figures_verb = app.add_subcommand("figures", "draw learning curves, laws, positions");
  add_common(figures_verb, a, "scalelaw figures runs/sweeps/quickstart.json --out figures");
  add_folder(*figures_verb, "--out", a.out, "folder to write to");
  CLI::App* report_verb = app.add_subcommand("report", "all of it, as one page with its files");
  add_common(report_verb, a, "scalelaw report runs/sweeps/quickstart.json --out report");
  add_comparison_options(*report_verb, a);
  add_folder(*report_verb, "--out", a.out, "folder to write to");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return {end_parse(app, error, command_name(argc, argv), {argv + 1, argv + argc})};
  }
  if (*fit_verb) fit_of_any_kind(*fit_verb, a, surface, law);
  if (*compare_verb) compare(a);
  if (predict_verb.asked()) return predict_verb.run();
  if (frontier_verb.asked()) return frontier_verb.run();
  if (rank_verb.asked()) return rank_verb.run();
  if (budget_verb.asked()) return budget_verb.run();
  if (*figures_verb) figures(a);
  if (*report_verb) report(a);
  const bool makes_files = *figures_verb || *report_verb || !surface.out.empty();
  return {kExitComplete, makes_files ? Product::kFiles : Product::kText};
}

}  // namespace

int main(int argc, char** argv) {
  return run_main(command_name(argc, argv), [&] { return run(argc, argv); });
}
