// Stands in for scalelaw-train in the tests of the executor: the same command line, run folder,
// lock and exit codes, no training. What it does in each attempt is said by
//   FAKE_TRAINER="SEED:BEHAVIOUR,BEHAVIOUR;SEED:..."   SEED: seeds.init; the last one repeats
// ok       completes                        diverge  completes as diverged
// crash    exit 1                           kill     killed by a signal
// refuse   exit 2                           empty    exit 0 without a run.json
// full     exit 3, for a disk that is full, once another run has a checkpoint
// shm      exit 1, for one that is not the store's
// hang     checkpoint, then waits for SIGTERM and ends with exit 3; ignore: does not end then
// slow     waits for SIGTERM, needs three seconds for its first checkpoint and ends with exit 3
// pace     a line of metrics a step, each step 25 ms for each run it began with; ends as hang where
//          it is asked to, and goes on from there
// wait     a line of metrics, then waits for the file that FAKE_TRAINER_GO names and completes
// starting waits as one that does not listen to SIGTERM yet
// memory   has enough alone and in pieces of 8 tokens, and says so elsewhere
// meanwhile  finds that another process has just completed it
// `bench` makes its step unless CUDA_VISIBLE_DEVICES is what FAKE_BROKEN_GPU says.
// Given several configurations it is a pack: it holds all their folders, those that diverge end
// first, and what another does befalls all the rest.
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "trainer/checkpoint_files.h"
#include "trainer/config_error.h"
#include "trainer/config_yaml.h"
#include "trainer/program_exit.h"
#include "trainer/run_identity.h"
#include "trainer/run_lease.h"
#include "trainer/safetensors.h"
#include "trainer/stop_signals.h"

namespace {

using namespace scalelaw;

const std::atomic<bool>& stop_asked = stop_on_signals();

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, separator);) parts.push_back(part);
  return parts;
}

// Counts this attempt in the run folder and says what is to be done in it.
std::string behaviour(const RunConfig& config, const RunFolder& folder) {
  const auto counter = folder.path / "fake_attempts";
  std::ofstream(counter, std::ios::app) << ".";
  const auto attempt = static_cast<std::size_t>(std::filesystem::file_size(counter)) - 1;
  const char* script = std::getenv("FAKE_TRAINER");
  for (const std::string& entry : split(script != nullptr ? script : "", ';')) {
    const auto colon = entry.find(':');
    if (entry.substr(0, colon) != std::to_string(config.seeds.init)) continue;
    const std::vector<std::string> attempts = split(entry.substr(colon + 1), ',');
    return attempts[std::min(attempt, attempts.size() - 1)];
  }
  return "ok";
}

using Pack = std::vector<RunIdentity>;

void write_checkpoints(const Pack& pack, int64_t step) {
  nlohmann::json hashes = nlohmann::json::array();
  for (const RunIdentity& member : pack) hashes.push_back(member.content_hash);
  for (const RunIdentity& member : pack) {
    std::filesystem::create_directories(member.folder.checkpoints());
    write_safetensors(checkpoint_file(member.folder, step), {},
                      {{"cursor", nlohmann::json{{"pack", hashes}}.dump()}});
  }
}

void write_metrics(const RunFolder& folder, int64_t step) {
  MetricsRow row;
  row.step = step;
  row.train_loss_nats = 2.5;
  row.tokens_per_second = 1000;
  std::ofstream(folder.metrics_part(1), std::ios::app) << to_json_line(row) << '\n';
}

void finish(const RunIdentity& identity, RunState state) {
  RunRecord record;
  record.state = state;
  record.content_hash = identity.content_hash;
  record.recipe_hash = identity.recipe_hash;
  record.shape = identity.config.model;
  record.steps = total_steps(identity.config);
  // Best at the default rate.
  const double off = std::log(identity.config.train.learning_rate / TrainConfig{}.learning_rate);
  for (const auto& [set, tokens] : test_tokens(identity.config)) {
    if (state == RunState::kComplete) record.test[set].loss_nats = 2.25 + off * off;
  }
  publish(identity.folder, record);
}

// Whether it came to the last step before it was asked to stop.
bool kept_pace(const Pack& pack, std::size_t rows) {
  const std::vector<int64_t> before = checkpoint_steps(pack.front().folder);
  int64_t step = before.empty() ? 0 : before.front();
  while (step < total_steps(pack.front().config)) {
    std::this_thread::sleep_for(std::chrono::milliseconds(25 * rows));
    ++step;
    for (const RunIdentity& member : pack) write_metrics(member.folder, step);
    if (!stop_asked) continue;
    write_checkpoints(pack, step);
    return false;
  }
  return true;
}

// Waits for the wish to stop where a member is to; else returns at once.
bool waited(const Pack& pack, const std::string& what) {
  if (what != "hang" && what != "ignore" && what != "slow") return false;
  if (what != "slow") write_checkpoints(pack, 5);
  for (const RunIdentity& member : pack) write_metrics(member.folder, 5);
  while (what == "ignore" || !stop_asked) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  if (what == "slow") {
    std::this_thread::sleep_for(std::chrono::seconds(3));
    write_checkpoints(pack, 5);
  }
  std::cerr << "interrupted at step 5\n";
  return true;
}

void wait_for_go(const Pack& pack) {
  for (const RunIdentity& member : pack) write_metrics(member.folder, 5);
  while (!std::filesystem::exists(std::getenv("FAKE_TRAINER_GO"))) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

void wait_for_a_checkpoint_beside(const std::filesystem::path& folder) {
  const auto is_there = [&] {
    for (const auto& entry : std::filesystem::directory_iterator(folder.parent_path())) {
      if (entry.path() != folder && std::filesystem::exists(entry.path() / "checkpoints")) {
        return true;
      }
    }
    return false;
  };
  while (!is_there()) std::this_thread::sleep_for(std::chrono::milliseconds(2));
}

// --most-at-once; 0: any number.
int64_t most_at_once = 0;

bool has_memory(const Pack& pack) {
  int64_t pieces = pack.front().config.how.micro_batch_tokens;
  if (most_at_once > 0 && (pieces == 0 || pieces > most_at_once)) pieces = most_at_once;
  return pack.size() == 1 && pieces > 0 && pieces <= 8;
}

int act(const Pack& given) {
  std::vector<std::unique_ptr<RunLease>> locks;
  Pack pack;
  for (const RunIdentity& member : given) {
    locks.push_back(std::make_unique<RunLease>(member.folder.path));
    std::ofstream(member.folder.config()) << to_yaml(member.config);
    if (!try_read_run_record(member.folder)) pack.push_back(member);
  }
  std::vector<std::string> behaviours;
  for (const RunIdentity& member : pack) {
    behaviours.push_back(behaviour(member.config, member.folder));
    if (behaviours.back() == "diverge") finish(member, RunState::kDiverged);
  }
  std::erase_if(pack, [](const RunIdentity& m) { return try_read_run_record(m.folder); });
  for (const std::string& what : behaviours) {
    if (what == "crash") throw std::runtime_error("boom at step 17");
    if (what == "refuse") throw ConfigError("train.learning_rate = 9: no");
    if (what == "kill") raise(SIGKILL);
    if (what == "starting") {
      signal(SIGTERM, SIG_DFL);
      while (true) pause();
    }
    if (what == "memory" && !has_memory(pack)) {
      throw std::runtime_error(std::string("this machine's ") + kMemoryDoesNotSuffice);
    }
    if (what == "meanwhile") {
      finish(pack.front(), RunState::kComplete);
      throw ConfigError(pack.front().folder.path.string() + kCompletedMeanwhile);
    }
    if (what == "shm") throw std::runtime_error("/dev/shm/torch_1: No space left on device");
    if (what == "empty") return kExitComplete;
    if (what == "full") {
      wait_for_a_checkpoint_beside(pack.front().folder.path);
      std::cerr << "metrics.0001.jsonl: a line could not be written: No space left on device\n";
      return kExitInterrupted;
    }
    if (what == "pace" && !kept_pace(pack, behaviours.size())) return kExitInterrupted;
    if (what == "wait") wait_for_go(pack);
    if (what == "pace" || what == "wait") break;  // for all
    if (waited(pack, what)) return kExitInterrupted;
  }
  for (const RunIdentity& member : pack) finish(member, RunState::kComplete);
  return kExitComplete;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    if (text.find("OMP_") < text.find('=') || text.starts_with("MKL_") ||
        text.starts_with("KMP_") || text.starts_with("CUDA_"))
      std::cerr << text << '\n';
  }
  try {
    if (!words.empty() && words[0] == "bench") {
      const char *gpu = std::getenv("CUDA_VISIBLE_DEVICES"),
                 *broken = std::getenv("FAKE_BROKEN_GPU");
      if (gpu != nullptr && broken != nullptr && std::string_view(gpu) == broken) {
        throw ConfigError("its driver is too old");
      }
      return kExitComplete;
    }
    // train CONFIG… --runs DIR --data DIR --device cpu --threads 1 --share-memory N
    //   --share-gpu N --share-machine N [--most-at-once N]
    const auto first = std::find(words.begin(), words.end(), "--runs");
    const auto last = std::find(first, words.end(), "--most-at-once");
    if (words.empty() || words[0] != "train" || last - first != 14 || first[2] != "--data") {
      throw ConfigError("unexpected command line");
    }
    if (last != words.end()) most_at_once = std::stoll(last[1]);
    Pack pack;
    for (auto config = words.begin() + 1; config != first; ++config) {
      pack.push_back(identify(read_run_config(*config), first[1], first[3]));
    }
    return act(pack);
  } catch (const ConfigError& error) {
    std::cerr << error.what() << '\n';
    return kExitBadInput;
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return kExitOther;
  }
}
