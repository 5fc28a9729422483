#include "trainer/instruments/profile.h"

#include <torch/csrc/autograd/profiler_kineto.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <set>
#include <stdexcept>
#include <tuple>
#include <utility>

#include "trainer/clock.h"

namespace scalelaw {
namespace {

using torch::autograd::profiler::KinetoEvent;
using torch::profiler::impl::ActivityType;

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what)) {
    text.replace(at, what.size(), by);
  }
  return text;
}

// "torch::autograd::CppNode<scalelaw::(anonymous namespace)::LinearFunction>" is the backward of
// LinearFunction.
std::string readable(const std::string& name) {
  static const std::string node = "torch::autograd::CppNode<";
  std::string plain = replaced(replaced(name, "(anonymous namespace)::", ""), "scalelaw::", "");
  if (plain.starts_with("autograd::engine")) return "autograd engine";
  if (!plain.starts_with(node)) return plain;
  return plain.substr(node.size(), plain.size() - node.size() - 1) + " (backward)";
}

struct Span {
  uint64_t begin = 0, end = 0;
  std::string name;
};

// Spans of one thread nest: each one's own time is its length without the spans right inside it.
void add_self_times(std::vector<Span> spans, std::map<std::string, OperatorTime>& totals) {
  std::sort(spans.begin(), spans.end(), [](const Span& a, const Span& b) {
    return std::tuple(a.begin, b.end) < std::tuple(b.begin, a.end);
  });
  std::vector<std::pair<uint64_t, OperatorTime*>> open;  // end, total
  for (const Span& span : spans) {
    while (!open.empty() && open.back().first <= span.begin) open.pop_back();
    OperatorTime& total = totals[span.name];
    const double length = 1e-9 * static_cast<double>(span.end - span.begin);
    total.calls_a_step += 1;
    total.self_seconds_a_step += length;
    if (!open.empty()) open.back().second->self_seconds_a_step -= length;
    open.emplace_back(span.end, &total);
  }
}

// Kineto says nothing of a disk that is full: its file ends in a brace or is not whole.
void save_trace(torch::autograd::profiler::ProfilerResult& result,
                const std::filesystem::path& file) {
  result.save(file.string());
  std::ifstream written(file, std::ios::binary | std::ios::ate);
  const auto size = static_cast<std::streamoff>(written.tellg());
  std::string end(8, ' ');
  written.seekg(std::max<std::streamoff>(0, size - 8));
  written.read(end.data(), static_cast<std::streamsize>(end.size()));
  if (size <= 0 || end.find('}') == std::string::npos) {
    std::filesystem::remove(file.string() + ".tmp");  // Kineto's draft
    throw std::runtime_error(file.string() + ": the trace could not be written whole");
  }
}

Profile tabulate(const std::vector<KinetoEvent>& events, double steps) {
  std::map<uint64_t, std::vector<Span>> by_thread;
  std::map<std::string, OperatorTime> on_host, on_device;
  Profile profile;
  for (const KinetoEvent& event : events) {
    Span span = {event.startNs(), event.endNs(), readable(event.name())};
    if (event.deviceType() == c10::DeviceType::CPU) {
      by_thread[event.startThreadId()].push_back(std::move(span));
      continue;
    }
    OperatorTime& total = on_device[span.name];
    total.calls_a_step += 1;
    total.self_seconds_a_step += 1e-9 * static_cast<double>(span.end - span.begin);
  }
  for (auto& [thread, spans] : by_thread) add_self_times(std::move(spans), on_host);
  for (auto* totals : {&on_host, &on_device}) {
    for (auto& [name, total] : *totals) {
      total.name = name;
      total.on_device = totals == &on_device;
      total.calls_a_step /= steps;
      total.self_seconds_a_step /= steps;
      (total.on_device ? profile.device_seconds : profile.host_seconds) +=
          total.self_seconds_a_step;
      if (total.on_device) profile.kernels_a_step += total.calls_a_step;
      profile.operators.push_back(total);
    }
  }
  std::sort(profile.operators.begin(), profile.operators.end(),
            [](const OperatorTime& a, const OperatorTime& b) {
              return a.self_seconds_a_step > b.self_seconds_a_step;
            });
  return profile;
}

std::string table_row(const std::string& name, double calls, double seconds, double whole) {
  char text[256];
  std::snprintf(text, sizeof(text), "%-52.52s %9.1f %11.3f %7.1f%%\n", name.c_str(), calls,
                1e3 * seconds, 100 * seconds / whole);
  return text;
}

}  // namespace

Profile profile_steps(Rehearsal& rehearsal, const ProfileOptions& options) {
  namespace profiler = torch::autograd::profiler;
  setenv("KINETO_LOG_LEVEL", "5", /*overwrite=*/0);  // a machine without a GPU is no error
  const int64_t at_once = rehearsal.steps_at_once();
  const auto run = [&](int64_t wanted) {
    int64_t done = 0;
    for (; done < wanted; done += at_once) rehearsal.steps(at_once);
    return static_cast<double>(done);
  };
  run(options.warmup_steps);
  const torch::profiler::impl::ProfilerConfig config(torch::profiler::impl::ProfilerState::KINETO);
  std::set<ActivityType> activities = {ActivityType::CPU};
  if (rehearsal.options().device.is_cuda()) activities.insert(ActivityType::CUDA);
  profiler::prepareProfiler(config, activities);
  profiler::enableProfiler(config, activities);
  const double start = monotonic_seconds();
  const double steps = run(options.steps);
  const double wall = monotonic_seconds() - start;
  const auto result = profiler::disableProfiler();
  Profile profile = tabulate(result->events(), steps);
  profile.step_seconds = wall / steps;
  if (!options.trace.empty()) save_trace(*result, options.trace);
  return profile;
}

std::string to_text(const Profile& profile, std::size_t rows) {
  const double whole = profile.step_seconds;
  std::string text = "own time of each operator, of a step of ";
  char line[256];
  std::snprintf(line, sizeof(line), "%.3f ms under the profiler\n%-52s %9s %11s %8s\n", 1e3 * whole,
                "operator", "calls", "ms a step", "of step");
  text += line;
  double rest = 0, rest_calls = 0;
  for (std::size_t i = 0; i < profile.operators.size(); ++i) {
    const OperatorTime& one = profile.operators[i];
    if (i >= rows) {
      rest += one.self_seconds_a_step;
      rest_calls += one.calls_a_step;
      continue;
    }
    text += table_row((one.on_device ? "[GPU] " : "") + one.name, one.calls_a_step,
                      one.self_seconds_a_step, whole);
  }
  if (rest_calls > 0) text += table_row("everything else", rest_calls, rest, whole);
  if (profile.kernels_a_step == 0) {
    return text + table_row("between operators", 0, whole - profile.host_seconds, whole);
  }
  std::snprintf(line, sizeof(line),
                "%.1f kernels and copies a step; the GPU is busy %.0f%% of it\n",
                profile.kernels_a_step, 100 * profile.device_seconds / whole);
  return text + line;
}

}  // namespace scalelaw
