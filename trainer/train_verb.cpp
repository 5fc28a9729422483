#include "trainer/train_verb.h"

#include <ATen/Parallel.h>
#include <c10/util/Exception.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "trainer/available_cores.h"
#include "trainer/command_line.h"
#include "trainer/config_error.h"
#include "trainer/config_yaml.h"
#include "trainer/data_rules.h"
#include "trainer/device.h"
#include "trainer/disk_space.h"
#include "trainer/escaped.h"
#include "trainer/hash.h"
#include "trainer/kernel_library.h"
#include "trainer/pack_rules.h"
#include "trainer/parallel/launcher.h"
#include "trainer/parallel/membership.h"
#include "trainer/parallel/rendezvous.h"
#include "trainer/program_exit.h"
#include "trainer/provenance.h"
#include "trainer/run_identity.h"
#include "trainer/run_lease.h"
#include "trainer/step.h"
#include "trainer/stop_signals.h"
#include "trainer/train_loop.h"

namespace scalelaw {
namespace {

// The group that this process is a rank of; alone unless --group env.
Membership membership_of(const TrainArguments& arguments) {
  if (arguments.group != "none" && arguments.group != "env") {
    throw ConfigError("--group " + arguments.group + ": must be none or env");
  }
  if (arguments.group == "none") return {};
  if (arguments.processes > 1) {
    throw ConfigError(
        "--processes starts the processes that --group env would find started; give one");
  }
  return membership_from();
}

void check_company(const Company& company) {
  if (company.on_machine == 0 || company.on_gpu <= company.on_machine) return;
  throw ConfigError("--share-gpu " + std::to_string(company.on_gpu) +
                    ": must be at most --share-machine, which is " +
                    std::to_string(company.on_machine));
}

// Every rule that the file and the headers of its data sets can break, each with its line.
RunConfig read_checked(const std::string& file, const TrainArguments& arguments, int ranks,
                       DataSetHeaders& data) {
  const FlatConfig written = read_run_file(file, arguments.settings);
  RunConfig config = resolve(written);
  try {
    config = identify(std::move(config), arguments.runs, data).config;
    check_data_rules(config, data);
    check_can_share_batches({config}, ranks);
  } catch (const KeyError& error) {
    throw_at_its_place(error, written);
  }
  for (const UnreadKey& unread : unread_keys(written, config)) {
    if (!unread.is_default) spdlog::warn("{}", describe(unread));
  }
  return config;
}

std::string describe(const std::vector<RunConfig>& configs) {
  const RunConfig& first = configs.front();
  const int64_t micro = first.how.micro_batch_tokens;
  return describe_step(first.model,
                       (micro > 0 ? micro : first.train.batch_tokens) / first.model.n_ctx,
                       static_cast<int64_t>(configs.size()));
}

// Where the last step goes beyond the horizon that was asked for.
std::string rounded_horizon(const RunConfig& config) {
  const int64_t steps = total_steps(config), batch = config.train.batch_tokens;
  if (steps * batch == config.horizon.tokens) return "";
  return "; horizon.tokens = " + std::to_string(config.horizon.tokens) + " are " +
         std::to_string(steps) + " steps of " + std::to_string(batch) + ": " +
         std::to_string(steps * batch) + " tokens";
}

// What the ranks of a group must have in common.
Credentials credentials(const RunConfig& config, const PackOptions& options) {
  const RunIdentity identity = identify(config, options.runs, options.data);
  const Provenance& p = options.provenance;
  return {{"run", identity.content_hash},
          {"configuration", hash_hex(to_yaml(config))},
          {"program",
           p.program_version + " commit " + p.git_commit + (p.git_dirty ? " with changes" : "")},
          {"LibTorch", p.torch_version},
          {"device", options.device.is_cuda() ? "cuda" : "cpu"},
          {"instruction set", p.instruction_set}};
}

constexpr const char* kEraseLine = "\r\x1b[K";

// The observers end with it: what they leave on the terminal is a line of its own.
TrainOutcome train_observed(Pack& pack, bool terminal) {
  const std::atomic<bool>& stop = stop_on_signals();
  const ProvenanceConfig& how = pack.members().front().config().how;
  std::vector<std::unique_ptr<Observer>> observers;
  observers.push_back(make_metrics_observer(pack));
  if (!pack.keeps_books()) return train(pack, observers, stop);
  observers.push_back(make_checkpoint_observer(how.checkpoint_every_seconds));
  observers.push_back(make_progress_observer(pack, how.progress_every_seconds, terminal,
                                             [](const std::string& text) { std::cerr << text; }));
  return train(pack, observers, stop);
}

constexpr const char* kRemedy =
    "a smaller how.micro_batch_tokens, or how.recompute = blocks, needs less and gives the same "
    "result";

// What LibTorch says, with what was computed at once.
TrainOutcome train_described(Pack& pack, bool terminal) {
  try {
    return train_observed(pack, terminal);
  } catch (const c10::Error& error) {
    throw std::runtime_error(failure_text(error, pack.description(), kRemedy));
  }
}

// `ranks`: the group, where there is one; the caller's, who may have to leave without ending it.
int train_configs(const std::vector<RunConfig>& configs, const TrainArguments& arguments,
                  const Membership& membership, std::shared_ptr<RankGroup>& ranks) {
  PackOptions options;
  options.runs = arguments.runs;
  options.data = arguments.data;
  options.device = device_of_rank(
      choose_device(arguments.device, this_machine(membership.local_rank)), membership.local_rank);
  if (const std::string note = missing_kernels(options.device); !note.empty()) {
    spdlog::warn("{}", escaped(note));
  }
  if (arguments.threads > 0) at::set_num_threads(arguments.threads);
  options.provenance = current_provenance(options.device, at::get_num_threads());
  if (membership.size > 1) {
    options.provenance.ranks = membership.size;
    ranks = join_group(membership,
                       {arguments.runs, credentials(configs.front(), options), options.device});
    options.ranks = ranks;
  }
  // Ranks share the memory of their machine, and have a GPU each.
  const auto sharing =
      arguments.share_memory * (options.device.is_cpu() ? membership.local_size : 1);
  options.memory_bytes = device_memory_bytes(options.device, sharing);
  options.most_tokens_at_once = arguments.most_at_once;
  options.company = arguments.company;
  const bool terminal = isatty(STDERR_FILENO) != 0;
  options.note = [terminal](const std::string& text) {
    if (terminal) std::cerr << kEraseLine;
    spdlog::info("{}", escaped(text));
  };

  Pack pack(configs, std::move(options));
  if (pack.finished()) return kExitComplete;
  for (const ReplicaRun& member : pack.members()) {
    spdlog::info("{}: {} steps from {}{}", escaped(member.folder().path.string()), member.steps(),
                 pack.step(), rounded_horizon(member.config()));
  }
  if (train_described(pack, terminal) == TrainOutcome::kInterrupted) {
    spdlog::warn("interrupted at step {}; the same command goes on from there", pack.step());
    return kExitInterrupted;
  }
  if (!pack.keeps_books()) return kExitComplete;
  for (const ReplicaRun& member : pack.members()) {
    spdlog::info("{}", one_line_result(member.folder()));
  }
  return kExitComplete;
}

// Each with its share of the cores, unless somebody has said how many threads.
int launch(const TrainArguments& a) {
  int threads = a.threads;
  if (threads == 0 && !environment_variable("OMP_NUM_THREADS")) {
    threads = std::max(1, available_cores() / a.processes);
  }
  LaunchOptions options;
  options.processes = a.processes;
  options.note = [](const std::string& text) { spdlog::warn("{}", text); };
  options.command = {own_folder() / "scalelaw-train", "train"};
  const auto add = [&](const std::vector<std::string>& words) {
    options.command.insert(options.command.end(), words.begin(), words.end());
  };
  add(a.configs);
  for (const std::string& setting : a.settings) add({"--set", setting});
  add({"--runs", a.runs, "--data", a.data, "--device", a.device});
  add({"--threads", std::to_string(threads), "--group", "env"});
  add({"--share-memory", std::to_string(a.share_memory)});
  add({"--share-gpu", std::to_string(a.company.on_gpu)});
  add({"--share-machine", std::to_string(a.company.on_machine)});
  add({"--most-at-once", std::to_string(a.most_at_once)});
  return launch_ranks(options);
}

}  // namespace

int run_train_verb(const TrainArguments& arguments) {
  const Membership membership = membership_of(arguments);
  check_company(arguments.company);
  // A rank's troubles are told where all see them; what rank 0 says once is enough of the rest.
  if (membership.rank > 0 || arguments.processes > 1) spdlog::set_level(spdlog::level::err);
  const int ranks = std::max(arguments.processes, membership.size);
  std::vector<RunConfig> configs;
  DataSetHeaders data(arguments.data);
  for (const std::string& file : arguments.configs) {
    configs.push_back(read_checked(file, arguments, ranks, data));
  }
  check_can_share_batches(configs, ranks);
  if (arguments.processes > 1) {
    spdlog::set_level(spdlog::level::info);
    return launch(arguments);
  }
  std::shared_ptr<RankGroup> group;
  try {
    return train_configs(configs, arguments, membership, group);
  } catch (const LostRank& error) {
    spdlog::error("rank {} of {}: {}; the same command goes on from the last checkpoint",
                  membership.rank, membership.size, escaped(error.what()));
    // Threads of the group's library may wait for the one that is gone, and nobody for them.
    spdlog::default_logger()->flush();
    ::_exit(kExitInterrupted);
  } catch (const DiskFull& error) {
    spdlog::error("{}; make room, and the same command goes on from the last checkpoint",
                  escaped(error.what()));
    return kExitInterrupted;
  } catch (const LostLease& lost) {
    spdlog::error("{}", escaped(lost.what()));
    return kExitInterrupted;
  } catch (const c10::Error& error) {
    throw std::runtime_error(failure_text(error, describe(configs), kRemedy));
  }
}

void add_train(CLI::App& app, TrainArguments& a) {
  CLI::App* verb = app.add_subcommand("train", "train one run, or several of one shape as a pack");
  verb->footer(
      "Example: scalelaw train run.yaml --set train.learning_rate=0.02 --device cpu\n"
      "         scalelaw train run.yaml --processes 4\n"
      "Ends with 0 complete, 2 bad input, 3 interrupted (the same command goes on), 1 otherwise.");
  verb->add_option("config", a.configs, "run configurations (YAML); more than one make a pack")
      ->required()
      ->type_name("FILE");
  verb->add_option("--set", a.settings, "key=value, over the files; repeatable")->type_name("K=V");
  add_folder(*verb, "--runs", a.runs, "folder of run folders");
  add_folder(*verb, "--data", a.data, "folder of data sets");
  verb->add_option("--device", a.device, "auto, cpu or cuda")->capture_default_str();
  add_whole(*verb, "--threads", a.threads, kThreadCounts, kThreadsHelp);
  add_whole(*verb, "--processes", a.processes, {1, 1024},
            "processes of this machine that share every batch; each has --threads threads, or its "
            "share of the cores");
  verb->add_option("--group", a.group,
                   "env: this is one of several processes that share every batch, started by "
                   "torchrun or srun, whose variables say which; none: they are not read")
      ->capture_default_str();
  add_whole(*verb, "--share-memory", a.share_memory, {1},
            "processes among which the device's memory is divided");
  add_whole(*verb, "--share-gpu", a.company.on_gpu, {1, Company::kMost},
            "processes that share its GPU, this one included: noted with what the run costs, where "
            "--share-machine is given");
  add_whole(*verb, "--share-machine", a.company.on_machine, {0, Company::kMost},
            "processes that share the machine, this one included; 0: not known");
  add_whole(*verb, "--most-at-once", a.most_at_once, {},
            "tokens of a batch that are computed at once at most, whatever how.micro_batch_tokens "
            "says; 0: as it says, or as many as fit");
}

}  // namespace scalelaw
