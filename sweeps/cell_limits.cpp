#include "sweeps/cell_limits.h"

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "trainer/run_record.h"

namespace scalelaw {

SweepLimits read_limits(const SweepFolder& folder) {
  SweepLimits limits;
  std::ifstream stream(folder.limits());
  for (std::string line; std::getline(stream, line);) {
    const nlohmann::json json = nlohmann::json::parse(line, nullptr, false);
    if (!json.is_object()) continue;
    try {
      CellLimits of_cell;
      if (const auto most = json.at("most_together").get<int64_t>(); most > 0) {
        of_cell.most_together = static_cast<std::size_t>(most);
      }
      of_cell.micro_batch_tokens = std::max<int64_t>(0, json.at("micro_batch_tokens"));
      limits.insert_or_assign(json.at("content_hash").get<std::string>(), of_cell);
    } catch (const nlohmann::json::exception&) {
      continue;
    }
  }
  return limits;
}

CellLimits limits_of(const SweepLimits& limits, const PlannedCell& cell) {
  const auto found = limits.find(cell.content_hash);
  return found == limits.end() ? CellLimits{} : found->second;
}

void append_limits(const SweepFolder& folder, const Plan& plan,
                   const std::vector<std::size_t>& cells, const CellLimits& limits) {
  const bool any = limits.most_together != CellLimits{}.most_together;
  std::string lines;
  for (const std::size_t cell : cells) {
    const nlohmann::ordered_json json = {{"content_hash", plan.cells[cell].content_hash},
                                         {"most_together", any ? limits.most_together : 0},
                                         {"micro_batch_tokens", limits.micro_batch_tokens}};
    lines += json.dump() + "\n";
  }
  append_lines(folder.limits(), std::move(lines));
}

int64_t narrower_micro_batch(const Plan& plan, const PlannedCell& cell, const CellLimits& limits) {
  const RunConfig& config = cell.config;
  int64_t before = limits.micro_batch_tokens;
  try {
    const std::vector<Attempt> attempts = read_attempts({run_folder(plan, cell)});
    if (before == 0 && !attempts.empty()) before = attempts.back().provenance.micro_batch_tokens;
  } catch (const std::runtime_error&) {
    before = limits.micro_batch_tokens;  // the folder went this moment
  }
  if (before == 0) before = config.how.micro_batch_tokens;
  if (before == 0) before = config.train.batch_tokens;
  const int64_t batch_windows = config.train.batch_tokens / config.model.n_ctx;
  int64_t windows = before / config.model.n_ctx / 2;
  while (windows > 0 && batch_windows % windows != 0) --windows;
  return windows * config.model.n_ctx;
}

}  // namespace scalelaw
