// `scalelaw bench` and `scalelaw profile`: the command lines of the instruments.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>

#include "trainer/instruments/bench.h"
#include "trainer/instruments/profile.h"

namespace scalelaw {

struct InstrumentArguments {
  RehearsalOptions rehearsal;
  std::string device = "cpu", precision = "fp32", position = "learned", embeddings = "tied", trace;
  std::string step = "eager";
  int64_t warmup = 5, steps = 30, rows = 25;
  int threads = 1;
  double seconds = 0, peak_tflops = 0;
  bool json = false, together = false, no_ceiling = false;
};

void add_bench(CLI::App& app, InstrumentArguments& arguments);
void add_profile(CLI::App& app, InstrumentArguments& arguments);

// Print their result; an exit code. ConfigError for what the arguments cannot mean,
// std::runtime_error where memory does not suffice.
int run_bench_verb(InstrumentArguments& arguments);
int run_profile_verb(InstrumentArguments& arguments);

}  // namespace scalelaw
