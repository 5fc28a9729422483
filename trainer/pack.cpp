#include "trainer/pack.h"

#include <ATen/ops/zeros.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <span>
#include <stdexcept>
#include <utility>

#include "models/kernels/device_kernels.h"
#include "trainer/clock.h"
#include "trainer/config_error.h"
#include "trainer/config_yaml.h"
#include "trainer/data/data_set.h"
#include "trainer/data_rules.h"
#include "trainer/device.h"
#include "trainer/folder_lock.h"
#include "trainer/lr_schedule.h"
#include "trainer/pack_resume.h"
#include "trainer/pack_rules.h"
#include "trainer/run_identity.h"
#include "trainer/run_lease.h"

namespace scalelaw {
namespace {

constexpr int64_t kStepsBetweenComparisons = 128;  // of the ranks' weights

}  // namespace

Pack::Pack(std::vector<RunConfig> configs, PackOptions options) : options_(std::move(options)) {
  check_can_share_pack(configs);
  check_can_share_batches(configs, options_.ranks->size());
  if (keeps_books()) check_store(options_.runs);
  std::vector<RunIdentity> identities;
  std::set<std::string> hashes;
  for (RunConfig& config : configs) {
    identities.push_back(identify(std::move(config), options_.runs, options_.data));
    const std::string& hash = identities.back().content_hash;
    if (!hashes.insert(hash).second) {
      throw ConfigError("two of these configurations are the same run (" + hash +
                        "); leave one out");
    }
  }
  if (keeps_books()) identities = incomplete(std::move(identities));
  // The others may not see the folders.
  if (broadcast_text(*options_.ranks, identities.empty() ? "" : "train").empty()) return;
  open_data(identities.front());
  fit_memory(identities);
  take_folders(identities);
  build(identities);
  if (keeps_books()) resume();
  follow_rank_zero();
  clock_ = monotonic_seconds();
}

std::vector<RunIdentity> Pack::incomplete(std::vector<RunIdentity> identities) const {
  std::vector<RunIdentity> left;
  for (RunIdentity& identity : identities) {
    check_same_run(identity);
    const auto record = try_read_run_record(identity.folder);
    if (!record) {
      left.push_back(std::move(identity));
    } else if (record->content_hash == identity.content_hash) {
      options_.note(identity.folder.path.string() + ": complete already");
    } else {
      throw ConfigError(identity.folder.path.string() + ": holds run " + record->content_hash +
                        ", not " + identity.content_hash + "; move that folder away");
    }
  }
  return left;
}

void Pack::take_folders(const std::vector<RunIdentity>& identities) {
  if (!keeps_books()) {
    for (const RunIdentity& identity : identities) {
      members_.emplace_back(identity, ReplicaRun::Books::kLeftToRankZero);
    }
    return;
  }
  check_nothing_is_thrown_away(identities);
  std::vector<std::filesystem::path> folders;
  for (const RunIdentity& identity : identities) folders.push_back(identity.folder.path);
  await_free(folders, options_.note);
  for (const RunIdentity& identity : identities) {
    members_.emplace_back(identity);
    // Another process may have ended this run between the look above and the lock.
    if (std::filesystem::exists(identity.folder.record())) {
      throw ConfigError(identity.folder.path.string() + kCompletedMeanwhile +
                        "; run the command again");
    }
  }
  // Or have begun it, checkpointed and let go.
  check_nothing_is_thrown_away(identities);
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
void Pack::fit_memory(const std::vector<RunIdentity>& identities) {
  if (!count(shape_)) {
    throw ConfigError("model.arch = " + shape_.arch + ": gives no counts (models/" + shape_.arch +
                      "_counts.cpp), which every run records");
  }
  const RunConfig& config = identities.front().config;
  StepRequest request = request_for(config, shape_, static_cast<int64_t>(identities.size()));
  request.device = options_.device.is_cpu() ? DeviceKind::kCpu : DeviceKind::kGpu;
  request.gpu_kernels = device_kernels() != nullptr;
  request.batch_windows /= options_.ranks->size();
  request.windows_at_once = std::min(request.windows_at_once, request.batch_windows);
  if (const int64_t most = options_.most_tokens_at_once; most > 0) {
    request.most_at_once = std::max<int64_t>(1, most / shape_.n_ctx);
  }
  if (const auto attempts = read_attempts(identities.front().folder); !attempts.empty()) {
    const Provenance& last = attempts.back().provenance;
    const int64_t before =
        last.micro_batch_tokens > 0 ? last.micro_batch_tokens : config.train.batch_tokens;
    if (last.ranks.value_or(1) == options_.ranks->size())
      request.windows_before = before / shape_.n_ctx;
  }
  const double own =
      options_.memory_bytes > 0 ? options_.memory_bytes : device_memory_bytes(options_.device);
  const double present = least_over_ranks(*options_.ranks, own);
  request.windows_before = of_rank_zero(*options_.ranks, request.windows_before);
  choice_ = require_fit(request, present);
  memory_left_ = present - choice_.needed_bytes;
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
  if (keeps_books() && first.how.checkpoint_every_seconds != 0) {
    writer_ = std::make_unique<CheckpointWriter>(arena_, *optimizer_);
  }
  if (options_.ranks->size() > 1) {
    over_ranks_ = std::make_unique<GradientMean>(*options_.ranks, arena_);
  }
  const int64_t own_windows = batch_windows / options_.ranks->size();
  const std::vector<int64_t> sizes{arena_.replicas(), own_windows, shape_.n_ctx};
  inputs_ = at::zeros(sizes, at::kLong);
  targets_ = at::zeros(sizes, at::kLong);
  note_attention();
  choose_step();
}

std::string Pack::description() const {
  return describe_step(shape_, choice_.windows, replicas());
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
  return learning_rate_of(static_cast<std::size_t>(replica), step_ - 1);
}

double Pack::learning_rate_of(std::size_t r, int64_t step) const {
  const TrainConfig& train = members_.at(r).config().train;
  return learning_rate_at(train.schedule, train.learning_rate, step, members_[r].steps());
}

void Pack::load_batch() {
  const auto windows = static_cast<std::size_t>(inputs_.size(1));
  const std::size_t cells = windows * static_cast<std::size_t>(shape_.n_ctx);
  const std::size_t first = windows * static_cast<std::size_t>(options_.ranks->rank());
  for (std::size_t r = 0; r < members_.size(); ++r) {
    if (!members_[r].training()) continue;  // a frozen row's tokens do not matter
    const std::vector<int64_t> starts = streams_[r].window_starts(step_);
    gather_windows(*train_, std::span(starts).subspan(first, windows), shape_.n_ctx,
                   {inputs_.data_ptr<int64_t>() + r * cells, cells},
                   {targets_.data_ptr<int64_t>() + r * cells, cells});
  }
}

void Pack::train_one_step() {
  load_batch();
  std::vector<double> clip_norms;
  for (const ReplicaRun& member : members_) {
    clip_norms.push_back(member.config().train.optimizer.clip_norm);
  }
  const StepPlan plan = plan_of(step_);
  updating_ = true;
  StepResult result;
  try {
    result = train_step(*model_, arena_, *optimizer_, inputs_.to(options_.device),
                        targets_.to(options_.device), choice_.windows, clip_norms, plan.rows,
                        over_ranks_.get(), plan.measure_small_batch);
  } catch (const LostRank&) {
    updating_ = false;
    throw;
  }
  account(result);
  updating_ = false;
  end_diverged_members();
  if (step_ % kStepsBetweenComparisons == 0) check_ranks_agree();
}

void Pack::account(const StepResult& result) {
  ++step_;
  for (std::size_t r = 0; r < members_.size(); ++r) {
    TrainingCursor& cursor = members_[r].cursor;
    if (result.updated[r]) {
      members_[r].account(result.loss_nats[r], result.grad_norm[r]);
      if (!result.small_batch_grad_norm.empty()) members_[r].account_noise(noise_of(result, r));
    } else if (members_[r].training()) {
      if (cursor.diverged.empty()) {
        cursor.diverged = "loss " + std::to_string(result.loss_nats[r]) + ", gradient norm " +
                          std::to_string(result.grad_norm[r]);
      }
      ++cursor.lag;
    }
  }
  result_ = result;
}

void Pack::check_leases() const {
  for (const ReplicaRun& member : members_) {
    if (member.training()) member.check_not_lost();
  }
}

void Pack::close_costs(const std::string& end) {
  for (ReplicaRun& member : members_) member.close_costs(end);
}

void Pack::advance_clock() {
  const double now = monotonic_seconds();
  for (ReplicaRun& member : members_) member.cursor.wall_seconds += now - clock_;
  clock_ = now;
}

}  // namespace scalelaw
