#include "sweeps/status/cell_limits.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "sweeps/status/note_files.h"
#include "trainer/bytes_text.h"
#include "trainer/json_text.h"
#include "trainer/number.h"
#include "trainer/run_record.h"
#include "trainer/step_choice.h"

namespace scalelaw {
namespace {

constexpr const char* kForgotten = "forgotten";

// 0, or what is no limit, leaves it open.
CellLimits limits_in(const nlohmann::json& noted) {
  CellLimits limits;
  if (const int64_t most = whole_number(noted.at("most_together"), 0); most > 0) {
    limits.most_together = static_cast<std::size_t>(most);
  }
  limits.most_tokens_at_once = whole_number(noted.at("most_tokens_at_once"), 0);
  limits.too_large = noted.value("too_large", false);
  if (limits.too_large) {
    limits.memory_bytes = static_cast<double>(whole_number(noted.at("memory_bytes"), 0));
  }
  return limits;
}

}  // namespace

void CellLimits::narrow(const CellLimits& other) {
  most_together = std::min(most_together, other.most_together);
  too_large = too_large || other.too_large;
  memory_bytes = std::max(memory_bytes, other.memory_bytes);
  if (other.most_tokens_at_once == 0) return;
  most_tokens_at_once = most_tokens_at_once == 0
                            ? other.most_tokens_at_once
                            : std::min(most_tokens_at_once, other.most_tokens_at_once);
}

SweepLimits read_limits(const SweepFolder& folder) {
  const std::vector<Note> notes = read_notes(folder.limits());
  SweepLimits limits;
  std::map<std::string, int64_t> forgotten;  // by number
  const auto each = [&](const auto& take) {
    for (const Note& note : notes) {
      try {
        take(note, note.content.at("content_hash").template get<std::string>());
      } catch (const std::exception&) {
        continue;
      }
    }
  };
  each([&](const Note& note, const std::string& cell) {
    if (!note.content.contains(kForgotten)) return;
    int64_t& number = forgotten[cell];
    number = std::max(number, note.number);
  });
  each([&](const Note& note, const std::string& cell) {
    if (note.content.contains(kForgotten) || note.number < forgotten[cell]) return;
    const CellLimits noted = limits_in(note.content);
    limits[cell].narrow(noted);
  });
  return limits;
}

CellLimits limits_of(const SweepLimits& limits, const PlannedCell& cell) {
  const auto found = limits.find(cell.content_hash);
  return found == limits.end() ? CellLimits{} : found->second;
}

void append_limits(const SweepFolder& folder, const Plan& plan,
                   const std::vector<std::size_t>& cells, const CellLimits& limits) {
  const bool any = limits.most_together != CellLimits{}.most_together;
  std::vector<nlohmann::ordered_json> lines;
  for (const std::size_t cell : cells) {
    lines.push_back({{"content_hash", plan.cells[cell].content_hash},
                     {"most_together", any ? limits.most_together : 0},
                     {"most_tokens_at_once", limits.most_tokens_at_once}});
    if (!limits.too_large) continue;
    lines.back()["too_large"] = true;
    lines.back()["memory_bytes"] = static_cast<int64_t>(limits.memory_bytes);
  }
  append_notes(folder.limits(), lines);
}

void forget_limits(const SweepFolder& folder, const Plan& plan,
                   const std::vector<std::size_t>& cells) {
  std::vector<nlohmann::ordered_json> lines;
  for (const std::size_t cell : cells) {
    lines.push_back({{"content_hash", plan.cells[cell].content_hash}, {kForgotten, true}});
  }
  append_notes(folder.limits(), lines);
}

std::string too_large_text(const CellLimits& limits, const PlannedCell& cell) {
  const std::string had =
      limits.memory_bytes > 0 ? ", " + bytes_text(limits.memory_bytes) + " a run," : "";
  return "memory" + had +
         " does not suffice in the smallest pieces either; where a run has more (a larger machine, "
         "fewer --jobs): scalelaw sweep retry --only " +
         cell.folder + " --forget-limits";
}

int64_t fewer_tokens_at_once(const Plan& plan, const PlannedCell& cell, const CellLimits& limits) {
  const int64_t n_ctx = cell.config.model.n_ctx;
  StepRequest request = request_for(cell.config, cell.shape, /*replicas=*/1);
  request.device = plan.options.workers.device;
  request.most_at_once = limits.most_tokens_at_once / n_ctx;
  try {
    const std::vector<Attempt> attempts = read_attempts({run_folder(plan, cell)});
    if (!attempts.empty()) {
      const int64_t tokens = attempts.back().provenance.micro_batch_tokens;
      request.windows_before = tokens > 0 ? tokens / n_ctx : request.batch_windows;
    }
  } catch (const std::runtime_error&) {
    request.windows_before = 0;  // the folder went this moment
  }
  int64_t windows = choose_step(request, memory_a_run(plan.options)).windows / 2;
  while (windows > 0 && request.batch_windows % windows != 0) --windows;
  return windows * n_ctx;
}

}  // namespace scalelaw
