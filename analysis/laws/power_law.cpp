// L = (N_c / N)^a: theta = (a, ln L at the centre).
#include "analysis/laws/law_by_jets.h"

namespace scalelaw {
namespace {

struct Formula {
  static constexpr std::string_view kId = "power";
  static constexpr std::string_view kFormula = "L = (N_c / N)^a";
  static constexpr int kParameters = 2;
  static constexpr int kExponents = 1;
  static constexpr bool kFloor = false;
  template <typename T>
  static T ln_loss(const T* theta, CentredScale at) {
    return theta[1] - theta[0] * at.x;
  }
};

class PowerLaw final : public LawByJets<Formula> {
 public:
  std::vector<LawParameter> published(std::span<const double> theta,
                                      LogCentre centre) const override {
    return {{"a", theta[0]}, {"N_c", std::exp(centre.ln_n + theta[1] / theta[0])}};
  }
};

}  // namespace

const Law& power_law() {
  static const PowerLaw law;
  return law;
}

}  // namespace scalelaw
