// The page as a reader meets it: what it asks of the network, how long it is, and what a browser
// makes of it.
#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "analysis/figures/figure_json.h"
#include "analysis/report/document.h"
#include "analysis/report/page_parts.h"
#include "tests/support/program.h"
#include "tests/support/synthetic_runs.h"
#include "tests/support/temp_dir.h"
#include "trainer/atomic_file.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

constexpr const char* kHostile =
    "</script><script>alert(1)</script><!-- \" ' \\ \x01 \xff %{x} <b>b</b>";

Figure small_figure(const std::string& name) {
  Figure figure;
  figure.id = "small";
  figure.title = name;
  figure.colours = ColourScale{name, 1, 100};
  Panel panel;
  panel.title = name;
  panel.x = {name, AxisScale::kLog, 1, 100, true};
  panel.y = {name, AxisScale::kLinear, 0, 3};
  Series points, band;
  points.mark = Mark::kErrorBars;
  points.label = name;
  points.names = {name, name, name};
  points.x = {1, 10, 100};
  points.y = {1, std::nan(""), 2};
  points.low = {1, 1, 1};
  points.high = {2, 2, 3};
  band = points;
  band.mark = Mark::kBand;
  band.y.clear();
  band.scale_value = 3;
  panel.series = {points, band};
  figure.panels = {panel};
  return figure;
}

// Without what is Plotly's own, which names the places that it would ask for maps.
std::string without_plotly(std::string page) {
  const std::size_t at = page.find(plotly_library());
  if (!plotly_library().empty() && at != std::string::npos) page.erase(at, plotly_library().size());
  return page;
}

TEST(FigureJson, HoldsTheNumbersAndNoTextThatEndsAScript) {
  const std::string text = figure_json(small_figure(kHostile));
  EXPECT_EQ(text.find('<'), std::string::npos) << text;
  const auto json = nlohmann::json::parse(text);
  const auto& points = json["panels"][0]["series"][0];
  EXPECT_EQ(points["mark"], "bars");
  EXPECT_EQ(points["x"], (std::vector<double>{1, 10, 100}));
  EXPECT_TRUE(points["y"][1].is_null());
  EXPECT_EQ(points["names"].size(), 3u);
  EXPECT_NE(points["label"].get<std::string>().find("</script><script>alert(1)"),
            std::string::npos);
  EXPECT_EQ(points["label"].get<std::string>().find('\x01'), std::string::npos);
  EXPECT_EQ(json["panels"][0]["series"][1]["value"], 3);
  EXPECT_EQ(json["panels"][0]["x"]["log"], true);
  const auto themes = nlohmann::json::parse(themes_json());
  EXPECT_NE(themes["light"]["paper"], themes["dark"]["paper"]);
}

TEST(Page, WithoutPlotlyKeepsTheStillFigureAndSaysSo) {
  Document document;
  document.title = "t";
  document.add(small_figure("f"));
  const std::map<std::string, std::string> svg = {{"small", "<svg viewBox='0 0 1 1'></svg>"}};
  const std::string still = to_html(document, svg, "");
  EXPECT_EQ(still.find("<script"), std::string::npos);
  EXPECT_NE(still.find("<svg"), std::string::npos);
  EXPECT_NE(still.find("built without Plotly"), std::string::npos);
  const std::string live = to_html(document, svg, "var Plotly;");
  EXPECT_NE(live.find("<script>var Plotly;</script>"), std::string::npos);
  EXPECT_NE(live.find("<svg"), std::string::npos) << "for print, and without scripts";
  EXPECT_EQ(live.find("built without Plotly"), std::string::npos);
  EXPECT_EQ(to_html(document, {}, "").find("<figure"), std::string::npos);
  EXPECT_NE(to_html(document, {}, "var Plotly;").find("<figure"), std::string::npos);
}

TEST(Page, HasTheSameBlocksAsJson) {
  Document document;
  document.title = kHostile;
  document.heading("h");
  document.list({"one", kHostile});
  document.add(DocumentTable{"t", {{"x"}, {"y"}}, {{"1", "2"}}});
  document.add(small_figure("f"));
  const auto json = nlohmann::json::parse(to_json(document));
  ASSERT_EQ(json["blocks"].size(), 4u);
  EXPECT_EQ(json["blocks"][0]["text"], "h");
  EXPECT_EQ(json["blocks"][1]["items"].size(), 2u);
  EXPECT_EQ(json["blocks"][2]["rows"][0][1], "2");
  EXPECT_EQ(json["blocks"][3]["figure"]["panels"][0]["series"].size(), 2u);
}

class Report : public testing::Test {
 protected:
  // The page of a sweep of `cells`.
  std::string page_of(const std::vector<SyntheticRun>& cells, const std::string& name = "sweep") {
    const fs::path sweep = write_synthetic_sweep(temp_.path() / "runs", name, cells);
    const auto began = std::chrono::steady_clock::now();
    const ProgramResult result = run_program({"scalelaw-fit", "report", sweep.string(), "--out",
                                              folder().string(), "--bootstrap", "200"});
    seconds_ = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    EXPECT_EQ(result.exit_code, 0) << result.output;
    return read_whole_file(folder() / "report.html");
  }
  fs::path folder() const { return temp_.path() / "report"; }
  TempDir temp_;
  double seconds_ = 0;
};

TEST_F(Report, AsksForNothingOutsideItself) {
  const std::string whole = page_of(pilot_runs());
  const std::string page = without_plotly(whole);
  for (const char* outside : {"src=", "href=\"http", "@import", "url(", "<link", "fetch("}) {
    EXPECT_EQ(page.find(outside), std::string::npos) << outside;
  }
  EXPECT_NE(page.find("default-src 'none'"), std::string::npos);
  EXPECT_EQ(whole.find("connect-src"), std::string::npos);
  EXPECT_NE(page.find("The points: 20 runs at D = 2.5M tokens (transformer 10 of 8 sizes, lstm 10 "
                      "of 8 sizes; left out: none)"),
            std::string::npos);
  EXPECT_GT(fs::file_size(folder() / "report.json"), 0u);
  for (const char* form : {"svg", "png", "pdf", "gp", "dat"}) {
    EXPECT_TRUE(fs::exists(folder() / "figures" / (std::string("laws.") + form))) << form;
  }
}

TEST_F(Report, OfAThousandRunsIsUnderTenMegabytesAndSoonThere) {
  std::vector<SyntheticRun> cells;
  for (const char* arm : {"a", "b", "c", "d"}) {
    for (SyntheticRun run : power_law_runs(arm, 2.4, .1, .01, 10, 25, 5)) {
      run.evaluations = 100;  // of which 60 are drawn
      cells.push_back(run);
    }
  }
  ASSERT_EQ(cells.size(), 1000u);
  EXPECT_LT(page_of(cells).size(), 10'000'000u);
  RecordProperty("report_seconds", std::to_string(seconds_));
#ifdef NDEBUG  // docs/report.md has what ten times the evaluations took
  EXPECT_LT(seconds_, 30);
#endif
}

class InBrowser : public Report {
 protected:
  void SetUp() override {
    const char* services = std::getenv("SCALELAW_TEST_SERVICES");
    if (services == nullptr || std::string(services) != "1" || !fs::exists("/usr/bin/chromium")) {
      GTEST_SKIP() << "starts a browser: SCALELAW_TEST_SERVICES=1 asks for it";
    }
    if (plotly_library().empty()) GTEST_SKIP() << "built without Plotly";
  }
  // What becomes of the page's elements in a frame of `width` pixels; the last line is the frame's
  // account of itself. `scheme`: 0 dark, 1 light.
  std::string drawn(int width, int scheme) {
    const std::string frame = (temp_.path() / "frame.html").string();
    std::ofstream(frame)
        << "<iframe id=f src=report/report.html style='border:0;width:" << width
        << "px;height:900px'></iframe><pre id=r></pre><script>setTimeout(() => {"
           "const d = document.getElementById('f').contentDocument, e = "
           "d.documentElement, out = [];\n"
           "out.push('drawn', d.querySelectorAll('figure.live .main-svg').length > "
           "0 && d.querySelectorAll('figure.live').length, 'paper', "
           "getComputedStyle(d.body).backgroundColor, 'over', e.scrollWidth - "
           "e.clientWidth, 'names', d.querySelectorAll('.plot script, .plot "
           "b').length);\n"
           "document.getElementById('r').textContent = out.join(' ');}, "
           "4000)</script>";
    const ProgramResult result = run_program(
        {"/usr/bin/chromium", "--headless", "--no-sandbox", "--disable-gpu",
         "--disable-dev-shm-usage", "--allow-file-access-from-files", "--enable-logging=stderr",
         "--host-resolver-rules=MAP * ~NOTFOUND", "--virtual-time-budget=9000",
         "--blink-settings=preferredColorScheme=" + std::to_string(scheme),
         "--user-data-dir=" + (temp_.path() / "browser").string(), "--dump-dom",
         "file://" + frame});
    EXPECT_EQ(result.exit_code, 0) << result.output;
    EXPECT_EQ(result.output.find("CONSOLE"), std::string::npos) << result.output;
    const std::size_t at = result.output.find("<pre id=\"r\">");
    return at == std::string::npos
               ? result.output
               : result.output.substr(at, result.output.find("</pre>", at) - at);
  }
};

TEST_F(InBrowser, FiguresAreDrawnByDayAndByNightAndOnAPhone) {
  page_of(pilot_runs());
  const std::string day = drawn(1000, 1), night = drawn(1000, 0), phone = drawn(390, 1);
  EXPECT_NE(day.find("drawn 3 paper rgb(255, 255, 255) over 0"), std::string::npos) << day;
  EXPECT_NE(night.find("drawn 3 paper rgb(21, 24, 28) over 0"), std::string::npos) << night;
  EXPECT_NE(phone.find("drawn 3 paper rgb(255, 255, 255) over 0"), std::string::npos) << phone;
}

TEST_F(InBrowser, HostileNamesAreWordsInFigures) {
  const std::string turned = std::string(kHostile) +
                             " \xe2\x80\xae"
                             "desrever \xf0\x9f\x98\x80";
  const std::string endless(300, 'W');
  std::vector<SyntheticRun> cells;
  for (const std::string& arm : {turned, endless}) {
    for (SyntheticRun& run : power_law_runs(arm, 2.4, .1, .01, 4, 1, 3)) {
      run.folder = (arm == turned ? "<b>b<b> %{y} '" : "plain ") + std::to_string(run.d_model);
      run.test_sets = {"<script>document.title = 'run'</script>"};
      cells.push_back(run);
    }
  }
  const std::string page = without_plotly(page_of(cells, "<img src=x onerror=alert(1)>"));
  for (const char* markup : {"<script>alert", "<script>document", "<img", "\xe2\x80\xae", "\x01"}) {
    EXPECT_EQ(page.find(markup), std::string::npos) << markup;
  }
  EXPECT_NE(page.find("\\u202edesrever"), std::string::npos);
  for (const int width : {1000, 390}) {
    const std::string seen = drawn(width, 1);
    EXPECT_NE(seen.find("drawn 3"), std::string::npos) << seen;
    EXPECT_NE(seen.find("over 0 names 0"), std::string::npos) << seen;
  }
}

TEST_F(InBrowser, LossesThatAreAllEqualAndAnArmOfOneSizeAreDrawn) {
  std::vector<SyntheticRun> cells;
  for (const int64_t d_model : {8, 16, 32, 64}) {
    SyntheticRun run;
    run.arm = "flat";
    run.d_model = d_model;
    cells.push_back(run);
  }
  cells.push_back(cells.front());
  cells.back().arm = "alone";
  EXPECT_NE(page_of(cells).find("alone"), std::string::npos);
  const std::string seen = drawn(1000, 1);
  EXPECT_NE(seen.find("drawn 3"), std::string::npos) << seen;
}

}  // namespace
}  // namespace scalelaw
