#include "analysis/fit_law/law_verb.h"

#include <algorithm>
#include <iostream>
#include <map>
#include <thread>

#include "analysis/figures/gnuplot.h"
#include "analysis/fit_law/joint_figure.h"
#include "analysis/fit_law/law_text.h"
#include "trainer/command_line.h"
#include "trainer/config_error.h"
#include "trainer/escaped.h"
#include "trainer/nearest.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

constexpr const char* kOwnOptions[] = {
    "--map",    "--where", "--cluster", "--objective", "--delta", "--start", "--range",
    "--starts", "--at",    "--sigma",   "--intervals", "--joint", "--figure"};

double positive_value(const char* option, const std::string& text) {
  const std::optional<double> value = parse_real(text);
  if (!value || *value <= 0) {
    throw ConfigError(std::string(option) + " " + escaped(text) + ": is no number above 0");
  }
  return *value;
}

template <typename T>
T one_of(const char* option, const std::string& text,
         const std::vector<std::pair<std::string, T>>& all) {
  std::string list;
  for (const auto& [name, value] : all) {
    if (name == text) return value;
    list += (list.empty() ? "" : ", ") + name;
  }
  throw ConfigError(std::string(option) + " " + escaped(text) + ": is one of " + list);
}

// "a=0.3" as its halves.
std::pair<std::string, std::string> halves(const char* option, const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) {
    throw ConfigError(std::string(option) + " " + escaped(text) + ": is not NAME=VALUE");
  }
  return {text.substr(0, equals), text.substr(equals + 1)};
}

FormulaConstant& constant_of(FormulaLaw& law, const char* option, const std::string& text,
                             const std::string& symbol) {
  std::vector<std::string> names;
  for (FormulaConstant& constant : law.constants) {
    if (constant.symbol == symbol) return constant;
    names.push_back(constant.symbol);
  }
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : ", ") + name;
  throw ConfigError(std::string(option) + " " + escaped(text) + ": the law has no constant " +
                    escaped(symbol) + "; it has " + list);
}

double number_of(const char* option, const std::string& text, const std::string& number) {
  const std::optional<double> value = parse_real(number);
  if (!value) {
    throw ConfigError(std::string(option) + " " + escaped(text) + ": " + escaped(number) +
                      " is no number");
  }
  return *value;
}

void set_range(FormulaLaw& law, const std::string& text) {
  const auto [symbol, range] = halves("--range", text);
  FormulaConstant& constant = constant_of(law, "--range", text, symbol);
  const std::size_t colon = range.find(':');
  if (colon == std::string::npos) {
    throw ConfigError("--range " + escaped(text) + ": is not NAME=LOW:HIGH");
  }
  const double low = number_of("--range", text, range.substr(0, colon));
  const double high = number_of("--range", text, range.substr(colon + 1));
  if (!(low < high)) throw ConfigError("--range " + escaped(text) + ": LOW must be below HIGH");
  if (low < 0) constant.transform = Transform::kLinear;
  constant.low = low;
  constant.high = high;
  const bool in_ln = constant.transform == Transform::kLog;
  constant.start_low = in_ln ? std::max(low, high * 1e-6) : low + .01 * (high - low);
  constant.start_high = high - (in_ln ? 0 : .01 * (high - low));
}

// A factor of 3 about it, or a third of it.
void set_start(FormulaLaw& law, const std::string& text) {
  const auto [symbol, number] = halves("--start", text);
  FormulaConstant& constant = constant_of(law, "--start", text, symbol);
  const double value = number_of("--start", text, number);
  if (value <= 0 && constant.transform != Transform::kLinear) {
    throw ConfigError("--start " + escaped(text) + ": " + symbol + " is positive; --range " +
                      symbol + "=-1:1 would let it be below 0");
  }
  const bool in_ln = constant.transform == Transform::kLog;
  const double around = value == 0 ? .1 : std::abs(value) / 3;
  constant.start_low = std::max(in_ln ? value / 3 : value - around, constant.low);
  constant.start_high = std::min(in_ln ? value * 3 : value + around, constant.high);
}

FormulaLaw law_asked(const std::string& text, const Measurements& table) {
  if (const FormulaLaw* named = find_formula_law(text)) return *named;
  const bool is_name =
      text.find_first_not_of("abcdefghijklmnopqrstuvwxyz_0123456789") == std::string::npos;
  if (is_name) {
    std::vector<std::string> names;
    for (const FormulaLaw& law : named_formula_laws()) names.push_back(law.id);
    const std::string near = nearest(text, names);
    throw ConfigError("--law " + escaped(text) + ": there is no such law" +
                      (near.empty() ? "" : "; did you mean " + near + "?") +
                      " (`scalelaw fit --laws` lists them)");
  }
  const std::vector<std::string> columns = formula_columns(table);
  try {
    return own_law(text, columns);
  } catch (const FormulaFault& fault) {
    throw ConfigError("--law " + escaped(text) + ": " + formula_place(text, fault.position()) +
                      ": " + fault.what());
  }
}

std::vector<double> row_asked(const FormulaLaw& law, const std::string& text) {
  std::map<std::string, double> given;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    const auto [column, number] = halves("--at", text.substr(begin, end - begin));
    given[column] = number_of("--at", text, number);
    begin = end + 1;
  }
  std::vector<double> row;
  for (const std::string& column : law.formula.columns()) {
    const auto found = given.find(column);
    if (found == given.end()) {
      throw ConfigError("--at " + escaped(text) + ": the law needs " + column + " too");
    }
    const bool is_count = std::ranges::find(law_columns(), column) != law_columns().end();
    if (is_count && !(found->second > 0)) {
      throw ConfigError("--at " + escaped(text) + ": " + column + " must be above 0");
    }
    row.push_back(found->second);
    given.erase(found);
  }
  if (!given.empty()) {
    throw ConfigError("--at " + escaped(text) + ": the law has no column " +
                      escaped(given.begin()->first));
  }
  return row;
}

std::pair<std::size_t, std::size_t> pair_asked(FormulaLaw& law, const std::string& text) {
  const std::size_t comma = text.find(',');
  if (comma == std::string::npos) {
    throw ConfigError("--joint " + escaped(text) + ": is not two constants, as E,alpha");
  }
  const auto index = [&](const std::string& symbol) {
    return static_cast<std::size_t>(&constant_of(law, "--joint", text, symbol) -
                                    law.constants.data());
  };
  const std::size_t first = index(text.substr(0, comma)), second = index(text.substr(comma + 1));
  if (first == second) {
    throw ConfigError("--joint " + escaped(text) + ": needs two different constants");
  }
  return {first, second};
}

void draw_joint(const LawReport& report, const std::string& folder) {
  const bool any = std::ranges::any_of(
      report.answers, [](const LawAnswer& a) { return a.joint && !a.joint->x.empty(); });
  if (!any) {
    std::cerr << "no figure: there is no contour to draw\n";
    return;
  }
  std::cerr << "figure: " << render(joint_figure(report), folder).svg.string() << '\n';
}

LawQuestion question_of(const FitArguments& fit, const LawArguments& a, FormulaLaw& law) {
  LawQuestion question;
  question.fit.kind = one_of<ErrorKind>("--objective", a.objective,
                                        {{"huber", ErrorKind::kHuberLn},
                                         {"gaussian_ln", ErrorKind::kGaussianLn},
                                         {"gaussian", ErrorKind::kGaussian},
                                         {"envelope", ErrorKind::kEnvelope}});
  if (!law.in_ln) question.fit.kind = ErrorKind::kGaussian;
  if (!a.delta.empty()) question.fit.delta = positive_value("--delta", a.delta);
  question.intervals = one_of<IntervalChoice>("--intervals", a.intervals,
                                              {{"auto", IntervalChoice::kAuto},
                                               {"profile", IntervalChoice::kProfile},
                                               {"bootstrap", IntervalChoice::kBootstrap},
                                               {"sandwich", IntervalChoice::kSandwich},
                                               {"none", IntervalChoice::kNone}});
  question.sigma = positive_value("--sigma", a.sigma);
  question.by_cluster = !a.cluster.empty();
  question.fit.starts = a.draws;
  question.fit.seed = fit.seed;
  question.fit.threads = fit.threads > 0
                             ? fit.threads
                             : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  question.bootstrap = {fit.bootstrap, fit.seed, question.fit.threads};
  for (const std::string& text : a.ranges) set_range(law, text);
  for (const std::string& text : a.starts) set_start(law, text);
  if (!a.joint.empty()) question.joint = pair_asked(law, a.joint);
  for (const std::string& text : a.at) question.at.push_back(row_asked(law, text));
  return question;
}

// Of many for one rule the first few.
void name_left_out(const Measurements& table) {
  constexpr std::size_t kMostNamed = 10;
  for (std::size_t i = 0; i < std::min(table.excluded.size(), kMostNamed); ++i) {
    const LeftOutRow& row = table.excluded[i];
    std::cerr << "left out: " << escaped(row.place) << ", " << escaped(row.reason) << '\n';
  }
  if (table.excluded.size() > kMostNamed) {
    std::cerr << "left out: " << table.excluded.size() - kMostNamed
              << " more rows, which --json lists\n";
  }
}

}  // namespace

void add_law_options(CLI::App& verb, LawArguments& a) {
  verb.get_option("runs")->required(false);
  CLI::Option* law = verb.get_option("--law");
  verb.add_flag("--laws", a.list, "list the laws that have names: formula, columns, source")
      ->excludes(law);
  const auto text = [&](const char* name, std::string& value, const char* help) {
    verb.add_option(name, value, help)->needs(law);
  };
  const auto texts = [&](const char* name, std::vector<std::string>& values, const char* help) {
    verb.add_option(name, values, help)->allow_extra_args(false)->needs(law);
  };
  texts("--map", a.maps, "of a table: loss=val_loss,N=params,D=tokens*1e9");
  text("--where", a.where, "of a table: only rows such as 'N > 1e8 and arm == moe'");
  text("--cluster", a.cluster, "of a table: column whose rows are not independent");
  text("--objective", a.objective, "huber (the default), gaussian_ln, gaussian or envelope");
  text("--delta", a.delta, "of huber, in ln (default: 1.345 robust standard deviations)");
  texts("--start", a.starts, "NAME=VALUE: about where a constant is sought first");
  texts("--range", a.ranges, "NAME=LOW:HIGH: where a constant may lie");
  add_whole(verb, "--starts", a.draws, {1, 10'000}, "searches");
  text("--intervals", a.intervals, "auto, profile, bootstrap, sandwich or none");
  text("--sigma", a.sigma, "noise assumed where the rows leave none to measure");
  text("--joint", a.joint, "E,alpha: how far the two may lie from the fit together");
  verb.add_option("--figure", a.figure, "folder for a figure of --joint")
      ->needs(verb.get_option("--joint"));
  texts("--at", a.at, "N=1e9,D=2e10: what the law gives there");
}

bool is_asked(const CLI::App& verb, const FitArguments& fit, const LawArguments& a) {
  if (a.list) return true;
  if (std::ranges::any_of(fit.runs, [](const auto& run) { return is_measurement_file(run); })) {
    return true;
  }
  if (verb.count("--law") == 0) return false;
  return a.law != "chinchilla" || std::ranges::any_of(kOwnOptions, [&](const char* option) {
           return verb.count(option) > 0;
         });
}

void fit_law_verb(const CLI::App& verb, const FitArguments& fit, const LawArguments& a) {
  if (a.list) {
    std::cout << (fit.json ? list_of_laws_json() : to_markdown(list_of_laws(), ""));
    return;
  }
  if (a.law.empty()) {
    throw ConfigError(escaped(fit.runs.front()) +
                      ": is a table, which --law fits: a name that `scalelaw fit --laws` lists, or "
                      "a formula such as 'E + A*N^-a'");
  }
  if (verb.count("--out") > 0) {
    throw ConfigError(
        "--out: a file for sweeps is made of --law chinchilla over runs alone, "
        "without options of tables");
  }
  FitArguments of_runs = fit;
  const bool by_column = fit.by != "arm" && fit.by != "arch";
  if (by_column) of_runs.by = "arm";
  Measurements table =
      read_measurements({fit.runs.begin(), fit.runs.end()}, options_from(of_runs).selection);
  FormulaLaw law = law_asked(a.law, table);
  const LawQuestion question = question_of(fit, a, law);
  const RowSelection selection{a.maps, a.where, by_column ? fit.by : "", a.arm, a.cluster};
  LawReport report{law, table, question, {}};
  for (const LawRows& rows : law_rows(table, law, selection)) {
    report.answers.push_back(answer(law, rows, question));
  }
  if (!fit.json) name_left_out(table);
  const bool any = std::ranges::any_of(
      report.answers, [](const LawAnswer& each) { return has_curve(each.fit.status); });
  if (!any) {
    std::string reasons;
    for (const LawAnswer& each : report.answers) {
      reasons += (reasons.empty() ? "" : "; ") + (each.group.empty() ? "" : each.group + ": ") +
                 std::string(name(each.fit.status)) + ", " + each.fit.why;
    }
    throw ConfigError("--law " + escaped(a.law) + " has no fit (" + escaped(reasons) + ")");
  }
  std::cout << (fit.json ? to_json(report) : to_markdown(document_of(report), ""));
  if (!fit.json) warn(table.warnings);
  if (!a.figure.empty()) draw_joint(report, a.figure);
}

}  // namespace scalelaw
