// scalelaw-fit: from finished runs to laws, comparisons, figures and a page.
#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include "analysis/budget/budget_verb.h"
#include "analysis/figures/gnuplot.h"
#include "analysis/figures/paper_figures.h"
#include "analysis/figures/xy_figure.h"
#include "analysis/fit_law/law_verb.h"
#include "analysis/fit_options.h"
#include "analysis/frontier/frontier_verb.h"
#include "analysis/horizon.h"
#include "analysis/kaplan/kaplan_verb.h"
#include "analysis/measurements/runs_or_tables.h"
#include "analysis/predict/predict_verb.h"
#include "analysis/predict/surface_verb.h"
#include "analysis/propose/propose_verb.h"
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
                   "D: use runs of this many tokens (default: D of most runs); own: each size at "
                   "the D that it has");
  add_whole(*verb, "--seed", a.seed, {}, "of the bootstrap");
  add_whole(*verb, "--bootstrap", a.bootstrap, {0, 1'000'000}, "replicates; 0: none");
  add_whole(*verb, "--threads", a.threads, {0, 1024}, "0: the cores there are; changes no number");
}

// Beside run folders, tables of others.
void add_tables(CLI::App* verb, FitArguments& a) {
  verb->get_option("runs")->description(
      "sweep record, folder of runs, run folders; or tables (.csv, .tsv, .jsonl)");
  verb->add_option("--map", a.maps, "of tables: loss=val_loss,N=params,D=tokens*1e9")
      ->allow_extra_args(false);
  verb->add_option("--where", a.where, "only runs such as 'N > 1e8 and lr == 3e-4'");
  verb->add_option("--run-column", a.run_column,
                   "of tables: rows of one value are one run while it trains (default: run)");
}

RunTable table_of(const FitArguments& a, Selection& selection) {
  return read_runs_or_tables({a.runs.begin(), a.runs.end()}, {a.maps, a.where, a.run_column},
                             selection);
}

Study study_of(const FitArguments& a) {
  LawOptions options = options_from(a);
  RunTable table = table_of(a, options.selection);
  return analyse_runs(std::move(table), options, {a.runs.begin(), a.runs.end()});
}

// Where no page holds the table of exclusions. Of many for one reason the first.
void name_left_out(const RunTable& table) {
  constexpr int kMostNamed = 5;
  std::map<std::string, int> times;
  for (const Exclusion& left_out : table.excluded) ++times[left_out.reason];
  std::map<std::string, int> named;
  for (const Exclusion& left_out : table.excluded) {
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
  for (const std::string& map : a.maps) command += " --map " + shell_word(map);
  if (!a.where.empty()) command += " --where " + shell_word(a.where);
  if (!a.run_column.empty()) command += " --run-column " + shell_word(a.run_column);
  return command + " --seed " + std::to_string(a.seed) + " --bootstrap " +
         std::to_string(a.bootstrap) + " --out " + shell_word(a.out);
}

void fit(const FitArguments& a) {
  const Study study = study_of(a);
  name_left_out(study.table);
  if (a.json) {
    std::cout << study_json(study);
    return;
  }
  Document document;
  add_laws(document, study);
  add_multiverse(document, study);
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
  name_left_out(study.table);
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

void list_figures(const FitArguments& a) {
  DocumentTable table;
  table.caption = "Figures and tables of Kaplan et al. 2020 and Hoffmann et al. 2022";
  table.columns = {{"", false}, {"shows", false}, {"these runs", false}, {"drawn by", false}};
  for (const PaperFigure& figure :
       paper_figures(holdings(read_runs({a.runs.begin(), a.runs.end()})))) {
    std::string lacks;
    for (const std::string& what : figure.lacks) lacks += (lacks.empty() ? "lack " : "; ") + what;
    table.rows.push_back({figure.id, figure.shows, lacks.empty() ? "support it" : lacks,
                          figure.by.empty() ? "nothing yet" : figure.by});
  }
  Document document;
  document.add(table);
  std::cout << to_markdown(document, "");
}

void draw(const Figure& figure, const FitArguments& a) {
  const RenderedFigure files = render(figure, a.out);
  std::cout << escaped(files.svg.string()) << '\n' << escaped(files.png.string()) << '\n';
}

// Of runs of all D, unless --tokens says which.
void draw_xy(const FitArguments& a) {
  std::vector<XyColumns> wanted;
  for (const std::string& text : a.xy) wanted.push_back(xy_columns(text));
  Selection selection = options_from(a).selection;
  RunTable table = table_of(a, selection);
  keep_usable_runs(table, selection);
  if (selection.train_tokens) keep_horizon(table, selection);
  std::vector<std::string> warnings = table.warnings;
  std::vector<Figure> figures;
  for (const XyColumns& columns : wanted) {
    figures.push_back(xy_figure(table, selection, columns, warnings));
  }
  name_left_out(table);
  for (const Figure& figure : figures) draw(figure, a);
  warn(warnings);
}

void figures(const FitArguments& a) {
  if (a.list) return list_figures(a);
  require_writable_out(a);
  if (!a.xy.empty()) return draw_xy(a);
  const Study study = study_of(a);
  name_left_out(study.table);
  std::vector<std::string> warnings = study.warnings;
  for (const Figure& figure : study_figures(study, warnings)) draw(figure, a);
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
  for (const std::string verb : {"fit", "compare", "predict", "frontier", "kaplan", "propose",
                                 "rank", "budget", "figures", "report"}) {
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
  add_tables(compare_verb, a);
  compare_verb->add_flag("--json", a.json, "for scripts");
  PredictVerb predict_verb(app);
  FrontierVerb frontier_verb(app);
  KaplanVerb kaplan_verb(app);
  ProposeVerb propose_verb(app);
  RankVerb rank_verb(app);
  BudgetVerb budget_verb(app);
  CLI::App* figures_verb = app.add_subcommand("figures", "draw learning curves, laws, positions");
  add_common(figures_verb, a, "scalelaw figures runs/sweeps/quickstart.json --out figures");
  add_tables(figures_verb, a);
  add_folder(*figures_verb, "--out", a.out, "folder to write to");
  figures_verb->add_flag("--list", a.list,
                         "draw nothing: which figures of Kaplan's and Chinchilla's papers these "
                         "runs support, and what they lack for the others");
  figures_verb
      ->add_option("--xy", a.xy,
                   "draw this alone: one column of runs.csv against another, as "
                   "learning_rate,loss_nats; may be given again")
      ->type_name("X,Y")
      ->allow_extra_args(false);
  CLI::App* report_verb = app.add_subcommand("report", "all of it, as one page with its files");
  add_common(report_verb, a, "scalelaw report runs/sweeps/quickstart.json --out report");
  add_comparison_options(*report_verb, a);
  add_tables(report_verb, a);
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
  if (kaplan_verb.asked()) return kaplan_verb.run();
  if (propose_verb.asked()) return propose_verb.run();
  if (rank_verb.asked()) return rank_verb.run();
  if (budget_verb.asked()) return budget_verb.run();
  if (*figures_verb) figures(a);
  if (*report_verb) report(a);
  const bool makes_files = (*figures_verb && !a.list) || *report_verb || !surface.out.empty();
  return {kExitComplete, makes_files ? Product::kFiles : Product::kText};
}

}  // namespace

int main(int argc, char** argv) {
  return run_main(command_name(argc, argv), [&] { return run(argc, argv); });
}
