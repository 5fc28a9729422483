// A formula with numbers, of one column, as a command line gives it: "2.1e8 / L^(1/.21)".
#pragma once

#include <string>

#include "analysis/laws/law_formula.h"

namespace scalelaw {

class OneColumnFormula {
 public:
  // How an option is named in messages, what its formula gives and is of, and one as an example.
  struct Option {
    const char *name, *gives, *column, *example;
  };
  // "batch = 2.1e8 / L^(1/.21)", or what is behind the =. ConfigError names the character, or a
  // constant that has no value.
  OneColumnFormula(const Option& option, const std::string& text);
  double at(double x) const;
  const std::string& text() const { return text_; }

 private:
  std::string text_;
  LawFormula formula_;
};

}  // namespace scalelaw
