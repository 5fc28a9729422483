// Every named law with constants to find again, rows over ranges that determine them, and its value
// written a second time in plain C++.
#pragma once

#include <cmath>
#include <functional>
#include <map>
#include <ostream>
#include <random>
#include <string>
#include <vector>

#include "analysis/fitting/formula_objective.h"

namespace scalelaw {

struct LawCase {
  std::string id;
  std::map<std::string, double> truth;
  // By column's name.
  std::function<double(const std::map<std::string, double>& truth,
                       const std::map<std::string, double>& row)>
      twin;
};

using Named = std::map<std::string, double>;

inline void PrintTo(const LawCase& of, std::ostream* out) {
  *out << of.id;
}

inline std::vector<LawCase> law_cases() {
  using std::exp;
  using std::log;
  using std::pow;
  const auto power = [](const char* scale, const char* column) {
    return [=](const Named& p, const Named& x) {
      return exp(p.at("a") * (log(p.at(scale)) - log(x.at(column))));
    };
  };
  const auto floored = [](const char* floor, const char* size, const char* exponent,
                          const char* column) {
    return [=](const Named& p, const Named& x) {
      return p.at(floor) + p.at(size) * exp(-p.at(exponent) * log(x.at(column)));
    };
  };
  const auto optimum = [](const Named& p, const Named& x) {
    return p.at("G") * pow(x.at("C"), p.at("a"));
  };
  // Of what is there only what was used counts: nothing repeats where less is used than is there.
  const auto worth = [](double there, double used, double r) {
    if (used <= there) return used;
    const double repeats = used / there - 1;
    return there * (1 + r * (1 - exp(-repeats / r)));
  };
  return {
      {"power_n", {{"N_c", 8.8e13}, {"a", .076}}, power("N_c", "N")},
      {"power_d", {{"D_c", 5.4e13}, {"a", .095}}, power("D_c", "D")},
      {"power_c", {{"C_c", 2.7e28}, {"a", .05}}, power("C_c", "C")},
      {"power_floor_n", {{"E", 1.7}, {"A", 400}, {"alpha", .34}}, floored("E", "A", "alpha", "N")},
      {"power_floor_d", {{"E", 1.8}, {"B", 400}, {"beta", .28}}, floored("E", "B", "beta", "D")},
      {"power_floor_c", {{"E", 1.5}, {"A", 900}, {"gamma", .15}}, floored("E", "A", "gamma", "C")},
      {"hestness",
       {{"E", 1.2}, {"L_0", 6}, {"D_0", 3e6}, {"beta", .4}},
       [](const Named& p, const Named& x) {
         const double rise = pow(x.at("D") / p.at("D_0"), p.at("beta"));
         return (p.at("L_0") + p.at("E") * rise) / (1 + rise);
       }},
      {"curve_s", {{"E", 2.2}, {"A", 30}, {"alpha", .5}}, floored("E", "A", "alpha", "S")},
      {"context", {{"c", 2.4}, {"A", 2}, {"p", .3}}, floored("c", "A", "p", "T")},
      {"n_opt", {{"G", .09}, {"a", .5}}, optimum},
      {"d_opt", {{"G", 1.9}, {"a", .5}}, optimum},
      {"kaplan_nd",
       {{"N_c", 6.4e13}, {"D_c", 1.8e13}, {"a_N", .076}, {"a_D", .103}},
       [](const Named& p, const Named& x) {
         return pow(
             pow(p.at("N_c") / x.at("N"), p.at("a_N") / p.at("a_D")) + p.at("D_c") / x.at("D"),
             p.at("a_D"));
       }},
      {"kaplan_ns",
       {{"N_c", 6.5e13}, {"S_c", 2.1e3}, {"a_N", .077}, {"a_S", .76}},
       [](const Named& p, const Named& x) {
         return pow(p.at("N_c") / x.at("N"), p.at("a_N")) +
                pow(p.at("S_c") / x.at("S"), p.at("a_S"));
       }},
      {"chinchilla",
       {{"E", 1.69}, {"A", 406.4}, {"B", 410.7}, {"alpha", .34}, {"beta", .28}},
       [](const Named& p, const Named& x) {
         return p.at("E") + p.at("A") * exp(-p.at("alpha") * log(x.at("N"))) +
                p.at("B") * exp(-p.at("beta") * log(x.at("D")));
       }},
      {"generalised",
       {{"E", 1.5}, {"A", 500}, {"B", 2000}, {"alpha", .4}, {"beta", .42}, {"gamma", .7}},
       [](const Named& p, const Named& x) {
         return p.at("E") + pow(p.at("A") * pow(x.at("N"), -p.at("alpha")) +
                                    p.at("B") * pow(x.at("D"), -p.at("beta")),
                                p.at("gamma"));
       }},
      {"tied",
       {{"E", 1.8}, {"A", 200}, {"B", 300}, {"eta", .13}},
       [](const Named& p, const Named& x) {
         const double m = x.at("D") / x.at("N"), eta = p.at("eta");
         return p.at("E") +
                (p.at("A") * pow(m, eta) + p.at("B") * pow(m, -eta)) * pow(x.at("C"), -eta);
       }},
      {"repeated_data",
       {{"E", 1.87}, {"A", 521}, {"B", 1488}, {"alpha", .353}, {"beta", .353}, {"R_D", 15.4}},
       [=](const Named& p, const Named& x) {
         return p.at("E") + p.at("A") * pow(x.at("N"), -p.at("alpha")) +
                p.at("B") * pow(worth(x.at("U"), x.at("D"), p.at("R_D")), -p.at("beta"));
       }},
      {"repeated",
       {{"E", 1.87},
        {"A", 521},
        {"B", 1488},
        {"alpha", .36},
        {"beta", .35},
        {"R_D", 15.4},
        {"R_N", 5.3}},
       [=](const Named& p, const Named& x) {
         const double a = p.at("alpha"), b = p.at("beta");
         const double g = pow(a * p.at("A") / (b * p.at("B")), 1 / (a + b));
         const double seen = x.at("U") < x.at("D") ? x.at("U") : x.at("D");
         const double unique_n = std::min(x.at("N"), g * pow(g * seen, b / a));
         return p.at("E") + p.at("A") * pow(worth(unique_n, x.at("N"), p.at("R_N")), -a) +
                p.at("B") * pow(worth(x.at("U"), x.at("D"), p.at("R_D")), -b);
       }},
      {"critical_batch",
       {{"B_star", 2e8}, {"a_B", .21}},
       [](const Named& p, const Named& x) {
         return p.at("B_star") * exp(-log(x.at("L")) / p.at("a_B"));
       }},
      {"batch_hyperbola",
       {{"S_min", 4000}, {"B_crit", 9000}},
       [](const Named& p, const Named& x) {  // 5.1 with E = batch S, E_min = B_crit S_min
         return p.at("S_min") + p.at("B_crit") * p.at("S_min") / x.at("batch");
       }},
      {"lr_step_law",
       {{"c", 1.79}, {"a", .713}, {"b", .307}},
       [](const Named& p, const Named& x) {
         return exp(log(p.at("c")) - p.at("a") * log(x.at("N")) + p.at("b") * log(x.at("D")));
       }},
      {"batch_step_law",
       {{"c", .58}, {"b", .571}},
       [](const Named& p, const Named& x) { return p.at("c") * pow(x.at("D"), p.at("b")); }},
      {"accuracy",
       {{"low", .25}, {"high", .9}, {"k", 4}, {"L_mid", 2.6}},
       [](const Named& p, const Named& x) {
         const double rise = exp(p.at("k") * (x.at("L") - p.at("L_mid")));
         return (p.at("high") + p.at("low") * rise) / (1 + rise);
       }},
      {"pass_rate",
       {{"A", 3e5}, {"k", .27}},
       [](const Named& p, const Named& x) { return p.at("A") * pow(x.at("C"), -p.at("k")); }},
      {"logarithm",
       {{"k", .25}, {"N_c", 7.1e12}},
       [](const Named& p, const Named& x) { return -p.at("k") * log(x.at("N") / p.at("N_c")); }},
      {"rosenfeld",
       {{"A", 300}, {"B", 900}, {"E", .2}, {"alpha", .34}, {"beta", .3}, {"L_0", 9}},
       [](const Named& p, const Named& x) {
         const double e = p.at("A") * pow(x.at("N"), -p.at("alpha")) +
                          p.at("B") * pow(x.at("D"), -p.at("beta")) + p.at("E");
         return p.at("L_0") / std::sqrt(1 / (e * e) + 1);
       }},
      {"pow4",
       {{"c", 1.9}, {"A", 3e-6}, {"b", .4}, {"alpha", .35}},
       [](const Named& p, const Named& x) {
         return p.at("c") + pow(p.at("b") + p.at("A") * x.at("D"), -p.at("alpha"));
       }},
      {"ilog2",
       {{"c", -.8}, {"A", 70}},
       [](const Named& p, const Named& x) { return p.at("c") + p.at("A") / log(x.at("D")); }},
  };
}

// `count` rows spread evenly over the logarithms of each column's range, by the golden ratio's
// powers; U is from a sixtieth of D to ten times as much, and N, D and C are independent.
inline std::vector<Named> law_rows(const std::string& id, int count) {
  const bool three_regions = id == "hestness" || id == "pow4";
  std::vector<Named> rows;
  for (int i = 0; i < count; ++i) {
    const auto spread = [&](double step, double low, double high) {
      const double share = std::fmod(.5 + step * (i + 1), 1.0);
      return low * std::pow(high / low, share);
    };
    Named row = {{"N", spread(.8191725, 1e6, 3e10)}, {"D", spread(.6710436, 1e8, 1e12)},
                 {"S", spread(.5497005, 300, 1e6)},  {"batch", spread(.7548777, 500, 1e6)},
                 {"T", spread(.5698403, 1, 8192)},   {"L", spread(.6180340, 1.6, 5)},
                 {"C", spread(.7244920, 1e17, 1e24)}};
    if (three_regions) row["D"] = spread(.6180340, 1e4, 1e12);
    row["U"] = row["D"] / spread(.5248886, .1, 60);
    rows.push_back(row);
  }
  return rows;
}

// Rows of the law with its true constants, times exp(noise z) with a fixed normal z a row; where
// the law's noise is not in ln, plus noise z.
inline FormulaData law_data(const FormulaLaw& law, const LawCase& of, int count, double noise) {
  std::mt19937 random(7);
  std::normal_distribution<double> normal;
  FormulaData data;
  for (const Named& row : law_rows(of.id, count)) {
    std::vector<double> columns;
    for (const std::string& column : law.formula.columns()) columns.push_back(row.at(column));
    const double value = of.twin(of.truth, row), z = noise > 0 ? noise * normal(random) : 0;
    data.add(columns, law.in_ln ? value * std::exp(z) : value + z);
  }
  return data;
}

}  // namespace scalelaw
