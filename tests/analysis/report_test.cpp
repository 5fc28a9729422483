#include "analysis/report/report.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "analysis/figures/gnuplot.h"
#include "analysis/report/sections.h"
#include "tests/support/program.h"
#include "tests/support/synthetic_runs.h"
#include "tests/support/temp_dir.h"
#include "trainer/atomic_file.h"
#include "trainer/cell_exclusion.h"
#include "trainer/config_error.h"
#include "trainer/sweep_record.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

constexpr const char* kHostile =
    "<script>alert(1)</script> `touch hacked` $(x) 'q' \"d\" {/Symbol a}_b^c %d";

TEST(Gnuplot, LabelsStandInSingleQuotesWhereNothingIsSubstituted) {
  EXPECT_EQ(gnuplot_quoted("it's `x`"), "'it''s `x`'");
  EXPECT_EQ(gnuplot_quoted("two\nlines"), "'two lines'");
  Figure figure;
  figure.id = "f";
  figure.panels.push_back({});
  figure.panels[0].title = kHostile;
  EXPECT_EQ(gnuplot_script(figure).find('"'), gnuplot_script(figure).find("\"d\""));
}

TEST(Figures, LogTicksAreRoundAndInsideTheAxis) {
  for (const auto& [low, high] :
       {std::pair{1.78, 3.02}, std::pair{2.0, 2.2}, std::pair{1e3, 2e5}}) {
    const std::vector<double> ticks = log_ticks(low, high);
    EXPECT_GE(ticks.size(), 4u);
    EXPECT_LE(ticks.size(), 16u);
    for (const double tick : ticks) EXPECT_TRUE(tick >= low * .999 && tick <= high * 1.001);
  }
}

TEST(Document, EachFormEscapesItsOwnMarkup) {
  Document document;
  document.title = kHostile;
  document.paragraph("a | b <i> *c*");
  document.paragraph(std::string("\x1b[2J \x00 <b", 9));
  document.add(DocumentTable{"t", {{"x", false}}, {{"1 | 2\n3"}}});
  const std::string html = to_html(document, {}, ""), markdown = to_markdown(document, "");
  EXPECT_EQ(html.find("<script"), std::string::npos);
  EXPECT_NE(html.find("&lt;script&gt;"), std::string::npos);
  EXPECT_NE(html.find("a | b &lt;i&gt; *c*"), std::string::npos);
  EXPECT_NE(html.find("<p>\\x1b[2J \\x00 &lt;b</p>"), std::string::npos) << html;
  EXPECT_EQ(markdown.find("<script"), std::string::npos);
  EXPECT_NE(markdown.find("| 1 \\| 2 3 |"), std::string::npos) << markdown;
}

class Program : public ::testing::Test {
 protected:
  ProgramResult fit(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "scalelaw-fit");
    return run_program(arguments);
  }
  TempDir temp_;
  fs::path runs_ = temp_.path() / "runs";
};

TEST_F(Program, ReportWritesAPageWithFiguresTablesAndItsData) {
  const fs::path sweep = write_synthetic_sweep(runs_, "pilot", pilot_runs());
  const fs::path out = temp_.path() / "a report";
  const ProgramResult result =
      fit({"report", sweep.string(), "--out", out.string(), "--bootstrap", "200"});
  ASSERT_EQ(result.exit_code, 0) << result.output;
  EXPECT_NE(result.output.find("falls more steeply with N"), std::string::npos) << result.output;
  const ProgramResult compared = fit({"compare", sweep.string(), "--bootstrap", "0"});
  EXPECT_NE(compared.output.find("falls more steeply with N"), std::string::npos)
      << compared.output;
  EXPECT_NE(result.output.find("Page: " + (out / "report.html").string()), std::string::npos);
  const std::string page = read_whole_file(out / "report.html");
  EXPECT_NE(page.find("<svg"), std::string::npos);
  EXPECT_NE(page.find("at D = 2.5M tokens"), std::string::npos);
  EXPECT_NE(page.find("set of E, F profile"), std::string::npos);
  EXPECT_NE(page.find("Words on this page"), std::string::npos);
  EXPECT_EQ(page.find("by Holm over all pairs"), std::string::npos);  // there is one pair
  for (const char* head : {"non_<wbr>", "plus_<wbr>"}) {
    EXPECT_EQ(page.find(head), std::string::npos) << head;
  }
  EXPECT_NE(page.find("blocks of neighbouring windows"), std::string::npos);
  EXPECT_NE(page.find("A size weighs 1 /"), std::string::npos);
  EXPECT_NE(page.find("0123456789ab"), std::string::npos);  // the commit
  const auto laws = nlohmann::json::parse(read_whole_file(out / "laws.json"));
  EXPECT_NEAR(laws["comparisons"][0]["slope_difference"].get<double>(), .021, .002);
  EXPECT_EQ(laws["laws"].size(), 4u);  // two arms by two conventions
  for (const char* file : {"report.md", "runs.csv", "figures/laws.png", "figures/laws.gp",
                           "figures/learning_curves.svg", "figures/loss_by_position.dat"}) {
    EXPECT_TRUE(fs::exists(out / file)) << file;
  }
}

TEST_F(Program, FiguresThatCannotBeRenderedEndWithOneAndLoseNothingElse) {
  const fs::path sweep = write_synthetic_sweep(runs_, "pilot", pilot_runs());
  const fs::path out = temp_.path() / "out";
  const fs::path gnuplot = temp_.path() / "gnuplot";
  const std::string path = std::getenv("PATH");
  setenv("PATH", temp_.path().c_str(), 1);
  const auto report = [&] {
    return fit({"report", sweep.string(), "--out", out.string(), "--bootstrap", "0"});
  };
  const ProgramResult absent = report();
  std::ofstream(gnuplot) << "#!/bin/sh\nexit 7\n";
  fs::permissions(gnuplot, fs::perms::owner_all);
  const ProgramResult silent = report();
  setenv("PATH", path.c_str(), 1);
  EXPECT_EQ(absent.exit_code, 1);
  EXPECT_NE(absent.output.find("report: error: figures are missing: gnuplot is not installed"),
            std::string::npos)
      << absent.output;
  EXPECT_EQ(silent.exit_code, 1);
  EXPECT_NE(silent.output.find("it ended with exit status 7 and said nothing"), std::string::npos)
      << silent.output;
  for (const char* file : {"report.html", "report.md", "runs.csv", "laws.json", "figures/laws.gp",
                           "figures/loss_by_position.dat"}) {
    EXPECT_TRUE(fs::exists(out / file)) << file;
  }
  EXPECT_NE(read_whole_file(out / "report.md").find("figures are missing"), std::string::npos);
}

// Every key of nested objects, once.
void collect_keys(const nlohmann::json& value, std::set<std::string>& keys) {
  if (value.is_array() && !value.empty()) collect_keys(value.front(), keys);
  if (!value.is_object()) return;
  for (const auto& [key, inner] : value.items()) {
    keys.insert(key);
    collect_keys(inner, keys);
  }
}

TEST_F(Program, EveryColumnAndKeyOfAReportIsDescribed) {
  const fs::path sweep = write_synthetic_sweep(runs_, "pilot", pilot_runs());
  const fs::path out = temp_.path() / "out";
  ASSERT_EQ(fit({"report", sweep.string(), "--out", out.string(), "--bootstrap", "0",
                 "--equivalent-within", "0.01"})
                .exit_code,
            0);
  std::set<std::string> names;
  collect_keys(nlohmann::json::parse(read_whole_file(out / "laws.json")), names);
  std::istringstream header(read_whole_file(out / "runs.csv"));
  std::string line;
  std::getline(header, line);
  std::istringstream columns(line);
  for (std::string column; std::getline(columns, column, ',');) names.insert(column);
  EXPECT_GT(names.size(), 80u);
  const std::string page = read_whole_file(fs::path(SCALELAW_SOURCE_DIR) / "docs/report.md");
  for (const std::string& name : names) {
    EXPECT_TRUE(page.find("`" + name + "`") != std::string::npos ||
                page.find("." + name + "`") != std::string::npos)
        << name;
  }
}

TEST_F(Program, HostileNamesAreTextInEveryForm) {
  std::vector<SyntheticRun> cells;
  for (const char* arm : {kHostile, "b\n`id`'\\"}) {
    for (SyntheticRun& run : power_law_runs(arm, 2.4, .1, .01, 4, 1, 3)) {
      run.folder =
          std::string(arm == kHostile ? "`id` <b>'" : "x\ny ") + std::to_string(run.d_model);
      cells.push_back(run);
    }
  }
  const fs::path sweep = write_synthetic_sweep(runs_, "hostile", cells);
  // What is wrong with a record is quoted from it.
  std::ofstream(runs_ / cells.back().folder / "run.json")
      << R"({"version": 1, "state": "<script>alert(2)</script>\u001b\u0000"})";
  const fs::path out = temp_.path() / "`touch hacked`";
  const ProgramResult result =
      fit({"report", sweep.string(), "--out", out.string(), "--bootstrap", "100"});
  ASSERT_EQ(result.exit_code, 0) << result.output;
  EXPECT_FALSE(fs::exists(out / "figures" / "hacked"));
  EXPECT_FALSE(fs::exists("hacked"));
  EXPECT_TRUE(fs::exists(out / "figures" / "laws.svg"));
  for (const char* file : {"report.html", "report.md", "figures/laws.svg"}) {
    EXPECT_EQ(read_whole_file(out / file).find("<script>alert"), std::string::npos) << file;
  }
}

TEST_F(Program, WeakDataGetAResultWithWarnings) {
  // Three sizes over less than a decade, one arm, one seed.
  for (const int64_t d_model : {16, 20, 24}) {
    SyntheticRun run;
    run.d_model = d_model;
    run.loss_nats = 3 * std::pow(static_cast<double>(d_model), -.1);
    write_synthetic_run(runs_, run);
  }
  const ProgramResult result = fit({"fit", runs_.string(), "--bootstrap", "100"});
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_NE(result.output.find("one decade or less"), std::string::npos) << result.output;
  EXPECT_NE(result.output.find("a law with a floor needs at least 4"), std::string::npos);
  EXPECT_NE(result.output.find("no size has a second seed"), std::string::npos);
  const ProgramResult compared = fit({"compare", runs_.string()});
  EXPECT_EQ(compared.exit_code, 2);
  EXPECT_NE(compared.output.find("one arm only"), std::string::npos) << compared.output;
}

TEST_F(Program, CompareNamesTheRunsThatWereLeftOut) {
  std::vector<SyntheticRun> cells = pilot_runs();
  cells[1].state = RunState::kDiverged;
  const fs::path sweep = write_synthetic_sweep(runs_, "gap", cells);
  const ProgramResult result = fit({"compare", sweep.string(), "--bootstrap", "0"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_NE(result.output.find("left out: transformer_w12_i1-"), std::string::npos)
      << result.output;
  EXPECT_NE(result.output.find(": diverged"), std::string::npos);
}

TEST_F(Program, NamesAndReasonsOfRunsLeftOutAreEscapedForTheTerminal) {
  const fs::path sweep = write_synthetic_sweep(runs_, "gap", pilot_runs());
  SweepRecord record = read_sweep_record(sweep);
  SweepCell& cell = record.cells[1];
  fs::rename(runs_ / cell.folder, runs_ / "a\u202eb");
  cell.folder = "a\u202eb";
  write_sweep_record(sweep, record);
  exclude_cell(sweep, {cell.content_hash, cell.folder,
                       "its GPU\xc2\x9b"
                       "2J",
                       ""});
  for (const char* verb : {"fit", "compare"}) {
    const std::string output = fit({verb, sweep.string(), "--bootstrap", "0"}).output;
    EXPECT_NE(output.find(R"(left out: a\u202eb: excluded: its GPU\u009b2J)"), std::string::npos)
        << output;
    EXPECT_EQ(output.find("\u202e"), std::string::npos) << output;
    EXPECT_EQ(output.find("\xc2\x9b"), std::string::npos) << output;
  }
}

TEST_F(Program, SeedsThatNeverVaryAreWarnedOf) {
  const fs::path sweep = write_synthetic_sweep(runs_, "pilot", pilot_runs());
  const std::string warning = "only the seed of initialisation varies";
  EXPECT_EQ(fit({"fit", sweep.string(), "--bootstrap", "0"}).output.find(warning),
            std::string::npos);
  for (const fs::directory_entry& entry : fs::directory_iterator(runs_)) {
    const RunFolder folder{entry.path()};
    if (!fs::exists(folder.record())) continue;
    auto record = nlohmann::json::parse(read_whole_file(folder.record()));
    record["seed_data"] = 1;
    write_atomically(folder.record(), record.dump());
  }
  const ProgramResult result = fit({"fit", sweep.string(), "--bootstrap", "0"});
  EXPECT_NE(result.output.find(warning), std::string::npos) << result.output;
  for (const fs::directory_entry& entry : fs::directory_iterator(runs_)) {
    const RunFolder folder{entry.path()};
    if (!fs::exists(folder.record())) continue;
    auto record = nlohmann::json::parse(read_whole_file(folder.record()));
    record["seed_init"] = 1;
    write_atomically(folder.record(), record.dump());
  }
  const ProgramResult neither = fit({"fit", sweep.string(), "--bootstrap", "0"});
  EXPECT_NE(neither.output.find("neither seed varies"), std::string::npos) << neither.output;
  EXPECT_EQ(neither.output.find("the order of the data varies"), std::string::npos);
}

TEST_F(Program, WhatIsNotThereIsNullInLawsJson) {
  std::vector<SyntheticRun> cells = power_law_runs("short", 2.4, .1, .01, 3, 1, 3);
  for (const SyntheticRun& run : power_law_runs("rises", 2.4, -.05, .001, 6, 1, 4)) {
    cells.push_back(run);
  }
  for (SyntheticRun& run : cells) run.test_windows = 16;  // too few for blocks
  const fs::path sweep = write_synthetic_sweep(runs_, "weak", cells);
  const auto out =
      nlohmann::json::parse(fit({"compare", sweep.string(), "--json", "--bootstrap", "0"}).output);
  const auto& pair = out["comparisons"][0];
  ASSERT_EQ(pair["status"], "converged");
  EXPECT_EQ(pair["free_floors"].size(), 2u) << pair["free_floors"];  // status and why
  EXPECT_EQ(out["evaluation_noise_known"], false);
  EXPECT_TRUE(pair["standard_error_of_test_text"].is_null());
  ASSERT_FALSE(pair["at_equal_n"].empty());
  EXPECT_EQ(pair["at_equal_n"][0]["test_text_counted"], false);
  const std::string page = fit({"compare", sweep.string(), "--bootstrap", "0"}).output;
  EXPECT_NE(page.find("| of it, the test text's | - |"), std::string::npos) << page;
  EXPECT_NE(page.find("without what the test text adds, which is not known"), std::string::npos);
  const auto& rises = out["laws"][1];
  ASSERT_EQ(rises["arm"], "rises");
  EXPECT_TRUE(rises["power_law"]["n_c"].is_null());
  EXPECT_FALSE(rises["power_law_with_floor"]["least_squares"].contains("alpha"));
  EXPECT_TRUE(rises["power_law_with_floor"]["huber_delta"].is_null());
}

TEST_F(Program, ASingleArmWhoseLossRisesHasNoLaw) {
  for (const SyntheticRun& run : power_law_runs("rises", 2.4, -.05, .001, 6, 1, 4)) {
    write_synthetic_run(runs_, run);
  }
  LawOptions options;
  options.bootstrap_replicates = 0;
  options.level = .9;
  const Study study = analyse({runs_}, options);
  const std::string finding = conclusions(study).finding;
  EXPECT_NE(finding.find("has no law here (the loss rises with size)."), std::string::npos)
      << finding;
  Document document;
  add_laws(document, study);
  const std::string page = to_markdown(document, "");
  EXPECT_NE(page.find("90% interval (t)"), std::string::npos);
  EXPECT_EQ(page.find("95%"), std::string::npos);
}

TEST_F(Program, BytesOfTextMayBeToldAfterTheRuns) {
  for (SyntheticRun run : power_law_runs("told", 2.4, .05, .001, 6, 1, 4)) {
    run.text_bytes_known = false;
    write_synthetic_run(runs_, run);
  }
  const ProgramResult untold = fit({"fit", runs_.string(), "--metric", "bits_per_byte"});
  EXPECT_EQ(untold.exit_code, 2);
  EXPECT_NE(untold.output.find("--bytes default=NUMBER"), std::string::npos) << untold.output;
  const fs::path out = temp_.path() / "out";
  const ProgramResult told = fit({"report", "--bytes", "default=2100kB", runs_.string(), "--metric",
                                  "bits_per_byte", "--bootstrap", "0", "--out", out.string()});
  EXPECT_NE(told.exit_code, 2) << told.output;
  EXPECT_NE(told.output.find("2100000 bytes of text, as --bytes says"), std::string::npos)
      << told.output;
  EXPECT_NE(read_whole_file(out / "report.md").find("--bytes default=2100kB"), std::string::npos);
}

TEST_F(Program, NoResultAtAllIsExitTwoAndWritesNothing) {
  SyntheticRun run;
  write_synthetic_run(runs_, run);
  run.d_model = 24;
  write_synthetic_run(runs_, run);
  const fs::path out = temp_.path() / "out";
  const ProgramResult few = fit({"report", runs_.string(), "--out", out.string()});
  EXPECT_EQ(few.exit_code, 2);
  EXPECT_NE(few.output.find("at least 3 sizes in an arm, and transformer has 2; add sizes"),
            std::string::npos)
      << few.output;
  EXPECT_FALSE(fs::exists(out));
  EXPECT_EQ(fit({"fit", (temp_.path() / "nowhere").string()}).exit_code, 2);
  EXPECT_EQ(fit({"fit", runs_.string(), "--n-count", "all"}).exit_code, 2);
  EXPECT_EQ(fit({"fit", runs_.string(), "--metric", "perplexity"}).exit_code, 2);
  EXPECT_EQ(fit({"fit", runs_.string(), "--tokens", "many"}).exit_code, 2);
  for (const char* bytes : {"9", "default=", "default=0", "default=x"}) {
    EXPECT_EQ(fit({"fit", runs_.string(), "--bytes", bytes}).exit_code, 2) << bytes;
  }
  for (const char* flops : {"much", "-1", "1e12,"}) {
    EXPECT_EQ(fit({"compare", runs_.string(), "--gain-at", flops}).exit_code, 2) << flops;
  }
  for (const char* margin : {"close", "0", "-0.01"}) {
    EXPECT_EQ(fit({"compare", runs_.string(), "--equivalent-within", margin}).exit_code, 2);
  }
  EXPECT_EQ(fit({"fit", runs_.string(), "--bogus"}).exit_code, 2);
}

TEST_F(Program, EveryVerbHasHelpWithAnExample) {
  for (const char* verb : {"fit", "compare", "figures", "report"}) {
    const ProgramResult help = fit({verb, "--help"});
    EXPECT_EQ(help.exit_code, 0);
    EXPECT_NE(help.output.find("Example: scalelaw " + std::string(verb)), std::string::npos);
  }
}

}  // namespace
}  // namespace scalelaw
