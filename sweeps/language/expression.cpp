#include "sweeps/language/expression.h"

#include <muParser.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <map>
#include <optional>
#include <utility>

#include "sweeps/language/expression_structure.h"
#include "sweeps/language/expression_value_fault.h"
#include "sweeps/language/named_laws.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

constexpr const char* kNameCharacters =
    "0123456789_.abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_name_character(char c) {
  return c != '\0' && std::string_view(kNameCharacters).find(c) != std::string_view::npos;
}

double round_to(double x, double multiple) {
  return multiple * std::max(1.0, std::rint(x / multiple));
}
double clamp(double x, double low, double high) {
  return std::min(std::max(x, low), high);
}

// Digits with point and exponent, then letters or %: all that might belong to one number.
std::size_t number_length(std::string_view text) {
  std::size_t end = 0;
  while (end < text.size() && (is_digit(text[end]) || text[end] == '.')) ++end;
  if (end < text.size() && (text[end] == 'e' || text[end] == 'E')) {
    std::size_t digits = end + 1;
    if (digits < text.size() && (text[digits] == '+' || text[digits] == '-')) ++digits;
    if (digits < text.size() && is_digit(text[digits])) end = digits;
  }
  while (end < text.size() && is_name_character(text[end])) ++end;
  if (end < text.size() && text[end] == '%') ++end;
  return end;
}

// The one reader of numbers in muParser's place for one.
int read_number(const char* text, int* position, double* value) {
  if (!is_digit(*text) && !(*text == '.' && is_digit(text[1]))) return 0;
  const std::size_t length = number_length(text);
  const std::string number(text, length);
  const std::optional<double> read = parse_real(number);
  if (!read) {
    const std::string limit = real_limit_exceeded(number);
    throw ExpressionFault(number + (limit.empty() ? " is no number" : ": " + limit),
                          static_cast<std::size_t>(*position));
  }
  *value = *read;
  *position += static_cast<int>(length);
  return 1;
}

using OfOne = double (*)(double);
using OfTwo = double (*)(double, double);
using OfThree = double (*)(double, double, double);

const std::map<std::string, OfOne>& functions_of_one() {
  static const std::map<std::string, OfOne> functions = {
      {"sqrt", std::sqrt},   {"cbrt", std::cbrt},   {"exp", std::exp},  {"ln", std::log},
      {"log2", std::log2},   {"log10", std::log10}, {"abs", std::fabs}, {"rint", std::rint},
      {"floor", std::floor}, {"ceil", std::ceil}};
  return functions;
}

// min and max of any number of arguments.
double least(const double* values, int count) {
  return *std::min_element(values, values + count);
}
double most(const double* values, int count) {
  return *std::max_element(values, values + count);
}

bool is_function(const std::string& name) {
  return functions_of_one().contains(name) || name == "min" || name == "max" ||
         name == "round_to" || name == "clamp" || find_named_law(name) != nullptr;
}

// "max (1, 2)" as "max( 1, 2)", since muParser takes no blank there; all else keeps its place.
std::string with_brackets_at_names(std::string text, const std::vector<Expression::Name>& names) {
  for (const Expression::Name& each : names) {
    const std::size_t end = each.position + each.name.size();
    const std::size_t next = text.find_first_not_of(" \t", end);
    if (next != std::string::npos && text[next] == '(') std::swap(text[end], text[next]);
  }
  return text;
}

mu::Parser parser_of(const std::string& text) {
  mu::Parser parser;
  parser.ClearFun();
  parser.ClearConst();
  parser.DefineNameChars(kNameCharacters);
  parser.AddValIdent(read_number);
  for (const auto& [name, function] : functions_of_one()) parser.DefineFun(name, function);
  parser.DefineFun("min", least);
  parser.DefineFun("max", most);
  parser.DefineFun("round_to", static_cast<OfTwo>(round_to));
  parser.DefineFun("clamp", static_cast<OfThree>(clamp));
  for (const NamedLaw& law : named_laws()) {
    const std::string function(law.function);
    if (law.of_one != nullptr) parser.DefineFun(function, law.of_one);
    if (law.of_two != nullptr) parser.DefineFun(function, law.of_two);
  }
  parser.SetExpr(text);
  return parser;
}

// The character that begins at `at`, for messages.
std::string character_at(const std::string& text, std::size_t at) {
  std::size_t end = at + 1;
  while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) ++end;
  return text.substr(at, end - at);
}

// What no expression has, and what muParser reads otherwise than people expect: assignments,
// several results, strings.
void check_characters(const std::string& text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const auto is = [&](std::size_t at, std::string_view any) {
      return at < text.size() && any.find(text[at]) != std::string_view::npos;
    };
    const bool compares = is(i + 1, "=") || (i > 0 && is(i - 1, "=<>!"));
    if (c == '=' && !compares) throw ExpressionFault("= assigns nothing here; == compares", i);
    if (c == '"') throw ExpressionFault("there are no texts here", i);
    if (static_cast<unsigned char>(c) < ' ' && c != '\t') {
      throw ExpressionFault("a control character", i);
    }
    if (!is_name_character(c) && !is(i, " \t+-*/^()<>=!&|?:,%")) {
      throw ExpressionFault("unexpected " + character_at(text, i), i);
    }
  }
}

// In the text's order; names of functions where they call one.
std::vector<Expression::Name> names_in(const std::string& text) {
  std::vector<Expression::Name> names;
  for (std::size_t i = 0; i < text.size();) {
    if (is_digit(text[i]) || (text[i] == '.' && i + 1 < text.size() && is_digit(text[i + 1]))) {
      i += number_length(std::string_view(text).substr(i));
      continue;
    }
    std::size_t end = i;
    while (end < text.size() && is_name_character(text[end])) ++end;
    if (end == i) {
      ++i;
      continue;
    }
    names.push_back({text.substr(i, end - i), i});
    i = end;
  }
  return names;
}

void check_names(const std::string& text, const std::vector<Expression::Name>& names) {
  for (const Expression::Name& each : names) {
    const std::size_t next = text.find_first_not_of(" \t", each.position + each.name.size());
    const bool is_called = next != std::string::npos && text[next] == '(';
    if (each.name == "log") {
      throw ExpressionFault("log is two things to people: write ln, log2 or log10", each.position);
    }
    if (is_called && !is_function(each.name)) {
      throw ExpressionFault("there is no function " + each.name, each.position);
    }
    if (!is_called && is_function(each.name)) {
      throw ExpressionFault(each.name + " is a function and needs its ( )", each.position);
    }
    const std::size_t argument = is_called ? text.find_first_not_of(" \t", next + 1) : next;
    if (is_called && argument != std::string::npos && text[argument] == ')') {
      throw ExpressionFault("too few arguments of " + each.name, argument);
    }
  }
}

std::string shown(std::string token) {
  while (!token.empty() && token.back() == ' ') token.pop_back();
  return token.substr(0, token.find(' '));
}

// Of these muParser says no place.
bool is_placeless(const mu::ParserError& error) {
  return error.GetCode() == mu::ecMISSING_ELSE_CLAUSE || error.GetCode() == mu::ecINTERNAL_ERROR;
}

// What stands first.
[[noreturn]] void rethrow(const mu::ParserError& error, const std::string& text) {
  const std::string token = shown(error.GetToken());
  std::size_t at = error.GetPos() < 0 ? 0 : static_cast<std::size_t>(error.GetPos());
  at = std::min(at, text.size());
  const std::optional<ExpressionFault> fault = structure_fault(text);
  if (fault && (is_placeless(error) || fault->position() <= at)) throw *fault;
  switch (error.GetCode()) {
    case mu::ecEMPTY_EXPRESSION:
      throw ExpressionFault("there is nothing behind the =", 0);
    case mu::ecUNEXPECTED_EOF:
      throw ExpressionFault("it ends too early", text.size());
    case mu::ecMISSING_PARENS:
      throw ExpressionFault(
          "a ) is missing (within { } and [ ] an expression with a comma is quoted)", text.size());
    case mu::ecTOO_MANY_PARAMS:
      throw ExpressionFault("too many arguments of " + token, at);
    case mu::ecTOO_FEW_PARAMS:
      throw ExpressionFault("too few arguments of " + token, at);
    default:
      throw ExpressionFault(
          token.empty() ? std::string("it cannot be read") : "unexpected " + token, at);
  }
}

}  // namespace

struct Expression::Parsed {
  mu::Parser parser;
  std::vector<double> values;  // of names_, which the parser points to
};

Expression::Expression(std::string text) : text_(std::move(text)) {
  if (text_.size() > kMostBytes) {
    throw ExpressionFault("longer than " + std::to_string(kMostBytes) + " bytes", kMostBytes);
  }
  check_characters(text_);
  const std::vector<Name> written = names_in(text_);
  check_names(text_, written);
  for (const Name& each : written) {
    const bool is_known = std::ranges::find(names_, each.name, &Name::name) != names_.end();
    if (const NamedLaw* law = find_named_law(each.name)) laws_.push_back(law);
    if (!is_known && !is_function(each.name)) names_.push_back(each);
  }
  parsed_ = std::make_shared<Parsed>();
  parsed_->values.resize(names_.size());
  try {
    parsed_->parser = parser_of(with_brackets_at_names(text_, written));
    for (std::size_t i = 0; i < names_.size(); ++i) {
      parsed_->parser.DefineVar(names_[i].name, &parsed_->values[i]);
    }
    parsed_->parser.GetUsedVar();
    // Commas between several results.
    if (const std::optional<ExpressionFault> fault = structure_fault(text_)) throw *fault;
  } catch (const mu::ParserError& error) {
    rethrow(error, text_);
  }
}

double Expression::value(const std::function<double(const Name&)>& value_of) const {
  // Asked for first: a name's value may take this expression's.
  std::vector<double> values;
  for (const Name& each : names_) values.push_back(value_of(each));
  std::ranges::copy(values, parsed_->values.begin());
  double result = 0;
  try {
    result = parsed_->parser.Eval();
  } catch (const mu::ParserError& error) {
    rethrow(error, text_);
  }
  if (!std::isfinite(result)) {
    std::string with;
    for (std::size_t i = 0; i < names_.size(); ++i) {
      with += (with.empty() ? ", with " : ", ") + names_[i].name + " = " + canonical(values[i]);
    }
    const ExpressionFault fault =
        value_fault(text_, [&](const std::string& part) { return value_of_part(part, values); });
    throw ExpressionFault(fault.what() + with, fault.position());
  }
  return result;
}

double Expression::value_of_part(const std::string& part, std::vector<double> values) const {
  try {
    mu::Parser parser = parser_of(with_brackets_at_names(part, names_in(part)));
    for (std::size_t i = 0; i < names_.size(); ++i) parser.DefineVar(names_[i].name, &values[i]);
    return parser.Eval();
  } catch (const std::runtime_error&) {
    return 1;  // not a part by itself
  } catch (const mu::ParserError&) {
    return 1;
  }
}

const Expression& ExpressionCache::of(const std::string& text) {
  const auto known = read_.find(text);
  return known != read_.end() ? known->second : read_.emplace(text, Expression(text)).first->second;
}

std::string at_character(std::string_view text, std::size_t position) {
  return position >= text.size() ? "its end" : "character " + std::to_string(position + 1);
}

}  // namespace scalelaw
