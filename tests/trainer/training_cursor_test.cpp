#include "trainer/training_cursor.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <stdexcept>

namespace scalelaw {
namespace {

TrainingCursor example() {
  TrainingCursor cursor;
  cursor.step = 512;
  cursor.diverged = "the loss is nan";
  cursor.lag = 3;
  cursor.loss_since_line = {12.5, 4};
  cursor.grad_sq_norm_since_line = {0.25, 2};
  cursor.grad_noise_since_line = {1.0 / 3.0, 2};
  cursor.grad_norm = 0.75;
  cursor.wall_seconds = 1.5;
  cursor.events = {{"resumed", 256, "on another host"}};
  cursor.pack = {"3fa9", "77aa"};
  return cursor;
}

TEST(TrainingCursor, RoundTripsThroughItsText) {
  const TrainingCursor read = cursor_from_text(to_text(example()));
  EXPECT_EQ(to_text(read), to_text(example()));
  EXPECT_EQ(read.pack_step(), 515);
  EXPECT_EQ(read.loss_since_line.value(), 3.125);
  EXPECT_EQ(read.grad_sq_norm_since_line.value(), 0.125);
  EXPECT_EQ(read.grad_noise_since_line.value(), 1.0 / 6.0);
}

TEST(TrainingCursor, TextsThatAreNoneAreRefused) {
  const auto good = nlohmann::json::parse(to_text(example()));
  const auto expect_refused = [](const std::string& text) {
    EXPECT_THROW(cursor_from_text(text), std::runtime_error) << text.substr(0, 80);
  };
  const nlohmann::json too_large = int64_t{9223372036854775807};
  for (const nlohmann::json& step : {nlohmann::json(1e300), nlohmann::json(0.5), nlohmann::json(-1),
                                     nlohmann::json("512"), too_large}) {
    for (const char* key : {"step", "lag"}) {
      auto json = good;
      json[key] = step;
      expect_refused(json.dump());
    }
  }
  for (const char* key :
       {"loss_since_line", "grad_noise_since_line", "events", "pack", "wall_seconds"}) {
    for (const char* value : {"null", "7.5e1", "\"x\"", "[[]]", "{\"a\": 1}"}) {
      auto json = good;
      json[key] = nlohmann::json::parse(value);
      if (std::string(key) != "wall_seconds" || !json[key].is_number()) expect_refused(json.dump());
    }
  }
  expect_refused("");
  expect_refused("[]");
  expect_refused(std::string(100'000, '['));
}

}  // namespace
}  // namespace scalelaw
