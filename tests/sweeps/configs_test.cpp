// Every sweep file of configs/, planned: what it asks for, and that nothing in it is without
// effect.
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <set>
#include <string>

#include "sweeps/plan/plan.h"
#include "tests/sweeps/plan_fixture.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

// Cells, merged.
const std::map<std::string, std::size_t> kCells = {
    {"quickstart.yaml", 20},          {"quickstart_rates.yaml", 16},
    {"sweep_example.yaml", 47},       {"ladders/kaplan.yaml", 7},
    {"ladders/chinchilla.yaml", 30},  {"ladders/cpu.yaml", 18},
    {"studies/kaplan_sizes.yaml", 7}, {"studies/chinchilla_isoflop.yaml", 45},
    {"studies/books_cpu.yaml", 94},
};

class Configs : public PlanTest {
 protected:
  Configs() {
    for (const char* name : {"default", "headers", "books", "web"}) {
      TinyDataSet set;
      set.name = name;
      set.n_vocab = 512;
      set.train_tokens = 600'000;
      set.test_tokens = 1'100'000;
      set.val_tokens = 140'000;
      write_tiny_data_set(options_.data, set);
    }
  }
  Plan plan_of(const std::string& file) const {
    return make_plan(read_sweep_spec(folder_ / file), options_);
  }
  fs::path folder_ = fs::path(SCALELAW_SOURCE_DIR) / "configs";
};

TEST_F(Configs, AreAllPlanned) {
  std::set<std::string> found, expected;
  for (const auto& entry : fs::recursive_directory_iterator(folder_)) {
    const std::string name = fs::relative(entry.path(), folder_).generic_string();
    if (entry.path().extension() == ".yaml" && !name.starts_with("devices/")) found.insert(name);
  }
  for (const auto& [name, cells] : kCells) expected.insert(name);
  EXPECT_EQ(found, expected);
  for (const auto& [name, cells] : kCells) {
    const Plan planned = plan_of(name);
    EXPECT_EQ(planned.cells.size(), cells) << name;
    for (const std::string& warning : planned.warnings) {
      EXPECT_EQ(warning.find("has no effect"), std::string::npos) << name << ": " << warning;
    }
  }
}

TEST_F(Configs, LaddersHaveTheirPublishedSizes) {
  options_.n_count = NCount::kNonEmbedding;
  EXPECT_EQ(plan_of("ladders/kaplan.yaml").cells.front().n_params, 393'216);
  EXPECT_EQ(plan_of("ladders/kaplan.yaml").cells.back().n_params, 1'474'560'000);
  // The first column of table A9, from 13 n_layer d_model^2 + 32,000 d_model.
  const std::vector<int64_t> millions = {44,  57,  74,  90,   106,  117,  140,  163,  175,  196,
                                         217, 251, 278, 306,  425,  489,  552,  587,  632,  664,
                                         724, 816, 893, 1018, 1143, 1266, 1424, 1429, 1593, 1609};
  const Plan chinchilla = plan_of("ladders/chinchilla.yaml");
  ASSERT_EQ(chinchilla.cells.size(), millions.size());
  for (std::size_t i = 0; i < millions.size(); ++i) {
    const ModelShape& shape = chinchilla.cells[i].shape;
    const double all =
        13.0 / 12 * *chinchilla.cells[i].n_params + 32'000.0 * static_cast<double>(shape.d_model);
    EXPECT_NEAR(all / 1e6, static_cast<double>(millions[i]), 1) << shape.d_model;
    EXPECT_EQ(shape.d_head(), shape.d_model < 1280 ? 64 : 128);
  }
}

}  // namespace
}  // namespace scalelaw
