// What is known of a store's runs, which of them are meant, and how they are shown.
#include "sweeps/store/store_runs.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "sweeps/status/run_index.h"
#include "sweeps/status/sweep_folder.h"
#include "sweeps/store/run_list.h"
#include "sweeps/store/run_pages.h"
#include "tests/sweeps/store/store_fixture.h"
#include "trainer/clock.h"
#include "trainer/run_lease.h"

namespace scalelaw {
namespace {

class StoreRunsTest : public StoreTest {
 protected:
  StoreRun run(std::size_t cell) const {
    const std::vector<StoreRun> runs = all();
    const auto found = std::ranges::find(runs, name(cell), &StoreRun::name);
    if (found == runs.end()) throw std::runtime_error("not listed");
    return *found;
  }
};

TEST_F(StoreRunsTest, EveryRunHasItsStateCountsLossAndSweeps) {
  ASSERT_EQ(all().size(), 4u);
  for (std::size_t cell = 0; cell < 4; ++cell) {
    const RunRecord record = read_run_record(folder(cell));
    const StoreRun found = run(cell);
    EXPECT_EQ(found.state, CellState::kComplete);
    EXPECT_EQ(number_fact(found.facts, "N"),
              n_params(record.shape, record.counts, NCount::kNonEmbedding));
    EXPECT_EQ(number_fact(found.facts, "D"), static_cast<double>(record.train_tokens));
    EXPECT_EQ(number_fact(found.facts, "loss"), record.test.at("tiny").loss_nats);
    EXPECT_EQ(text_fact(found.facts, "content_hash"), record.content_hash);
    EXPECT_EQ(text_fact(found.facts, "model.arch"), plan_.cells[cell].shape.arch);
    EXPECT_EQ(*fact_of(found.facts, "sweeps"), Fact(std::vector<std::string>{"many"}));
  }
}

TEST_F(StoreRunsTest, NameInASweepsRecordLeadsNobodyOutOfTheStore) {
  make_unfinished(0);
  SweepRecord record = read_sweep_record(sweep_record_file(runs_, "many"));
  record.name = "../../elsewhere";
  write_sweep_record(sweep_record_file(runs_, "many"), record);
  for (const char* place : {"elsewhere", "the runs/sweeps/many"}) {
    const SweepFolder folder{temp_.path() / place};
    fs::create_directories(folder.path);
    append_unfinished(
        folder, {UnfinishedAttempt{record.cells[0].content_hash, {1, 0}, place, utc_now(), ""}});
  }
  EXPECT_NE(run(0).why.find("the runs/sweeps/many"), std::string::npos) << run(0).why;
  EXPECT_EQ(*fact_of(run(0).facts, "sweeps"), Fact(std::vector<std::string>{"many"}));
}

TEST_F(StoreRunsTest, IndexChangesNoAnswer) {
  make_unfinished(1);
  overwrite(folder(2).record(), "{");
  const std::string cold = list_json(all());
  ASSERT_TRUE(fs::exists(RunIndex::file_of(runs_)));
  EXPECT_EQ(list_json(all()), cold);
  fs::remove(RunIndex::file_of(runs_));
  EXPECT_EQ(list_json(all()), cold);
}

TEST_F(StoreRunsTest, FiltersSeeRecordAndConfigurationDefaultsIncluded) {
  EXPECT_EQ(where("model.arch == lstm").size(), 2u);
  EXPECT_EQ(where("model.arch == lstm and model.d_model > 16").size(), 1u);
  EXPECT_EQ(where("model.n_layer == 2").size(), 2u);  // the transformers': a default
  EXPECT_EQ(where("train.optimizer.beta2 == 0.95 and state == complete").size(), 4u);
  EXPECT_EQ(where("data.test.tiny == 512").size(), 4u);
  EXPECT_EQ(where("test.tiny.loss_nats < 3 and test.other.loss_nats == none").size(), 4u);
  EXPECT_EQ(where("sweeps == other").size(), 0u);
  EXPECT_EQ(where("device == cpu and host ~ lap and attempts == 1").size(), 4u);
}

TEST_F(StoreRunsTest, UnfinishedRunningAndDamagedRunsSaySo) {
  make_unfinished(0);
  make_unfinished(1);
  overwrite(folder(2).record(), "{");
  const RunLease held(folder(1).path);
  EXPECT_EQ(run(0).state, CellState::kInterrupted);
  EXPECT_EQ(number_fact(run(0).facts, "step"), static_cast<double>(plan_.cells[0].steps));
  EXPECT_EQ(run(1).state, CellState::kRunning);
  EXPECT_NE(run(1).why.find("pid"), std::string::npos);
  EXPECT_EQ(run(2).state, CellState::kFailed);
  EXPECT_NE(run(2).why.find("is damaged"), std::string::npos);
  EXPECT_EQ(where("state == interrupted and loss == none and model.d_model == 16").size(), 1u);
  // The sweeps it is of are known by the attempt's content hash.
  EXPECT_NE(list_text(all()).find("many"), std::string::npos);
}

TEST_F(StoreRunsTest, RunsAreNamedByAnyPartThatNoOtherHas) {
  const std::string hash = plan_.cells[2].content_hash;
  const std::vector<std::string> meant = {
      name(2),     (runs_ / name(2)).string(), (runs_ / name(2)).string() + "/",
      hash,        hash.substr(0, 9),          hash.substr(2, 8),
      "lstm_l1w16"};
  for (const std::string& text : meant) EXPECT_EQ(find_run(runs_, text), name(2)) << text;
  const std::string several = error_of([&] { find_run(runs_, "lstm"); });
  EXPECT_NE(several.find("any of 2 runs"), std::string::npos) << several;
  EXPECT_NE(several.find(name(2)), std::string::npos);
  EXPECT_NE(error_of([&] { find_run(runs_, ""); }).find("no run"), std::string::npos);
  EXPECT_NE(error_of([&] { find_run(runs_, "zzz\n"); }).find("zzz\\n: no run"), std::string::npos);
  EXPECT_NE(error_of([&] { find_run(runs_ / "no", "a"); }).find("no such folder"),
            std::string::npos);
}

TEST_F(StoreRunsTest, PredictionsAreNoRun) {
  fs::create_directories(runs_ / "predictions");
  EXPECT_EQ(all().size(), 4u);
  EXPECT_NE(error_of([&] { find_run(runs_, "predictions"); }).find("no run"), std::string::npos);
}

TEST_F(StoreRunsTest, ChoiceIsByNameSweepAndFilter) {
  EXPECT_EQ(choose(read_store(runs_), runs_, {{name(0), name(3)}, "", {}}).size(), 2u);
  EXPECT_EQ(choose(read_store(runs_), runs_, {{}, "many", {}}).size(), 4u);
  EXPECT_NE(error_of([&] {
              choose(read_store(runs_), runs_, {{}, "none", {}});
            }).find("--sweep"),
            std::string::npos);
}

TEST_F(StoreRunsTest, SortingPutsWhatLacksTheKeyLast) {
  make_unfinished(0);
  std::vector<StoreRun> runs = all();
  sort_runs(runs, "N", true);
  EXPECT_EQ(runs.back().name, name(0));
  EXPECT_GT(number_fact(runs[0].facts, "N"), number_fact(runs[1].facts, "N"));
  sort_runs(runs, "N", false);
  EXPECT_EQ(runs.back().name, name(0));
  EXPECT_LT(number_fact(runs[0].facts, "N"), number_fact(runs[1].facts, "N"));
  EXPECT_NE(error_of([&] { sort_runs(runs, "los", false); }).find("mean loss?"), std::string::npos);
}

TEST_F(StoreRunsTest, NamesWithControlCharactersAreEscapedInTextAndWholeInJson) {
  const std::string evil = "it's \"x\"\n\x1b[2J\xff";
  fs::rename(folder(0).path, runs_ / evil);
  for (int pass = 0; pass < 2; ++pass) {  // cold, and through the index
    const std::vector<StoreRun> runs = all();
    ASSERT_EQ(runs.size(), 4u);
    const std::string text = list_text(runs);
    EXPECT_NE(text.find("it's \"x\"\\n\\x1b[2J\\xff"), std::string::npos) << text;
    EXPECT_EQ(text.find('\x1b'), std::string::npos);
    EXPECT_EQ(nlohmann::json::parse(list_json(runs)).at("runs").size(), 4u);
    EXPECT_EQ(find_run(runs_, evil), evil);
  }
  const StoreRun run = choose(read_store(runs_), runs_, {{evil}, "", {}}).front();
  EXPECT_EQ(page_text(read_run_page(runs_, run)).find('\x1b'), std::string::npos);
}

TEST_F(StoreRunsTest, PageTellsConfigurationAttemptsResultsAndFiles) {
  const RunPage page = read_run_page(runs_, run(3));
  const std::string text = page_text(page);
  for (const char* part :
       {"model.arch", "lstm", "transformer", "from step 0", "laptop", "test.tiny.loss_nats",
        "run.json", "window_losses.safetensors", "together", "of sweep", "many"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  }
  EXPECT_EQ(text.find("train.optimizer.beta1"), std::string::npos);  // at its default
  const auto json = nlohmann::json::parse(page_json(page));
  EXPECT_EQ(json.at("record").at("content_hash"), plan_.cells[3].content_hash);
  EXPECT_EQ(json.at("changed").at("model.arch"), "lstm");
  EXPECT_EQ(json.at("config").at("train.optimizer.beta1"), "0.9");
}

TEST_F(StoreRunsTest, PageOfARunWithoutTextBytesShowsNoNumberOfThem) {
  RunPage page = read_run_page(runs_, run(3));
  EXPECT_EQ(page_text(page).find(" -\n"), std::string::npos);
  page.record->test.begin()->second.bits_per_byte = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(page_text(page).find("nan"), std::string::npos) << page_text(page);
  EXPECT_NE(page_text(page).find(" -\n"), std::string::npos) << page_text(page);
}

TEST_F(StoreRunsTest, PageShowsTheNoiseScaleWhereItWasMeasured) {
  RunPage page = read_run_page(runs_, run(3));
  EXPECT_EQ(page_text(page).find("noise_scale"), std::string::npos);
  page.record->noise_scale = NoiseScale{40, 0.02, 30, 1500, 1100, {}};
  EXPECT_NE(page_text(page).find("1.5k, 95% from 1.1k to -"), std::string::npos) << page_text(page);
}

TEST_F(StoreRunsTest, DifferenceIsOfWhatDiffersAlone) {
  const RunPage one = read_run_page(runs_, run(0)), two = read_run_page(runs_, run(1));
  const auto json = nlohmann::json::parse(diff_json(one, two));
  EXPECT_EQ(json.at("config"), nlohmann::json({{"model.d_model", {"16", "32"}}}));
  EXPECT_TRUE(json.at("results").contains("N (non_embedding)"));
  EXPECT_FALSE(json.at("results").contains("train_hash"));
  EXPECT_NE(diff_text(one, one).find("configurations are the same"), std::string::npos);
  EXPECT_NE(diff_text(one, one).find("results are the same"), std::string::npos);
}

}  // namespace
}  // namespace scalelaw
