// Interleaved comparison by process CPU time, which stays usable on a busy machine.
#pragma once

#include <benchmark/benchmark.h>
#include <time.h>

#include <algorithm>
#include <cstddef>
#include <vector>

namespace scalelaw {

inline double process_cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

inline double median(std::vector<double> values) {
  const size_t middle = values.size() / 2;
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(middle),
                   values.end());
  return values[middle];
}

struct Comparison {
  double our_median_seconds = 0;
  double median_ratio = 0;  // of their time to ours; above 1 where ours needs less
};

template <typename Ours, typename Theirs>
Comparison compare_cpu_time(benchmark::State& state, const Ours& ours, const Theirs& theirs) {
  ours();
  theirs();
  std::vector<double> our_seconds, ratios;
  for ([[maybe_unused]] auto iteration : state) {
    const double start = process_cpu_seconds();
    ours();
    const double middle = process_cpu_seconds();
    theirs();
    our_seconds.push_back(middle - start);
    ratios.push_back((process_cpu_seconds() - middle) / our_seconds.back());
  }
  return {median(our_seconds), median(ratios)};
}

}  // namespace scalelaw
