// L = E + A N^-alpha + B D^-beta (Hoffmann et al. 2022, approach 3):
// theta = (alpha, beta, ln of A N^-alpha and of B D^-beta at the centre, ln E).
#include "analysis/laws/law_by_jets.h"

namespace scalelaw {
namespace {

struct Formula {
  static constexpr std::string_view kId = "chinchilla";
  static constexpr std::string_view kFormula = "L = E + A N^-alpha + B D^-beta";
  static constexpr int kParameters = 5;
  static constexpr int kExponents = 2;
  static constexpr bool kFloor = true;
  template <typename T>
  static T ln_loss(const T* theta, CentredScale at) {
    return log_add<T>(log_add<T>(theta[2] - theta[0] * at.x, theta[3] - theta[1] * at.y), theta[4]);
  }
};

class ChinchillaLaw final : public LawByJets<Formula> {
 public:
  std::vector<LawParameter> published(std::span<const double> theta,
                                      LogCentre centre) const override {
    return {{"alpha", theta[0]},
            {"beta", theta[1]},
            {"A", std::exp(theta[2] + theta[0] * centre.ln_n)},
            {"B", std::exp(theta[3] + theta[1] * centre.ln_d)},
            {"E", std::exp(theta[4])}};
  }
};

}  // namespace

const Law& chinchilla_law() {
  static const ChinchillaLaw law;
  return law;
}

}  // namespace scalelaw
