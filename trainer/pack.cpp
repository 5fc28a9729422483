#include "trainer/pack.h"

#include <ATen/ops/zeros.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <stdexcept>
#include <utility>

#include "trainer/clock.h"
#include "trainer/config_error.h"
#include "trainer/config_yaml.h"
#include "trainer/data/data_set.h"
#include "trainer/data_rules.h"
#include "trainer/device.h"
#include "trainer/lr_schedule.h"
#include "trainer/pack_resume.h"
#include "trainer/pack_rules.h"
#include "trainer/run_identity.h"

namespace scalelaw {
Pack::Pack(std::vector<RunConfig> configs, PackOptions options) : options_(std::move(options)) {
  check_can_share_pack(configs);
  check_store(options_.runs);
  std::vector<RunIdentity> identities;
  std::set<std::string> hashes;
  for (RunConfig& config : configs) {
    RunIdentity identity = identify(std::move(config), options_.runs, options_.data);
    if (!hashes.insert(identity.content_hash).second) {
      throw ConfigError("two of these configurations are the same run (" + identity.content_hash +
                        "); leave one out");
    }
    check_same_run(identity);
    const auto record = try_read_run_record(identity.folder);
    if (!record) {
      identities.push_back(std::move(identity));
    } else if (record->content_hash == identity.content_hash) {
      options_.note(identity.folder.path.string() + ": complete already");
    } else {
      throw ConfigError(identity.folder.path.string() + ": holds run " + record->content_hash +
                        ", not " + identity.content_hash + "; move that folder away");
    }
  }
  if (identities.empty()) return;
  open_data(identities.front());
  choose_step(identities);
  check_nothing_is_thrown_away(identities);
  for (const RunIdentity& identity : identities) check_not_held(identity.folder.path);
  for (const RunIdentity& identity : identities) {
    members_.emplace_back(identity);
    // Another process may have ended this run between the look above and the lock.
    if (std::filesystem::exists(identity.folder.record())) {
      throw ConfigError(identity.folder.path.string() +
                        ": was completed by another process just now; run the command again");
    }
  }
  build(identities);
  resume();
  clock_ = monotonic_seconds();
}

void Pack::open_data(const RunIdentity& identity) {
  const RunConfig& config = identity.config;
  DataSetHeaders headers(options_.data);
  check_data_rules(config, headers);
  const DataSetInfo set = headers.open(config.data.train);
  train_ = std::make_unique<TokenShard>(shard_file(set, Split::kTrain));
  shape_ = canonical(config.model);
  shape_.n_vocab = set.n_vocab;
  facts_.train_set = set.name;
  facts_.tokenizer_hash = set.tokenizer_hash;
  const auto check_unchanged = [](const TokenShard& shard, const std::string& hash) {
    if (shard.info().token_hash == hash) return;
    throw ConfigError(shard.file().string() + ": was replaced just now; run the command again");
  };
  check_unchanged(*train_, identity.data.train_hash);
  for (const auto& [name, tokens] : test_tokens(config)) {
    const DataSetInfo test = headers.open(name);
    // The set's own name, whatever path the configuration calls it by.
    test_sets_.push_back({test.name, TokenShard(shard_file(test, Split::kTest)), tokens});
    check_unchanged(test_sets_.back().shard, identity.data.test_hash.at(name));
  }
}

// A run that goes on computes its steps in the pieces that it has begun with, where they fit.
void Pack::choose_step(const std::vector<RunIdentity>& identities) {
  if (!count(shape_)) {
    throw ConfigError("model.arch = " + shape_.arch + ": gives no counts (models/" + shape_.arch +
                      "_counts.cpp), which every run records");
  }
  const RunConfig& config = identities.front().config;
  StepRequest request = request_for(config, shape_, static_cast<int64_t>(identities.size()));
  request.device = options_.device.is_cpu() ? DeviceKind::kCpu : DeviceKind::kGpu;
  if (const auto attempts = read_attempts(identities.front().folder); !attempts.empty()) {
    const int64_t before = attempts.back().provenance.micro_batch_tokens;
    request.windows_before = (before > 0 ? before : config.train.batch_tokens) / shape_.n_ctx;
  }
  const double present =
      options_.memory_bytes > 0 ? options_.memory_bytes : device_memory_bytes(options_.device);
  choice_ = require_fit(request, present);
  options_.provenance.micro_batch_tokens = choice_.windows * shape_.n_ctx;
  options_.provenance.recompute = choice_.recompute_blocks;
  if (choice_.windows < request.batch_windows || choice_.recompute_blocks) {
    options_.note(describe(request, choice_, present));
  }
}

void Pack::build(const std::vector<RunIdentity>& identities) {
  Execution execution;
  execution.recompute_blocks = choice_.recompute_blocks;
  if (identities.front().config.train.precision == Precision::kBFloat16) {
    execution.compute_dtype = at::kBFloat16;
  }
  model_ = make_model(shape_, execution, arena_);
  arena_.allocate(static_cast<int64_t>(identities.size()), options_.device);
  facts_.shape = shape_;
  facts_.counts = count(shape_).value();
  TORCH_CHECK(arena_.counts() == facts_.counts.parameters, shape_.arch,
              ": the module's parameters are not those its counts tell of");

  std::vector<OptimizerConfig> optimizers;
  const RunConfig& first = identities.front().config;
  const int64_t batch_windows = first.train.batch_tokens / shape_.n_ctx;
  for (const RunIdentity& identity : identities) {
    optimizers.push_back(identity.config.train.optimizer);
    streams_.emplace_back(
        BatchGeometry{shape_.n_ctx, batch_windows,
                      unique_train_tokens(identity.config, train_->info().n_tokens) + 1},
        identity.config.seeds.data);
  }
  optimizer_ = std::make_unique<AdamW>(arena_, std::move(optimizers));
  const std::vector<int64_t> sizes{arena_.replicas(), batch_windows, shape_.n_ctx};
  inputs_ = at::zeros(sizes, at::kLong);
  targets_ = at::zeros(sizes, at::kLong);
}

bool Pack::finished() const {
  return std::ranges::none_of(members_, [](const ReplicaRun& m) { return m.training(); });
}

int64_t Pack::last_step() const {
  int64_t last = 0;
  for (const ReplicaRun& member : members_) last = std::max(last, member.steps());
  return last;
}

double Pack::learning_rate(int64_t replica) const {
  const ReplicaRun& member = members_.at(static_cast<std::size_t>(replica));
  const RunConfig& config = member.config();
  return learning_rate_at(config.train.schedule, config.train.learning_rate, step_ - 1,
                          member.steps());
}

void Pack::load_batch() {
  const auto cells = static_cast<std::size_t>(inputs_.size(1) * inputs_.size(2));
  for (std::size_t r = 0; r < members_.size(); ++r) {
    if (!members_[r].training()) continue;  // a frozen row's tokens do not matter
    const std::vector<int64_t> starts = streams_[r].window_starts(step_);
    gather_windows(*train_, starts, shape_.n_ctx, {inputs_.data_ptr<int64_t>() + r * cells, cells},
                   {targets_.data_ptr<int64_t>() + r * cells, cells});
  }
}

void Pack::train_one_step() {
  load_batch();
  std::vector<UpdateRow> rows;
  std::vector<double> clip_norms;
  updating_ = true;
  ++step_;
  for (std::size_t r = 0; r < members_.size(); ++r) {
    UpdateRow row;
    row.active = members_[r].training();
    if (row.active) row.learning_rate = learning_rate(static_cast<int64_t>(r));
    rows.push_back(row);
    clip_norms.push_back(members_[r].config().train.optimizer.clip_norm);
  }
  result_ = train_step(*model_, arena_, *optimizer_, inputs_.to(options_.device),
                       targets_.to(options_.device), choice_.windows, clip_norms, rows);
  for (std::size_t r = 0; r < members_.size(); ++r) {
    if (result_.updated[r]) members_[r].account(result_.loss_nats[r], result_.grad_norm[r]);
  }
  updating_ = false;
  for (std::size_t r = 0; r < members_.size(); ++r) {
    if (!rows[r].active || result_.updated[r]) continue;
    members_[r].cursor.diverged = "loss " + std::to_string(result_.loss_nats[r]) +
                                  ", gradient norm " + std::to_string(result_.grad_norm[r]);
  }
  end_diverged_members();
}

void Pack::advance_clock() {
  const double now = monotonic_seconds();
  for (ReplicaRun& member : members_) member.cursor.wall_seconds += now - clock_;
  clock_ = now;
}

}  // namespace scalelaw
