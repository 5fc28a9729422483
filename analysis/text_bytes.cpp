#include "analysis/text_bytes.h"

#include <cmath>

#include "analysis/number_text.h"
#include "trainer/config_error.h"
#include "trainer/shell_word.h"

namespace scalelaw {

namespace {

// Of a record's loss and bits_per_byte, each rounded on its way.
constexpr double kRounding = 1e-9;

bool is_tested_on(const RunTable& table, const std::string& test_set) {
  for (const RunRow& row : table.rows) {
    if (row.record.test.contains(test_set)) return true;
  }
  return false;
}

}  // namespace

void take_text_bytes(RunTable& table, const Selection& selection) {
  for (const auto& [set, bytes] : selection.text_bytes) {
    if (!is_tested_on(table, set)) {
      throw ConfigError("--bytes " + set + "=" + std::to_string(bytes) +
                        ": no run has a result on that test set");
    }
    if (set != selection.test_set) continue;
    bool taken = false;
    for (RunRow& row : table.rows) {
      const auto found = row.record.test.find(set);
      if (found == row.record.test.end() || !found->second.split_tokens) continue;
      TestResult& result = found->second;
      result.text_bytes = bytes;
      result.bits_per_byte = bits_per_byte(result);
      taken = true;
    }
    if (!taken) continue;
    table.warnings.push_back("bits per byte on " + set + " are of " + std::to_string(bytes) +
                             " bytes of text, as --bytes says, whatever the runs' records say");
  }
}

std::string why_no_bits_per_byte(const TestResult& result, const std::string& test_set) {
  const std::string unknown =
      "has no bits_per_byte: how many bytes of text " + test_set + " has was not known to it";
  if (result.split_tokens) {
    return unknown + "; --bytes " + shell_word(test_set) +
           "=NUMBER says so here (`scalelaw data import --bytes` only to runs to come)";
  }
  return unknown +
         ", and its record, of an older program, does not say how many tokens; `scalelaw evaluate` "
         "of the run prints bits a byte once the data set knows its bytes";
}

std::string different_text_bytes(const TestResult& a, const TestResult& b,
                                 const std::string& test_set) {
  const auto differ = [&](const std::string& one, const std::string& other) {
    return "differ in how many bytes of text " + test_set + " has (" + one + " and " + other +
           "; --bytes " + shell_word(test_set) + "=NUMBER says which is right)";
  };
  if (a.token_hash != b.token_hash) {
    if (!a.text_bytes || !b.text_bytes || *a.text_bytes == *b.text_bytes) return "";
    return differ(std::to_string(*a.text_bytes), std::to_string(*b.text_bytes));
  }
  // Also of records that say neither: loss and bits_per_byte give bytes a token.
  const double one = a.loss_nats / a.bits_per_byte, other = b.loss_nats / b.bits_per_byte;
  if (std::abs(one - other) <= kRounding * std::abs(one)) return "";
  if (a.text_bytes && b.text_bytes) {
    return differ(std::to_string(*a.text_bytes), std::to_string(*b.text_bytes));
  }
  const auto per_token = [](double nats_per_bit) {
    return fixed(nats_per_bit / std::log(2.0), 4) + " a token";
  };
  return differ(per_token(one), per_token(other));
}

}  // namespace scalelaw
