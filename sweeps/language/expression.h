// Arithmetic in a sweep file: what stands behind '='.
//
//   1.79 * N^-0.713 * D^0.307        2^rint(log2(0.58 * D^0.571))        round_to(0.01 * D, n_ctx)
//
// + - * / ^ (right-associative, above a sign: -2^2 is -4), comparisons, && ||, A ? B : C, and
// sqrt cbrt exp ln log2 log10 abs rint floor ceil min max round_to(x, m) (the multiple of m nearest
// to x, at least m) clamp(x, low, high), and the laws of sweeps/language/named_laws.h:
// step_law_lr(N, D). Numbers as everywhere (trainer/number.h): 2.5M, 2Mi, 10%. Names are letters,
// digits, '_' and '.'. `log` is refused, since people mean two things by it.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace scalelaw {

struct NamedLaw;

// What is wrong, "unexpected )", and where.
class ExpressionFault : public std::runtime_error {
 public:
  ExpressionFault(const std::string& what, std::size_t position)
      : std::runtime_error(what), position_(position) {}
  // Of the text's bytes, from 0; its length where something is missing at the end.
  std::size_t position() const { return position_; }

 private:
  std::size_t position_;
};

class Expression {
 public:
  static constexpr std::size_t kMostBytes = 1000;

  // `text` without the '='. ExpressionFault.
  explicit Expression(std::string text);

  // A name and where it first stands.
  struct Name {
    std::string name;
    std::size_t position = 0;
  };
  const std::vector<Name>& names() const { return names_; }  // in the text's order, each once
  const std::vector<const NamedLaw*>& laws() const { return laws_; }  // that it calls

  // Not for two threads at once. `value_of` is asked for each of the names. ExpressionFault where
  // the result is no finite number, at the division, power or call that has none; what value_of
  // throws.
  double value(const std::function<double(const Name&)>& value_of) const;

 private:
  struct Parsed;  // muParser's, and where it finds the names' values
  double value_of_part(const std::string& part, std::vector<double> values) const;  // of names_

  std::string text_;
  std::shared_ptr<Parsed> parsed_;
  std::vector<Name> names_;
  std::vector<const NamedLaw*> laws_;
};

// Each text's expression, read once: the cells of a sweep have few between them.
class ExpressionCache {
 public:
  const Expression& of(const std::string& text);  // ExpressionFault

 private:
  std::map<std::string, Expression> read_;
};

// "character 5", counted from 1; "its end" where something is missing there.
std::string at_character(std::string_view text, std::size_t position);

}  // namespace scalelaw
