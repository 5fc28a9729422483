// scalelaw-fit: from finished runs to laws, comparisons, figures and a page.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "analysis/figures/gnuplot.h"
#include "analysis/number_text.h"
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

struct Arguments {
  std::vector<std::string> runs;
  std::vector<std::string> bytes;  // "SET=NUMBER"
  std::string n_count = "non_embedding", by = "arm", test_set, metric = "nats_per_token", tokens;
  std::string out = "report";
  uint64_t seed = 1;
  int bootstrap = 2000, threads = 0;
  bool json = false;
};

constexpr const char* kSources =
    "RUNS may be a sweep's record (runs/sweeps/NAME.json: it names the arms), a folder of runs, or "
    "run folders.\n"
    "Ends with 0 when a result stands (warnings included), 2 when none can, 1 when some of it "
    "could\n"
    "not be written, figures included.";

void add_common(CLI::App* verb, Arguments& a, const std::string& example) {
  verb->footer("Example: " + example + "\n" + kSources);
  verb->add_option("runs", a.runs, "sweep record, folder of runs, or run folders")
      ->required()
      ->type_name("RUNS");
  verb->add_option("--n-count", a.n_count,
                   "what N counts: non_embedding, non_embedding_plus_head or total")
      ->capture_default_str();
  verb->add_option("--by", a.by, "what is compared: arm (of the sweep) or arch")
      ->capture_default_str();
  verb->add_option("--test-set", a.test_set,
                   "which test set's loss (default: the training text's own)");
  verb->add_option("--metric", a.metric, "nats_per_token, or bits_per_byte where tokenizers differ")
      ->capture_default_str();
  verb->add_option("--bytes", a.bytes,
                   "SET=NUMBER: bytes of text of a test set's whole split, for bits_per_byte of "
                   "runs whose records do not know them, or say otherwise")
      ->allow_extra_args(false);
  verb->add_option("--tokens", a.tokens,
                   "D: use runs of this many tokens (default: D of most runs)");
  add_whole(*verb, "--seed", a.seed, {}, "of the bootstrap");
  add_whole(*verb, "--bootstrap", a.bootstrap, {0, 1'000'000}, "replicates; 0: none");
  add_whole(*verb, "--threads", a.threads, {0, 1024}, "0: the cores there are; changes no number");
}

// A set's name may hold a =.
std::map<std::string, int64_t> text_bytes_from(const Arguments& a) {
  std::map<std::string, int64_t> all;
  for (const std::string& text : a.bytes) {
    const std::size_t equals = text.rfind('=');
    const std::optional<int64_t> bytes =
        equals == std::string::npos ? std::nullopt : parse_bytes(text.substr(equals + 1));
    if (!bytes || *bytes < 1) {
      throw ConfigError("--bytes " + text + ": is not SET=NUMBER, as books=1234567");
    }
    if (!all.emplace(text.substr(0, equals), *bytes).second) {
      throw ConfigError("--bytes " + text + ": of that set they are given twice");
    }
  }
  return all;
}

LawOptions options_from(const Arguments& a) {
  LawOptions options;
  const std::optional<NCount> n_count = n_count_from(a.n_count);
  if (!n_count) {
    throw ConfigError("--n-count " + a.n_count +
                      ": not a convention; it is one of non_embedding, non_embedding_plus_head, "
                      "total");
  }
  options.selection.n_count = *n_count;
  if (a.by != "arm" && a.by != "arch") {
    throw ConfigError("--by " + a.by + ": runs are grouped by arm or by arch");
  }
  options.selection.by = a.by == "arch" ? ArmGrouping::kArchitecture : ArmGrouping::kArm;
  if (a.metric != "nats_per_token" && a.metric != "bits_per_byte") {
    throw ConfigError("--metric " + a.metric +
                      ": not a metric; it is nats_per_token or "
                      "bits_per_byte");
  }
  options.selection.metric =
      a.metric == "bits_per_byte" ? LossMetric::kBitsPerByte : LossMetric::kNatsPerToken;
  options.selection.test_set = a.test_set;
  options.selection.text_bytes = text_bytes_from(a);
  if (!a.tokens.empty()) {
    options.selection.train_tokens = parse_real(a.tokens);
    if (!options.selection.train_tokens || *options.selection.train_tokens <= 0) {
      throw ConfigError("--tokens " + a.tokens + ": not a number of tokens such as 2.5M");
    }
  }
  options.seed = a.seed;
  options.bootstrap_replicates = a.bootstrap;
  options.threads = a.threads > 0
                        ? a.threads
                        : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  return options;
}

Study study_of(const Arguments& a) {
  return analyse({a.runs.begin(), a.runs.end()}, options_from(a));
}

void warn(const std::vector<std::string>& warnings) {
  for (const std::string& warning : warnings) std::cerr << "warning: " << escaped(warning) << '\n';
}

// Where no page holds the table of exclusions.
void name_left_out(const Study& study) {
  for (const Exclusion& left_out : study.table.excluded) {
    std::cerr << "left out: " << escaped(left_out.folder_name) << ": " << escaped(left_out.reason)
              << '\n';
  }
}

std::string command_of(const Arguments& a) {
  std::string command = "scalelaw report";
  for (const std::string& run : a.runs) command += " " + shell_word(run);
  command += " --n-count " + a.n_count + " --by " + a.by + " --metric " + a.metric;
  if (!a.test_set.empty()) command += " --test-set " + shell_word(a.test_set);
  for (const std::string& bytes : a.bytes) command += " --bytes " + shell_word(bytes);
  if (!a.tokens.empty()) command += " --tokens " + shell_word(a.tokens);
  return command + " --seed " + std::to_string(a.seed) + " --bootstrap " +
         std::to_string(a.bootstrap) + " --out " + shell_word(a.out);
}

void fit(const Arguments& a) {
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

void compare(const Arguments& a) {
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
void require_writable_out(const Arguments& a) {
  const std::string reason = why_not_writable(a.out);
  if (!reason.empty()) throw ConfigError("--out " + a.out + ": " + reason);
}

void figures(const Arguments& a) {
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

void report(const Arguments& a) {
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
  for (const std::string verb : {"fit", "compare", "figures", "report"}) {
    if (argc > 1 && argv[1] == verb) return "scalelaw " + verb;
  }
  return "scalelaw";
}

Outcome run(int argc, char** argv) {
  Arguments a;
  CLI::App app{"From finished runs to scaling laws with honest intervals, figures and a page.",
               "scalelaw"};
  app.require_subcommand(1);
  CLI::App* fit_verb = app.add_subcommand("fit", "print the laws of each arm");
  add_common(fit_verb, a, "scalelaw fit runs/sweeps/quickstart.json --n-count non_embedding");
  fit_verb->add_flag("--json", a.json, "for scripts");
  CLI::App* compare_verb = app.add_subcommand("compare", "print what the data say of two arms");
  add_common(compare_verb, a, "scalelaw compare runs/sweeps/quickstart.json");
  compare_verb->add_flag("--json", a.json, "for scripts");
  CLI::App* figures_verb = app.add_subcommand("figures", "draw learning curves, laws, positions");
  add_common(figures_verb, a, "scalelaw figures runs/sweeps/quickstart.json --out figures");
  add_folder(*figures_verb, "--out", a.out, "folder to write to");
  CLI::App* report_verb = app.add_subcommand("report", "all of it, as one page with its files");
  add_common(report_verb, a, "scalelaw report runs/sweeps/quickstart.json --out report");
  add_folder(*report_verb, "--out", a.out, "folder to write to");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return {end_parse(app, error, command_name(argc, argv), {argv + 1, argv + argc})};
  }
  if (*fit_verb) fit(a);
  if (*compare_verb) compare(a);
  if (*figures_verb) figures(a);
  if (*report_verb) report(a);
  return {kExitComplete, *figures_verb || *report_verb ? Product::kFiles : Product::kText};
}

}  // namespace

int main(int argc, char** argv) {
  return run_main(command_name(argc, argv), [&] { return run(argc, argv); });
}
