// L = E + A N^-alpha: theta = (alpha, ln of A N^-alpha at the centre, ln E).
#include "analysis/laws/law_by_jets.h"

namespace scalelaw {
namespace {

struct Formula {
  static constexpr std::string_view kId = "power_floor";
  static constexpr std::string_view kFormula = "L = E + A N^-alpha";
  static constexpr int kParameters = 3;
  static constexpr int kExponents = 1;
  static constexpr bool kFloor = true;
  template <typename T>
  static T ln_loss(const T* theta, CentredScale at) {
    return log_add<T>(theta[1] - theta[0] * at.x, theta[2]);
  }
};

class PowerLawWithFloor final : public LawByJets<Formula> {
 public:
  std::vector<LawParameter> published(std::span<const double> theta,
                                      LogCentre centre) const override {
    return {{"alpha", theta[0]},
            {"A", std::exp(theta[1] + theta[0] * centre.ln_n)},
            {"E", std::exp(theta[2])}};
  }
};

}  // namespace

const Law& power_law_with_floor() {
  static const PowerLawWithFloor law;
  return law;
}

}  // namespace scalelaw
