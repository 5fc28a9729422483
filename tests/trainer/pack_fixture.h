// Whole runs on a tiny data set, stopped where a test wants it.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/temp_dir.h"
#include "tests/support/tiny_data_set.h"
#include "trainer/pack.h"
#include "trainer/safetensors.h"
#include "trainer/train_loop.h"

namespace scalelaw {

namespace fs = std::filesystem;

inline RunConfig tiny_run(const std::string& arch) {
  RunConfig config;
  config.data.train = "tiny";
  config.data.test = {{"tiny", 512}};
  config.horizon.tokens = 60 * 32;
  config.model.arch = arch;
  config.model.n_layer = 1;
  config.model.d_model = 16;
  config.model.n_head = 2;
  config.model.n_ctx = 8;
  config.train.batch_tokens = 32;
  config.evaluate.tokens = 64;
  config.how.log_every = 7;
  return config;
}

// Does something after a given update.
class AfterUpdate : public Observer {
 public:
  AfterUpdate(int64_t step, std::function<void()> act) : step_(step), act_(std::move(act)) {}
  bool due(const Pack& pack) override { return pack.step() == step_; }
  int64_t next_due(const Pack& pack) const override {
    return pack.step() < step_ ? step_ : kNoStep;
  }
  void observe(Pack&) override { act_(); }

 private:
  int64_t step_;
  std::function<void()> act_;
};

class PackTest : public testing::TestWithParam<std::string> {
 protected:
  PackTest() { write_tiny_data_set(temp_.path() / "data"); }

  PackOptions options(const std::string& store) {
    PackOptions o;
    o.runs = temp_.path() / store;
    o.data = temp_.path() / "data";
    o.note = [this](const std::string& text) { notes_ += text + "\n"; };
    return o;
  }
  // Trains to the end, or to `stop_at` updates; returns the folders.
  std::vector<RunFolder> run(const std::vector<RunConfig>& configs, const std::string& store,
                             int64_t stop_at = -1) {
    Pack pack(configs, options(store));
    std::vector<RunFolder> folders;
    for (const ReplicaRun& member : pack.members()) folders.push_back(member.folder());
    if (pack.finished()) return folders;
    std::atomic<bool> stop{false};
    std::vector<std::unique_ptr<Observer>> observers;
    observers.push_back(make_metrics_observer(pack));
    observers.push_back(std::make_unique<AfterUpdate>(stop_at, [&] { stop = true; }));
    train(pack, observers, stop);
    return folders;
  }
  TempDir temp_;
  std::string notes_;
};
inline std::string weights(const RunFolder& folder, int64_t step) {
  const SafetensorsFile file(checkpoint_file(folder, step));
  std::string bytes;
  for (const auto& [name, view] : file.tensors()) {
    bytes += name;
    bytes.append(reinterpret_cast<const char*>(view.bytes.data()), view.bytes.size());
  }
  return bytes;
}

inline void expect_equal_metrics(const RunFolder& a, const RunFolder& b) {
  const auto left = read_metrics(a), right = read_metrics(b);
  ASSERT_EQ(left.size(), right.size());
  for (std::size_t i = 0; i < left.size(); ++i) {
    EXPECT_EQ(left[i].step, right[i].step);
    EXPECT_EQ(left[i].train_loss_nats, right[i].train_loss_nats) << "step " << left[i].step;
    EXPECT_EQ(left[i].grad_norm, right[i].grad_norm) << "step " << left[i].step;
    EXPECT_EQ(left[i].noise_measurements, right[i].noise_measurements) << "step " << left[i].step;
    EXPECT_EQ(left[i].grad_sq_norm, right[i].grad_sq_norm) << "step " << left[i].step;
    EXPECT_EQ(left[i].grad_noise_tokens, right[i].grad_noise_tokens) << "step " << left[i].step;
    EXPECT_EQ(left[i].noise_scale_tokens, right[i].noise_scale_tokens) << "step " << left[i].step;
    EXPECT_EQ(left[i].learning_rate, right[i].learning_rate);
    EXPECT_EQ(left[i].test_loss_nats, right[i].test_loss_nats);
  }
}

}  // namespace scalelaw
