#include "trainer/training_cursor.h"

#include <nlohmann/json.hpp>
#include <stdexcept>

#include "trainer/json_text.h"

namespace scalelaw {
namespace {

constexpr int64_t kMostSteps = int64_t{1} << 53;

nlohmann::json to_json(const RunningMean& mean) {
  return {mean.sum, mean.count};
}

int64_t steps(const nlohmann::json& json) {
  return whole_number(json, 0, kMostSteps);
}

RunningMean mean_from_json(const nlohmann::json& json) {
  return {json.at(0).get<double>(), steps(json.at(1))};
}

TrainingCursor cursor_from_json(const nlohmann::json& json) {
  TrainingCursor cursor;
  cursor.step = steps(json.at("step"));
  cursor.loss_since_line = mean_from_json(json.at("loss_since_line"));
  cursor.loss_last_tenth = mean_from_json(json.at("loss_last_tenth"));
  if (json.contains("grad_noise_since_line")) {
    cursor.grad_sq_norm_since_line = mean_from_json(json.at("grad_sq_norm_since_line"));
    cursor.grad_noise_since_line = mean_from_json(json.at("grad_noise_since_line"));
  }
  if (json.contains("grad_norm")) cursor.grad_norm = json.at("grad_norm").get<double>();
  cursor.diverged = json.value("diverged", "");
  cursor.lag = cursor.diverged.empty() ? 0 : 1;
  if (json.contains("lag")) cursor.lag = steps(json.at("lag"));
  cursor.wall_seconds = json.at("wall_seconds").get<double>();
  cursor.evaluate_seconds = json.at("evaluate_seconds").get<double>();
  cursor.checkpoint_seconds = json.at("checkpoint_seconds").get<double>();
  if (!json.at("events").is_array()) throw std::runtime_error("events are no list");
  for (const auto& e : json.at("events")) {
    cursor.events.push_back(
        {e.at("kind").get<std::string>(), steps(e.at("step")), e.at("detail").get<std::string>()});
  }
  cursor.pack = json.at("pack").get<std::vector<std::string>>();
  return cursor;
}

}  // namespace

std::string to_text(const TrainingCursor& cursor) {
  nlohmann::json events = nlohmann::json::array();
  for (const RunEvent& e : cursor.events) {
    events.push_back({{"kind", e.kind}, {"step", e.step}, {"detail", e.detail}});
  }
  nlohmann::json json = {{"step", cursor.step},
                         {"loss_since_line", to_json(cursor.loss_since_line)},
                         {"loss_last_tenth", to_json(cursor.loss_last_tenth)},
                         {"wall_seconds", cursor.wall_seconds},
                         {"evaluate_seconds", cursor.evaluate_seconds},
                         {"checkpoint_seconds", cursor.checkpoint_seconds},
                         {"events", events},
                         {"pack", cursor.pack}};
  if (cursor.grad_noise_since_line.count > 0) {
    json["grad_sq_norm_since_line"] = to_json(cursor.grad_sq_norm_since_line);
    json["grad_noise_since_line"] = to_json(cursor.grad_noise_since_line);
  }
  if (cursor.grad_norm) json["grad_norm"] = *cursor.grad_norm;
  if (!cursor.diverged.empty()) json["diverged"] = cursor.diverged, json["lag"] = cursor.lag;
  // An event may quote a damaged file.
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

TrainingCursor cursor_from_text(const std::string& text) {
  try {
    return cursor_from_json(parse_json(text));
  } catch (const nlohmann::json::exception& error) {
    throw std::runtime_error(error.what());
  }
}

}  // namespace scalelaw
