// Power laws of fitted runs that a sweep can take: quantity = coefficient * variable^exponent.
// Analysis writes the file (`scalelaw fit --law chinchilla --out FILE`), a sweep's file names it
// (`isoflop.centre: {fit: FILE}`, `critical_batch: {fit: FILE}`).
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/model_shape.h"

namespace scalelaw {

inline constexpr int kFitFileVersion = 1;
inline constexpr uint64_t kMaxFitFileBytes = uint64_t{16} << 20;  // some 300,000 runs

enum class FittedQuantity {
  kNOpt,           // parameters at which a budget C is spent best
  kCriticalBatch,  // tokens
};
std::string_view name(FittedQuantity quantity);  // "n_opt", "critical_batch"

enum class FitVariable {
  kCompute,  // C, training FLOPs by c_count
  kTokens,   // D
  kSize,     // N, parameters by n_count
  kLoss,     // L, nats per token
};
std::string_view name(FitVariable variable);  // "C", "D", "N", "L"

// Where a law came from.
struct FitOrigin {
  std::string source;             // the sweep's name, or the folders as given; a paper
  std::string law;                // "L = E + A N^-alpha + B D^-beta: E 1.8, ..."
  std::string fitted_at;          // ISO 8601, UTC
  std::vector<std::string> runs;  // content hashes; empty: not known
  bool operator==(const FitOrigin&) const = default;
};

struct FitRange {
  double low = 0, high = 0;
  bool holds(double value) const { return low <= value && value <= high; }
  bool operator==(const FitRange&) const = default;
};

// ln of the quantity is known to within hypot(ln_reach, exponent_reach ln(variable / centre)).
struct FitInterval {
  double level = 0.95;
  double centre = 1;  // of the variable, where it is known best
  double ln_reach = 0, exponent_reach = 0;
  bool operator==(const FitInterval&) const = default;
};

struct FittedLaw {
  FittedQuantity quantity = FittedQuantity::kNOpt;
  FitVariable variable = FitVariable::kCompute;  // n_opt: C; critical_batch: D, N or L
  double coefficient = 1, exponent = 0;
  std::optional<NCount> n_count = {};  // where quantity or variable is an N; else nullopt
  std::optional<CCount> c_count = {};  // where the variable is C; else nullopt
  double low = 0, high = 0;            // of the variable, over the runs that it was fitted to
  std::optional<FitRange> n_range = {}, d_range = {};  // of those runs; n_opt alone
  std::optional<double> exponent_standard_error = {};
  std::optional<FitInterval> interval = {};
  FitOrigin from = {};
  double at(double variable_value) const;
  // Ends of the interval of at(); nullopt: not known.
  std::optional<FitRange> interval_at(double variable_value) const;
  bool holds(double variable_value) const {
    return low <= variable_value && variable_value <= high;
  }
  bool operator==(const FittedLaw&) const = default;
};

struct FitFile {
  int version = kFitFileVersion;
  std::vector<FittedLaw> laws;                           // one a quantity; never empty
  const FittedLaw* find(FittedQuantity quantity) const;  // nullptr: it has none
  bool operator==(const FitFile&) const = default;
};

// Whole or not at all, over what is there. std::runtime_error as write_atomically.
void write_fit_file(const std::filesystem::path& file, const FitFile& fit);
std::string to_json(const FitFile& fit);
// std::runtime_error with field and fault: no JSON, another version, a field missing or of another
// type (all missing ones of a law in one message), a variable that its quantity does not have,
// values that no model and no text has, a quantity twice. Unknown keys are ignored.
FitFile fit_file_from_json(std::string_view text);

}  // namespace scalelaw
