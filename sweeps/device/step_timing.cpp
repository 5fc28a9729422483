#include "sweeps/device/step_timing.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>
#include <vector>

#include "sweeps/executors/local.h"
#include "trainer/child_process.h"
#include "trainer/clock.h"
#include "trainer/enum_text.h"
#include "trainer/escaped.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

std::vector<std::string> bench_words(const std::filesystem::path& trainer, const MeasuredStep& step,
                                     const BenchWay& way, double timed_seconds) {
  const ModelShape& shape = step.shape;
  const auto whole = [](int64_t value) { return std::to_string(value); };
  return {trainer.string(),
          "bench",
          "--together",
          "--json",
          "--no-ceiling",
          "--threads=1",
          "--device=" + std::string(way.device),
          "--step=" + std::string(enum_text(way.step)),
          "--warmup=" + std::to_string(way.warmup_steps),
          "--steps=2",
          "--seconds=" + canonical(timed_seconds),
          "--arch=" + shape.arch,
          "--layers=" + whole(shape.n_layer),
          "--width=" + whole(shape.d_model),
          "--heads=" + whole(shape.n_head),
          "--context=" + whole(shape.n_ctx),
          "--vocab=" + whole(shape.n_vocab),
          "--position=" + std::string(enum_text(shape.position)),
          "--embeddings=" + std::string(enum_text(shape.embeddings)),
          "--d-ff-ratio=" + canonical(shape.d_ff_ratio),
          "--batch=" + whole(step.batch_tokens / shape.n_ctx),
          "--precision=" + std::string(enum_text(step.precision)),
          "--replicas=" + whole(step.packing.replicas)};
}

class Pipe {
 public:
  Pipe() {
    if (pipe2(ends_, O_CLOEXEC) != 0) {
      throw std::runtime_error(std::string("pipe: ") + std::strerror(errno));
    }
  }
  ~Pipe() {
    close_end(0);
    close_end(1);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  int end(int which) const { return ends_[which]; }
  void close_end(int which) {
    if (ends_[which] >= 0) close(ends_[which]);
    ends_[which] = -1;
  }

 private:
  int ends_[2] = {-1, -1};  // for reading, for writing
};

constexpr std::size_t kMostOutput = 1 << 20;

class BenchProcess {
 public:
  // `gpu`: as CalibratedDevice's.
  BenchProcess(const std::vector<std::string>& words, const std::string& gpu) {
    std::vector<std::string> more;
    if (!gpu.empty()) more = {"CUDA_VISIBLE_DEVICES=" + gpu};
    ChildProgram program{words, single_thread_environment(more)};
    program.output = output_.end(1);
    program.input = input_.end(0);
    pid_ = start_child(std::move(program));
    output_.close_end(1);
    input_.close_end(0);
  }
  ~BenchProcess() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  BenchProcess(const BenchProcess&) = delete;
  BenchProcess& operator=(const BenchProcess&) = delete;

  int descriptor() const { return output_.end(0); }
  bool ended() const { return output_.end(0) < 0; }
  bool is_ready() const { return ("\n" + text_).find("\nready\n") != std::string::npos; }
  void begin() {
    (void)!write(input_.end(1), "\n", 1);
    input_.close_end(1);
  }
  void read_more() {
    std::array<char, 4096> bytes;
    const ssize_t count = read(output_.end(0), bytes.data(), bytes.size());
    if (count > 0) text_.append(bytes.data(), static_cast<std::size_t>(count));
    const bool failed = count < 0 && errno != EINTR;
    if (count == 0 || failed || text_.size() > kMostOutput) output_.close_end(0);
  }
  // nullopt where it said none.
  std::optional<double> told(const char* key) const {
    const std::size_t line = ("\n" + text_).rfind("\n{");
    if (line == std::string::npos) return std::nullopt;
    const auto json =
        nlohmann::json::parse(text_.substr(line), nullptr, /*allow_exceptions=*/false);
    if (!json.is_object()) return std::nullopt;
    const auto found = json.find(key);
    if (found == json.end() || !found->is_number() || *found <= 0) return std::nullopt;
    return found->get<double>();
  }
  std::string last_words() const {
    const std::string text = text_.substr(0, text_.find_last_not_of(" \n") + 1);
    return text.empty() ? "it ended without a word" : excerpt(text.substr(text.rfind('\n') + 1));
  }

 private:
  Pipe output_, input_;
  pid_t pid_ = 0;
  std::string text_;
};

using BenchProcesses = std::vector<std::unique_ptr<BenchProcess>>;

// Until all are `done`, or one has ended that is not; false where time ended before.
bool read_until(BenchProcesses& all, double deadline, bool (*done)(const BenchProcess&)) {
  while (true) {
    std::vector<pollfd> waiting;
    std::vector<BenchProcess*> of;
    for (const auto& one : all) {
      if (done(*one)) continue;
      if (one->ended()) return true;
      waiting.push_back({one->descriptor(), POLLIN, 0});
      of.push_back(one.get());
    }
    if (waiting.empty()) return true;
    const double left = deadline - monotonic_seconds();
    if (left <= 0) return false;
    poll(waiting.data(), waiting.size(), static_cast<int>(std::min(1e3 * left + 1, 1e6)));
    for (std::size_t i = 0; i < waiting.size(); ++i) {
      if (waiting[i].revents != 0) of[i]->read_more();
    }
  }
}

}  // namespace

StepTiming time_step(const std::filesystem::path& trainer, const MeasuredStep& step,
                     const CalibratedDevice& device, double timed_seconds, double deadline) {
  BenchProcesses all;
  const BenchWay way = bench_way(device.kind);
  const std::vector<std::string> words = bench_words(trainer, step, way, timed_seconds);
  for (int i = 0; i < step.packing.processes; ++i) {
    all.push_back(std::make_unique<BenchProcess>(words, device.gpu));
  }
  const auto is_ready = [](const BenchProcess& one) { return one.is_ready(); };
  if (!read_until(all, deadline, is_ready)) return {};
  if (std::ranges::all_of(all, [&](const auto& one) { return one->is_ready(); })) {
    for (const auto& one : all) one->begin();
    if (!read_until(all, deadline, [](const BenchProcess& one) { return one.ended(); })) return {};
  }
  double steps_a_second = 0, start_seconds = 0;
  for (const auto& one : all) {
    const std::optional<double> seconds = one->told(way.clock_key);
    start_seconds += one->told("start_cpu_seconds").value_or(0);
    if (!seconds && one->ended()) return {std::nullopt, one->last_words(), 0};
    if (seconds) steps_a_second += 1 / *seconds;
  }
  const auto processes = static_cast<double>(all.size());
  return {processes / steps_a_second, "", start_seconds / processes};
}

}  // namespace scalelaw
