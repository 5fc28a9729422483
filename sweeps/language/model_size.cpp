#include "sweeps/language/model_size.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>

#include "trainer/config_error.h"

namespace scalelaw {
namespace {

constexpr double kWithinAspect = 1.25;
constexpr int64_t kMostLayers = 1 << 14, kMostWidth = 1 << 20;
constexpr int64_t kReach = 64;  // invalid steps looked over on each side of the best

class Sizing {
 public:
  Sizing(const ModelShape& shape, const SizeRules& rules)
      : shape_(shape), rules_(rules), has_heads_(reads_field(shape, "n_head")) {
    check_what_stays();
  }

  std::optional<SizedModel> nearest() const {
    if (!rules_.chooses_layers) return best_width(shape_.n_layer);
    if (!rules_.chooses_width) {
      return best_of_steps(kMostLayers, [&](int64_t layers) { return of(layers, shape_.d_model); });
    }
    return best_of_both();
  }

 private:
  // Counting asks for no valid shape, and what is beyond its range overflows.
  void check_what_stays() const {
    ModelShape shape = shape_;
    shape.n_head = 1;
    shape.d_ff_ratio = 1;
    if (rules_.chooses_layers) shape.n_layer = 1;
    if (rules_.chooses_width) shape.d_model = 2;
    for (const ShapeProblem& problem : validate(shape)) {
      throw KeyError(problem.key, "", problem.rule);
    }
  }

  // Without a choice of heads, which change no count.
  ModelShape of(int64_t layers, int64_t width) const {
    ModelShape shape = shape_;
    shape.n_layer = layers;
    shape.d_model = width;
    if (rules_.d_ff_multiple > 0) {
      const double multiple = static_cast<double>(rules_.d_ff_multiple);
      const double d_ff = shape_.d_ff_ratio * static_cast<double>(width);
      shape.d_ff_ratio =
          multiple * std::max(1.0, std::rint(d_ff / multiple)) / static_cast<double>(width);
    }
    return shape;
  }

  // Infinite where a feed-forward block beyond all bounds would not fit a count.
  double parameters(const ModelShape& shape) const {
    if (!(shape.d_ff_ratio * static_cast<double>(shape.d_model) < 1e9)) {
      return std::numeric_limits<double>::infinity();
    }
    const std::optional<ModelCounts> counts = count(shape);
    if (!counts) throw std::invalid_argument("model.arch = " + shape.arch + " gives no counts");
    return n_params(shape, *counts, rules_.count);
  }

  double off(double n) const { return std::abs(std::log(n / rules_.n)); }

  // With heads; nullopt where the shape cannot be built.
  std::optional<SizedModel> built(ModelShape shape) const {
    if (has_heads_ && rules_.d_head > 0) shape.n_head = heads(shape);
    if (!validate(shape).empty()) return std::nullopt;
    const double n = parameters(shape);
    if (!(n > 0)) return std::nullopt;
    return SizedModel{shape, n};
  }

  int64_t heads(ModelShape shape) const {
    int64_t best = shape.n_head;
    double nearest = std::numeric_limits<double>::infinity();
    const auto consider = [&](int64_t n_head) {
      shape.n_head = n_head;
      const double off = std::abs(std::log(static_cast<double>(shape.d_head()) / rules_.d_head));
      if (off >= nearest || !validate(shape).empty()) return;
      best = n_head;
      nearest = off;
    };
    for (int64_t small = 1; small * small <= shape.d_model; ++small) {
      if (shape.d_model % small != 0) continue;
      consider(small);
      consider(shape.d_model / small);
    }
    return best;
  }

  // `shape_of` step 1, 2, ... grows; the first that has at least the parameters asked for.
  template <typename ShapeOf>
  int64_t first_large_enough(int64_t most, const ShapeOf& shape_of) const {
    int64_t low = 1, high = 1;
    while (high < most && parameters(shape_of(high)) < rules_.n) {
      low = high + 1;
      high = std::min(most, 2 * high);
    }
    while (low < high) {
      const int64_t middle = low + (high - low) / 2;
      if (parameters(shape_of(middle)) < rules_.n) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return high;
  }

  template <typename ShapeOf>
  std::optional<SizedModel> best_of_steps(int64_t most, const ShapeOf& shape_of) const {
    const int64_t first = first_large_enough(most, shape_of);
    std::optional<SizedModel> best;
    for (const int64_t direction : {-1, 1}) {
      const int64_t start = direction < 0 ? first - 1 : first;
      for (int64_t i = 0; i < kReach; ++i) {
        const int64_t step = start + direction * i;
        if (step < 1 || step > most) break;
        const std::optional<SizedModel> found = built(shape_of(step));
        if (!found) continue;
        if (!best || off(found->n) < off(best->n)) best = found;
        break;
      }
    }
    return best;
  }

  std::optional<SizedModel> best_width(int64_t layers) const {
    return best_of_steps(kMostWidth / rules_.width_multiple,
                         [&](int64_t step) { return of(layers, step * rules_.width_multiple); });
  }

  // How much wider for its layers than asked for, in logs.
  double too_wide(int64_t layers, int64_t width) const {
    return std::log(static_cast<double>(width) / static_cast<double>(layers) / rules_.aspect);
  }

  std::optional<SizedModel> best_of_both() const {
    // Of more layers the width of a size is smaller, and the aspect with it.
    const auto still_too_wide = [&](int64_t layers) {
      const int64_t steps = first_large_enough(
          kMostWidth / rules_.width_multiple,
          [&](int64_t step) { return of(layers, step * rules_.width_multiple); });
      return too_wide(layers, steps * rules_.width_multiple) > std::log(kWithinAspect);
    };
    int64_t low = 1, high = 1;
    while (high < kMostLayers && still_too_wide(high)) {
      low = high + 1;
      high = std::min(kMostLayers, 2 * high);
    }
    while (low < high) {
      const int64_t middle = low + (high - low) / 2;
      if (still_too_wide(middle)) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    std::optional<SizedModel> best;
    for (int64_t layers = std::max<int64_t>(1, low - 1); layers <= kMostLayers; ++layers) {
      const std::optional<SizedModel> found = best_width(layers);
      if (found && (!best || is_better(*found, *best))) best = found;
      const bool is_past =
          found && too_wide(layers, found->shape.d_model) < -std::log(kWithinAspect);
      if (is_past || layers >= low + kReach) break;
    }
    return best;
  }

  bool is_better(const SizedModel& a, const SizedModel& b) const {
    const double aspect_a = std::abs(too_wide(a.shape.n_layer, a.shape.d_model));
    const double aspect_b = std::abs(too_wide(b.shape.n_layer, b.shape.d_model));
    const bool within_a = aspect_a <= std::log(kWithinAspect);
    const bool within_b = aspect_b <= std::log(kWithinAspect);
    if (within_a != within_b) return within_a;
    if (!within_a) return aspect_a < aspect_b;
    const bool met_a = std::abs(a.n / rules_.n - 1) <= kSizeMet;
    const bool met_b = std::abs(b.n / rules_.n - 1) <= kSizeMet;
    if (met_a != met_b) return met_a;
    return met_a ? aspect_a < aspect_b : off(a.n) < off(b.n);
  }

  const ModelShape& shape_;
  const SizeRules& rules_;
  bool has_heads_;
};

}  // namespace

std::optional<SizedModel> model_of_size(const ModelShape& shape, const SizeRules& rules) {
  return Sizing(shape, rules).nearest();
}

}  // namespace scalelaw
