// What fits take on Epoch AI's extraction of Chinchilla's runs (240 rows, Huber 1e-3):
//
//   build/no-torch/bin/fit_benchmark                a table: CPU milliseconds of one, median and
//   range build/no-torch/bin/fit_benchmark replicates 50  for scripts: counts, F, CPU milliseconds
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <functional>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include "analysis/fitting/formula_intervals.h"
#include "analysis/fitting/profile.h"
#include "tests/analysis/epoch_rows.h"

namespace scalelaw {
namespace {

constexpr double kDelta = 1e-3;

double cpu_ms() {
  timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return 1e3 * static_cast<double>(now.tv_sec) + 1e-6 * static_cast<double>(now.tv_nsec);
}

FormulaData formula_data(const std::vector<Observation>& rows) {
  FormulaData data;
  for (const Observation& o : rows) data.add(std::vector{o.n, o.d}, o.loss);
  return data;
}

std::vector<int> each_row(std::size_t rows) {
  std::vector<int> cluster(rows);
  std::iota(cluster.begin(), cluster.end(), 0);
  return cluster;
}

// `of`: how many fits one call makes.
void time(const char* job, int rounds, int of, const std::function<void()>& work) {
  std::vector<double> taken;
  for (int i = 0; i < rounds; ++i) {
    const double begin = cpu_ms();
    work();
    taken.push_back((cpu_ms() - begin) / of);
  }
  std::sort(taken.begin(), taken.end());
  std::printf("%-58s %9.4f  (%.4f to %.4f)\n", job, taken[taken.size() / 2], taken.front(),
              taken.back());
}

void bootstraps(const char* id, const FormulaData& data, int replicates) {
  const FormulaLaw& law = *find_formula_law(id);
  const FormulaFit fit = fit_formula(law, data, {.delta = kDelta});
  const std::vector<int> cluster = each_row(data.rows());
  int stuck = 0;
  time((std::string("bootstrap replicate of the formula ") + id).c_str(), 5, replicates, [&] {
    stuck = bootstrap_formula(law, data, ErrorKind::kHuberLn, fit, cluster,
                              static_cast<int>(cluster.size()), {}, {.replicates = replicates}, .95)
                .result.stuck;
  });
  if (stuck > 0) std::printf("  %d of %d stuck\n", stuck, replicates);
}

void table(const std::vector<Observation>& rows) {
  const FitData centred(rows);
  const FormulaData data = formula_data(rows);
  const Law& powers = chinchilla_law();
  const FormulaLaw& law = *find_formula_law("chinchilla");
  const std::vector<int> cluster = each_row(data.rows());
  FitResult robust;
  time("robust fit without a start, sums of powers", 41, 1,
       [&] { robust = fit_robust(powers, centred, {.huber_delta = kDelta}); });
  std::printf("  F %.16g\n", robust.objective);
  FormulaFit fit;
  time("fit of the formula, 24 starts", 5, 1,
       [&] { fit = fit_formula(law, data, {.delta = kDelta}); });
  std::printf("  F %.16g, %d of %d starts at the best\n", fit.objective, fit.starts_at_best,
              fit.starts);
  const FormulaObjective objective{law, data, ErrorKind::kHuberLn, kDelta};
  std::vector<double> gradient(law.constants.size());
  time("one F with its gradient, formula", 41, 100, [&] {
    for (int i = 0; i < 100; ++i) objective.value(fit.found.u.data(), gradient.data());
  });
  time("bootstrap replicate, sums of powers", 5, 200, [&] {
    bootstrap(cluster, static_cast<int>(cluster.size()), {.replicates = 200},
              [&](std::span<const double> weights) {
                FitData replicate = centred;
                replicate.weight.assign(weights.begin(), weights.end());
                const FitResult found = refine(powers, replicate, robust.theta, {});
                return Replicate{Replicate::Outcome::kFitted, found.theta};
              });
  });
  bootstraps("chinchilla", data, 400);
  bootstraps("generalised", data, 100);
  bootstraps("rosenfeld", data, 100);
  const FormulaFit squares = fit_formula(law, data, {.kind = ErrorKind::kGaussianLn});
  const FormulaProfile profile(law, data, ErrorKind::kGaussianLn, squares,
                               gaussian_rise(squares, .95));
  time("profile interval of E, formula", 9, 1, [&] { profile.constant(0); });
  const FitResult gaussian = fit_robust(powers, centred, {.huber_delta = kLeastSquares});
  time("profile interval of E, sums of powers", 9, 1,
       [&] { profile_floor(powers, centred, gaussian, ProfileKind::kGaussian, 0); });
  time("the same by Huber's likelihood ratio", 9, 1,
       [&] { profile_floor(powers, centred, robust, ProfileKind::kHuber, kDelta); });
  for (int round = 0; round < 3; ++round) {
    const double cpu = cpu_ms();
    const auto begin = std::chrono::steady_clock::now();
    const BootstrapResult drawn =
        bootstrap_formula(law, data, ErrorKind::kHuberLn, fit, cluster,
                          static_cast<int>(cluster.size()), {},
                          {.replicates = 10'000, .seed = 1, .threads = 2}, .95)
            .result;
    const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - begin;
    const auto e = drawn.interval(0, .95);
    std::printf(
        "10,000 bootstraps on 2 threads: %.3f s wall, %.3f s of CPU; E [%.4f, %.4f], "
        "%d stuck, %d degenerate\n",
        wall.count(), 1e-3 * (cpu_ms() - cpu), e->low, e->high, drawn.stuck, drawn.degenerate);
  }
}

// One line each: the counts of the rows, in the table's order by loss, and what is found of them.
void replicates(const std::vector<Observation>& rows, int count) {
  FormulaData data = formula_data(rows);
  const FormulaLaw& law = *find_formula_law("chinchilla");
  const FormulaFit fit = fit_formula(law, data, {.delta = kDelta});
  const auto derivatives = FormulaDerivatives::of(law.formula);
  const FormulaObjective objective{law, data, ErrorKind::kHuberLn, kDelta, &*derivatives};
  for (int b = 0; b < count; ++b) {
    const std::vector<int> counts = bootstrap_counts(static_cast<int>(data.rows()), 1, b);
    data.weight.assign(counts.begin(), counts.end());
    const double begin = cpu_ms();
    const RefinedFormula found = refit(objective, {fit.found.u});
    std::printf("%.17g %.6f", found.objective, cpu_ms() - begin);
    for (const int times : counts) std::printf(" %d", times);
    std::printf("\n");
  }
}

int benchmark(const std::vector<std::string>& words) {
  const std::vector<Observation> rows = epoch_rows();
  if (rows.empty()) {
    std::fprintf(stderr, "no epoch_chinchilla data: set SCALELAW_TEST_DATA\n");
    return 2;
  }
  if (words.size() == 2 && words[0] == "replicates") {
    replicates(rows, std::stoi(words[1]));
  } else {
    table(rows);
  }
  return 0;
}

}  // namespace
}  // namespace scalelaw

int main(int count, char** words) {
  return scalelaw::benchmark({words + 1, words + count});
}
