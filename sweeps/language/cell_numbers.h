// A cell's keys as numbers, each worked out when it is asked for: what expressions, horizons and
// sizes (sweeps/language/cell_expressions.h) are evaluated with. For these sources alone.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "models/model_shape.h"
#include "sweeps/language/cell_expressions.h"
#include "sweeps/language/expression.h"
#include "trainer/config_yaml.h"

namespace scalelaw {

// Of a key or a name that has no number, without its place yet.
class NoNumber : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class CellNumbers {
 public:
  CellNumbers(FlatConfig& config, const std::function<int64_t()>& n_vocab,
              ExpressionCache& expressions)
      : config_(config), n_vocab_(n_vocab), expressions_(expressions) {}

  // The whole of evaluate_expressions().
  CellNotes evaluate();
  // A condition by its own right, beside the cell's keys.
  double evaluate_beside(const SourcedText& value, const std::string& key) {
    return evaluate(value, key);
  }

 private:
  // Notes what is being worked out, so that a circle is seen and told.
  class Step {
   public:
    Step(CellNumbers& cell, const std::string& what);
    ~Step() { path_.pop_back(); }
    Step(const Step&) = delete;
    Step& operator=(const Step&) = delete;

   private:
    std::vector<std::string>& path_;
  };
  // Each of `circle` needs the next one, the last one the first.
  [[noreturn]] void fail_in_circle(const std::vector<std::string>& circle) const;

  // cell_expressions.cpp: names and keys.
  double number_of_key(const std::string& key);
  double written_number(const std::string& key);  // whatever a ladder chooses
  double number_called(const std::string& name);
  double evaluate(const SourcedText& value, const std::string& key);
  SourcedText settled(const std::string& key, SourcedText value);
  bool is_written(const std::string& key) const { return config_.contains(key); }

  // cell_horizon.cpp
  void settle_horizon();
  double asked_tokens(const std::string& form);  // D before it is rounded to steps
  double batch_tokens();                         // of the cell, whole
  // As asked for, until the cell's keys are what is left to be worked out: then of whole steps.
  double tokens();
  // What a key counts by; the first where it is not written.
  NCount n_counted(const std::string& key) const;
  CCount c_counted(const std::string& key) const;

  // cell_size.cpp
  const ModelShape& shape();
  bool is_sized() const;                       // by ladder.n
  bool chooses_layers() const;                 // the ladder does
  bool chooses(const std::string& key) const;  // the ladder chooses the model's key
  double chosen_number(const std::string& key);
  ModelShape sized(const ModelShape& written);
  double ladder_number(const std::string& key, double least, double usual);
  int64_t ladder_whole(const std::string& key, int64_t usual);
  void check_ladder_keys() const;
  void settle_size();
  static ModelCounts counts_of(const ModelShape& shape);
  double parameters(NCount convention);
  double flops_per_token(CCount convention);

  FlatConfig& config_;
  const std::function<int64_t()>& n_vocab_;
  ExpressionCache& expressions_;
  CellNotes notes_;
  std::vector<std::string> path_;                      // of what is being worked out
  std::map<std::string, Expression::Name> asked_for_;  // what each key's expression needs just then
  std::map<std::string, double> numbers_;
  std::optional<ModelShape> shape_;
  std::optional<double> asked_tokens_;
  bool has_horizon_ = false;  // it is settled, and the batch is known
};

}  // namespace scalelaw
