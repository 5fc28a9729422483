// The file of `scalelaw propose` as the sweep reads it: from finished runs to planned ones.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "sweeps/plan/plan.h"
#include "tests/support/program.h"
#include "tests/support/temp_dir.h"
#include "tests/support/tiny_data_set.h"
#include "tests/support/trained_runs.h"
#include "trainer/sweep_record.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

class ProposedSweep : public testing::Test {
 protected:
  ProposedSweep() { write_tiny_data_set(temp_.path() / "data"); }

  PlanOptions plan_options() const {
    PlanOptions options;
    options.runs = temp_.path() / "runs";
    options.data = temp_.path() / "data";
    return options;
  }
  Plan plan_of(const std::string& name) const {
    return make_plan(read_sweep_spec((temp_.path() / (name + ".yaml")).string()), plan_options());
  }
  // Writes the sweep's file and completes its runs.
  void complete(const std::string& name, const std::string& blocks) const {
    std::ofstream(temp_.path() / (name + ".yaml"))
        << "spec: 1\nname: " << name
        << "\ndata: {train: tiny, test: {tiny: 512}}\nmodel: {n_ctx: 8}\n"
           "train: {batch_tokens: 32, optimizer: {beta2: 0.9}}\nevaluate: {tokens: 64}\n"
           "arms:\n  wide: {model: {arch: transformer, n_layer: 1, n_head: 2}}\n"
           "  lstm: {model: {arch: lstm, n_layer: 1}}\n"
        << blocks;
    write_trained_runs(plan_of(name));
  }
  nlohmann::json propose(const std::vector<std::string>& records,
                         const std::vector<std::string>& more = {}) const {
    std::vector<std::string> words = {"scalelaw-fit", "propose", "--json"};
    for (const std::string& record : records) {
      words.push_back(sweep_record_file(temp_.path() / "runs", record).string());
    }
    words.insert(words.end(), more.begin(), more.end());
    const ProgramResult result = run_program(words);
    EXPECT_EQ(result.exit_code, 0) << result.output;
    return nlohmann::json::parse(result.output);
  }
  std::string out(const std::string& name) const {
    return (temp_.path() / (name + ".yaml")).string();
  }
  TempDir temp_;
};

TEST_F(ProposedSweep, IsPlannedAsItWasProposed) {
  complete("first",
           "blocks:\n  - {name: b, horizon: {tokens: 2000},"
           " zip: {model.d_model: [16, 32], train.learning_rate: [0.02, 0.01]}}\n");
  const auto proposed = propose({"first"}, {"--out", out("next")}).at("proposals");
  const Plan plan = plan_of("next");
  ASSERT_EQ(plan.name, "next");
  std::size_t cells = 0;
  for (const auto& p : proposed) {
    for (const auto& seed : p.at("seeds")) {
      const auto planned = std::ranges::find_if(plan.cells, [&](const PlannedCell& cell) {
        return cell.config.model.d_model == p.at("model").at("d_model") &&
               cell.config.model.arch == p.at("model").at("arch") &&
               cell.config.seeds.init == seed && cell.config.seeds.data == seed;
      });
      ASSERT_NE(planned, plan.cells.end()) << p.dump();
      EXPECT_EQ(planned->config.train.learning_rate, p.at("learning_rate").get<double>());
      EXPECT_EQ(planned->config.train.optimizer.beta2, 0.9);
      EXPECT_EQ(planned->config.horizon.tokens, 2000);
      EXPECT_EQ(planned->config.evaluate.tokens, 64);
      EXPECT_EQ(planned->config.model.n_ctx, 8);
      EXPECT_FALSE(fs::exists(temp_.path() / "runs" / planned->folder)) << "is a run already";
      ++cells;
    }
  }
  EXPECT_EQ(cells, plan.cells.size()) << "and asks for nothing else";
  EXPECT_GE(cells, 3u) << "a third size of both arms, seeds";
}

TEST_F(ProposedSweep, WithItsRunsTheQuestionIsSettled) {
  complete("first",
           "blocks:\n  - {name: b, horizon: {tokens: 2000}, model.d_model: 16}\n"
           "  - {name: c, horizon: {tokens: 2000}, model.d_model: 32}\n");
  const auto needed = [](const nlohmann::json& found) {
    return std::ranges::count_if(found.at("proposals"),
                                 [](const auto& p) { return p.at("for") == "needed"; });
  };
  EXPECT_GE(needed(propose({"first"}, {"--out", out("next")})), 3);
  write_trained_runs(plan_of("next"));
  // Seeds are replicates of their size, and each arm has a third.
  EXPECT_EQ(needed(propose({"first", "next"})), 0);
}

TEST_F(ProposedSweep, ABudgetIsKeptPastItsEdge) {
  // Losses rise with the seed: the largest size is the best.
  std::string blocks = "blocks:\n";
  const int widths[] = {8, 16, 32};
  for (int i = 0; i < 3; ++i) {
    blocks += "  - {name: b" + std::to_string(i) +
              ", arms: [wide], model.d_model: " + std::to_string(widths[i]) +
              ", horizon: {flops: 3e8, count: six_n}, seeds: {init: [" + std::to_string(9 - 3 * i) +
              "]}}\n";
  }
  complete("budget", blocks);
  const auto found =
      propose({"budget"}, {"--c-count", "six_n", "--out", out("next")}).at("proposals");
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found.at(0).at("for"), "edge");
  const Plan plan = plan_of("next");
  ASSERT_EQ(plan.cells.size(), 2u);
  for (const PlannedCell& cell : plan.cells) {
    EXPECT_GT(cell.config.model.d_model, 32);
    ModelShape shape = cell.config.model;
    shape.n_vocab = 17;
    const double flops = 6.0 * static_cast<double>(cell.train_tokens) *
                         n_params(shape, *count(shape), NCount::kNonEmbedding);
    EXPECT_NEAR(flops, 3e8, .05 * 3e8);
  }
}

}  // namespace
}  // namespace scalelaw
