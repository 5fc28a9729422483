#include "sweeps/language/expression_structure.h"

#include <cctype>
#include <string>
#include <vector>

namespace scalelaw {
namespace {

// The text between two brackets, or the whole.
struct Group {
  bool is_call = false;
  std::vector<std::size_t> conditions;  // where a ? stands that waits for its :
};

// Of a name, a number or a bracket.
bool ends_operand(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return std::isalnum(byte) != 0 || c == '_' || c == '.' || c == '%' || c == ')';
}

ExpressionFault without_colon(const Group& group) {
  return {"the ? has no :", group.conditions.back()};
}
ExpressionFault unexpected(char c, std::size_t at) {
  return {std::string("unexpected ") + c, at};
}

}  // namespace

std::optional<ExpressionFault> structure_fault(std::string_view text) {
  std::vector<Group> open(1);
  char before = ' ';  // the last character that is no blank
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == ' ' || c == '\t') continue;
    Group& group = open.back();
    if ((c == '?' || c == ':') && !ends_operand(before)) return unexpected(c, i);
    if (c == '(') {
      open.push_back({.is_call = before != ')' && ends_operand(before), .conditions = {}});
    } else if (c == '?') {
      group.conditions.push_back(i);
    } else if (c == ':') {
      if (group.conditions.empty()) return unexpected(c, i);
      group.conditions.pop_back();
    } else if (c == ',' || c == ')') {
      if (c == ',' && !group.is_call) return unexpected(c, i);
      if (!group.conditions.empty()) return without_colon(group);
      if (c == ')' && open.size() == 1) return unexpected(c, i);
      if (c == ')') open.pop_back();
    }
    before = c;
  }
  if (open.size() == 1 && !open.back().conditions.empty() && ends_operand(before)) {
    return without_colon(open.back());
  }
  return std::nullopt;
}

}  // namespace scalelaw
