// The whole way as a user goes it: text, data set, sweep of two architectures, laws, page.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "tests/support/program.h"
#include "tests/support/small_corpus.h"
#include "tests/support/temp_dir.h"
#include "trainer/atomic_file.h"
#include "trainer/run_record.h"
#include "trainer/sweep_record.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSweep = R"(spec: 1
name: tiny
data: {train: tales, test: {tales: 8192}}
horizon: {tokens: 30k}
model: {n_ctx: 32, n_head: 2}
train: {batch_tokens: 256, learning_rate: 0.02}
evaluate: {points_per_decade: 4, tokens: 1024}
arms:
  transformer: {model: {arch: transformer, n_layer: 1}}
  lstm: {model: {arch: lstm, n_layer: 1, embedding_std: 1}}
blocks:
  - {name: ladder, grid: {model.d_model: [8, 16, 32]}}
)";

class TextToPage : public testing::Test {
 protected:
  ProgramResult scalelaw(std::vector<std::string> words) {
    words.insert(words.begin(), "scalelaw");
    return run_program(words);
  }
  // Headless, network refused: what it draws is in the file alone.
  void expect_browser_draws(const std::string& page) {
    const ProgramResult result =
        run_program({"/usr/bin/chromium", "--headless", "--no-sandbox", "--disable-gpu",
                     "--disable-dev-shm-usage", "--window-size=1000,3000",
                     "--host-resolver-rules=MAP * ~NOTFOUND", "--user-data-dir=" + in("browser"),
                     "--screenshot=" + in("page.png"), "file://" + page});
    EXPECT_EQ(result.exit_code, 0) << result.output << "signal " << result.signal;
    ASSERT_TRUE(fs::exists(in("page.png"))) << result.output;
    EXPECT_GT(fs::file_size(in("page.png")), 20000u) << "an empty page";
  }
  std::string in(const char* name) const { return (temp_.path() / name).string(); }
  TempDir temp_;
};

TEST_F(TextToPage, SixRunsEndInTwoLawsAndAPage) {
  write_small_corpus(in("tales.jsonl"), 300);
  std::ofstream(in("tiny.yaml")) << kSweep;

  ProgramResult step =
      scalelaw({"data", "build", in("tales.jsonl"), "--name", "tales", "--tokenizer", "bytes",
                "--test", "10%", "--data", in("data"), "--quiet"});
  ASSERT_EQ(step.exit_code, 0) << step.output;
  step = scalelaw({"data", "verify", "tales", "--data", in("data")});
  ASSERT_EQ(step.exit_code, 0) << step.output;

  const std::vector<std::string> places = {in("tiny.yaml"), "--runs", in("runs"), "--data",
                                           in("data")};
  const auto sweep = [&](const std::string& verb, const std::vector<std::string>& more) {
    std::vector<std::string> words = {"sweep", verb};
    words.insert(words.end(), places.begin(), places.end());
    words.insert(words.end(), more.begin(), more.end());
    return scalelaw(words);
  };
  step = sweep("plan", {});
  ASSERT_EQ(step.exit_code, 0) << step.output;
  EXPECT_FALSE(fs::exists(in("runs"))) << "a plan writes nothing";
  step = sweep("run", {"--jobs", "2"});
  ASSERT_EQ(step.exit_code, 0) << step.output;

  const SweepRecord record = read_sweep_record(sweep_record_file(in("runs"), "tiny"));
  ASSERT_EQ(record.cells.size(), 6u);
  std::vector<fs::file_time_type> written;
  std::map<std::string, double> loss_of_smaller;
  for (const SweepCell& cell : record.cells) {
    const RunFolder folder{fs::path(in("runs")) / cell.folder};
    const RunRecord run = read_run_record(folder);
    EXPECT_EQ(run.content_hash, cell.content_hash);
    EXPECT_EQ(run.state, RunState::kComplete);
    // Bytes are 256, of which the corpus uses about 30: nothing learned is 5.5 nats, their share
    // alone 2.9.
    EXPECT_LT(run.test.at("tales").loss_nats, 2.9) << cell.folder;
    if (loss_of_smaller.contains(cell.arm())) {
      EXPECT_LT(run.test.at("tales").loss_nats, loss_of_smaller[cell.arm()]) << cell.folder;
    }
    loss_of_smaller[cell.arm()] = run.test.at("tales").loss_nats;
    written.push_back(fs::last_write_time(folder.record()));
  }

  // A second time nothing is trained.
  step = sweep("run", {"--jobs", "2"});
  ASSERT_EQ(step.exit_code, 0) << step.output;
  for (std::size_t i = 0; i < written.size(); ++i) {
    const RunFolder folder{fs::path(in("runs")) / record.cells[i].folder};
    EXPECT_EQ(fs::last_write_time(folder.record()), written[i]);
    EXPECT_EQ(read_attempts(folder).size(), 1u);
  }

  step = scalelaw({"doctor", "--runs", in("runs"), "--data", in("data")});
  EXPECT_EQ(step.exit_code, 0) << step.output;

  step = scalelaw({"report", in("runs/sweeps/tiny.json"), "--out", in("report")});
  ASSERT_EQ(step.exit_code, 0) << step.output;
  const std::string page = read_whole_file(fs::path(in("report")) / "report.html");
  for (const char* part : {"transformer", "lstm", "<svg"}) {
    EXPECT_NE(page.find(part), std::string::npos) << part;
  }
  for (const char* outside : {"src=\"http", "<script src", "@import", "<link"}) {
    EXPECT_EQ(page.find(outside), std::string::npos) << "the page stands alone: " << outside;
  }
  EXPECT_NE(page.find("default-src 'none'"), std::string::npos);
  for (const char* file : {"report.md", "runs.csv", "laws.json"}) {
    EXPECT_GT(fs::file_size(fs::path(in("report")) / file), 0u) << file;
  }
  const char* services = std::getenv("SCALELAW_TEST_SERVICES");
  if (services != nullptr && std::string(services) == "1") {
    expect_browser_draws(in("report/report.html"));
  }
}

}  // namespace
}  // namespace scalelaw
