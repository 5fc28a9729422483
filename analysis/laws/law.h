// A scaling law behind one interface: its parameters, prediction, and what the fitting
// code needs of it (columns for variable projection, gradient by Ceres Jets).
//
// Every law here is a sum of powers, L = [E] + A N^-alpha [+ B D^-beta], and is fitted in centred
// logs: x = ln N - mean(ln N), y = ln D - mean(ln D). Its parameter vector theta holds, in order,
// the exponents, then the natural log of each term at the centre, then ln E where there is a floor.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace scalelaw {

// Where one run stands, in centred logs.
struct CentredScale {
  double x = 0;  // ln N - centre.ln_n
  double y = 0;  // ln D - centre.ln_d
};

struct LogCentre {
  double ln_n = 0, ln_d = 0;
};

// One parameter as a paper would print it.
struct LawParameter {
  std::string symbol;  // "E", "A", "alpha", "N_c"
  double value = 0;
};

// ln E of a floor that is zero: exp of it is the smallest positive double, its derivatives vanish.
inline constexpr double kNoFloor = -740.0;

class Law {
 public:
  virtual ~Law() = default;

  virtual std::string_view id() const = 0;       // "power", "power_floor", "chinchilla"
  virtual std::string_view formula() const = 0;  // "L = E + A N^-alpha"
  virtual int parameters() const = 0;            // length of theta
  virtual int exponents() const = 0;             // the first of theta; the rest are logs of terms
  virtual bool has_floor() const = 0;            // then ln E is theta's last entry

  // ln L; with `gradient` (length parameters()), d ln L / d theta too.
  virtual double ln_loss(std::span<const double> theta, CentredScale at,
                         double* gradient = nullptr) const = 0;
  // theta as the constants of formula().
  virtual std::vector<LawParameter> published(std::span<const double> theta,
                                              LogCentre centre) const = 0;

  // The terms of L that exponent k < exponents() rules, divided by their value at the centre.
  double term(int k, double exponent, CentredScale at) const;
  // d ln term / d exponent: minus the scale that the exponent acts on.
  double term_log_slope(int k, CentredScale at) const { return k == 0 ? -at.x : -at.y; }
};

// L = (N_c / N)^a. Kaplan et al. 2020, 1.1.
const Law& power_law();
// L = E + A N^-alpha. Cortes et al. 1993; Hestness et al. 2017.
const Law& power_law_with_floor();
// L = E + A N^-alpha + B D^-beta. Hoffmann et al. 2022. `predict` fits it where runs differ in D;
// the other verbs analyse a run table at one D. tests/analysis/published_fits_test.cpp holds the
// estimators to published optima with it.
const Law& chinchilla_law();

}  // namespace scalelaw
