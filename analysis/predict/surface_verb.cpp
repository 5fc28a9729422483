#include "analysis/predict/surface_verb.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <iostream>

#include "analysis/predict/predicting_law.h"
#include "analysis/predict/surface_text.h"
#include "trainer/atomic_file.h"
#include "trainer/clock.h"
#include "trainer/config_error.h"
#include "trainer/escaped.h"
#include "trainer/nearest.h"
#include "trainer/number.h"
#include "trainer/writable_folder.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

constexpr double kIntervalLevel = 0.95;

std::string in_a_list(const std::vector<std::string>& words) {
  std::string list;
  for (const std::string& word : words) list += (list.empty() ? "" : ", ") + word;
  return list;
}

void widen(FitRange& range, double value) {
  range.low = range.low > 0 ? std::min(range.low, value) : value;
  range.high = std::max(range.high, value);
}

std::string in_one_line(const PredictingLaw& law) {
  std::string line = law.formula + ":";
  for (const LawConstant& c : law.constants) line += " " + c.symbol + " " + canonical(c.value);
  return line;
}

void set_law(FittedSurface& s) {
  const std::optional<CCount> c_count = six_n_of(s.selection.n_count);
  if (s.optimum.status != FitStatus::kConverged) {
    s.why_no_law = s.optimum.why;
  } else if (!c_count) {
    s.why_no_law = "the law's C = 6 N D is no count of FLOPs for N counted as " +
                   std::string(name(s.selection.n_count)) +
                   "; fit it with --n-count non_embedding or non_embedding_plus_head";
  }
  if (!s.why_no_law.empty()) return;
  FittedLaw law{.quantity = FittedQuantity::kNOpt,
                .variable = FitVariable::kCompute,
                .coefficient = s.optimum.coefficient,
                .exponent = s.optimum.exponent,
                .n_count = s.selection.n_count,
                .c_count = c_count,
                .low = s.budgets.low,
                .high = s.budgets.high,
                .n_range = s.sizes,
                .d_range = s.tokens,
                .exponent_standard_error = s.optimum.standard_error};
  if (std::isnormal(s.optimum.best_known) && s.optimum.ln_reach > 0) {
    law.interval = {kIntervalLevel, s.optimum.best_known, s.optimum.ln_reach,
                    s.optimum.exponent_reach};
  }
  const Law& of = chinchilla_law();
  law.from.source = s.runs.source + ", arm " + s.arm;
  law.from.law =
      in_one_line(predicting_law(of, of.published(s.fit.best.theta, s.fit.data.centre), ""));
  law.from.fitted_at = utc_now();
  for (const RunRow& row : s.runs.rows) law.from.runs.push_back(row.record.content_hash);
  s.n_opt = std::move(law);
}

// What is there already and stays beside the new law.
FitFile fits_there(const fs::path& file) {
  std::error_code ignored;
  if (fs::status(file, ignored).type() == fs::file_type::not_found) return {};
  const std::string advice = "; it was left as it is, give --out another name";
  if (!fs::is_regular_file(file, ignored)) {
    throw ConfigError("--out " + file.string() + ": is there and is no regular file" + advice);
  }
  try {
    return fit_file_from_json(read_whole_file(file));
  } catch (const std::runtime_error& error) {
    throw ConfigError("--out " + file.string() + ": is there and is no file of fits (" +
                      error.what() + ")" + advice);
  }
}

}  // namespace

std::string chosen_arm(const RunTable& table, const std::string& asked) {
  const std::vector<std::string> arms = table.arms();
  if (asked.empty()) {
    if (arms.size() < 2) return arms.empty() ? "" : arms.front();
    throw ConfigError("there are several arms, and a law is of one: choose with --arm: " +
                      in_a_list(arms));
  }
  if (std::find(arms.begin(), arms.end(), asked) != arms.end()) return asked;
  throw ConfigError("--arm " + escaped(asked) + ": no run is of it" + nearest_or_all(asked, arms));
}

FittedSurface fitted_surface(const FitArguments& a, const std::string& asked_arm) {
  FittedSurface s;
  s.selection = options_from(a).selection;
  RunTable all = read_runs({a.runs.begin(), a.runs.end()});
  if (s.selection.by == ArmGrouping::kArchitecture) {
    for (RunRow& row : all.rows) row.arm = row.record.shape.arch;
  }
  s.arm = chosen_arm(all, asked_arm);
  s.runs = all;
  std::erase_if(s.runs.rows, [&](const RunRow& row) { return row.arm != s.arm; });
  select_runs(s.runs, s.selection, Horizons::kAll);
  s.fit = fit_surface(s.runs, s.selection, pooled_seed_noise(all, s.selection));
  if (!s.fit.missing.empty()) throw ConfigError("arm " + s.arm + ": " + s.fit.missing);
  if (!has_curve(s.fit.best.status)) {
    throw ConfigError("arm " + s.arm + ": L(N, D) has no fit (" +
                      std::string(name(s.fit.best.status)) + "): " + s.fit.best.why);
  }
  s.floor = profile_floor(chinchilla_law(), s.fit.data, s.fit.best, ProfileKind::kGaussian, 0);
  s.optimum = optimal_size(s.fit.data, s.fit.best, kLeastSquares, kIntervalLevel);
  for (const RunRow& row : s.runs.rows) {
    const double n = row.n(s.selection.n_count), d = row.d_tokens();
    widen(s.sizes, n);
    widen(s.tokens, d);
    widen(s.budgets, 6 * n * d);
  }
  set_law(s);
  return s;
}

void add_surface_options(CLI::App& verb, SurfaceArguments& s) {
  CLI::Option* law = verb.add_option("--law", s.law,
                                     "chinchilla: L(N, D) of one arm over all of its D, and at "
                                     "which N a budget is spent best; over a table, or by another "
                                     "name of --laws or as 'E + A*N^-a', any law");
  law->excludes(verb.get_option("--tokens"));
  verb.add_option("--arm", s.arm,
                  "with --law: whose law (default: the only one; of a table, each of --by)")
      ->needs(law);
  verb.add_option("--out", s.out,
                  "with --law: file to write N* of C to, for `isoflop: {centre: {fit: FILE}}` of "
                  "a sweep")
      ->needs(law);
}

void fit_surface_verb(const FitArguments& a, const SurfaceArguments& options) {
  if (options.law != "chinchilla") {
    throw ConfigError("--law " + options.law +
                      ": there is chinchilla, L = E + A N^-alpha + B "
                      "D^-beta; without --law the laws of N are fitted");
  }
  FitFile file;
  if (!options.out.empty()) {
    const fs::path folder = fs::absolute(options.out).parent_path();
    if (const std::string reason = why_not_writable(folder); !reason.empty()) {
      throw ConfigError("--out " + options.out + ": " + reason);
    }
    file = fits_there(options.out);
  }
  const FittedSurface surface = fitted_surface(a, options.arm);
  std::cout << (a.json ? to_json(surface) : to_markdown(document_of(surface), ""));
  if (!a.json) warn(surface.runs.warnings);
  if (options.out.empty()) return;
  if (!surface.n_opt) {
    throw ConfigError("--out " + options.out +
                      ": nothing was written, there is no N* of a budget (" +
                      std::string(name(surface.optimum.status)) + "): " + surface.why_no_law);
  }
  std::erase_if(file.laws,
                [](const FittedLaw& law) { return law.quantity == FittedQuantity::kNOpt; });
  file.laws.insert(file.laws.begin(), *surface.n_opt);
  create_folders(fs::absolute(options.out).parent_path());
  write_fit_file(fs::weakly_canonical(options.out), file);  // a link stays one
  if (!a.json) std::cout << escaped(options.out) << '\n';
}

}  // namespace scalelaw
