#include "sweeps/cell_limits.h"

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>

#include "trainer/json_text.h"
#include "trainer/run_record.h"

namespace scalelaw {

namespace {

constexpr const char* kForgotten = "forgotten";

void narrow(CellLimits& limits, const nlohmann::json& noted) {
  if (const int64_t most = whole_number(noted.at("most_together"), 0); most > 0) {
    limits.most_together = std::min(limits.most_together, static_cast<std::size_t>(most));
  }
  int64_t& pieces = limits.micro_batch_tokens;
  const int64_t most = whole_number(noted.at("micro_batch_tokens"), 0);
  if (most > 0 && (pieces == 0 || most < pieces)) pieces = most;
}

}  // namespace

SweepLimits read_limits(const SweepFolder& folder) {
  SweepLimits limits;
  std::ifstream stream(folder.limits());
  for (std::string line; std::getline(stream, line);) {
    try {
      const nlohmann::json json = parse_json_object(line);
      CellLimits& of_cell = limits[json.at("content_hash").get<std::string>()];
      json.contains(kForgotten) ? void(of_cell = {}) : narrow(of_cell, json);
    } catch (const std::exception&) {
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

void forget_limits(const SweepFolder& folder, const Plan& plan,
                   const std::vector<std::size_t>& cells) {
  std::string lines;
  for (const std::size_t cell : cells) {
    const nlohmann::ordered_json json = {{"content_hash", plan.cells[cell].content_hash},
                                         {kForgotten, true}};
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
