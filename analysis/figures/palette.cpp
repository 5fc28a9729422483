#include "analysis/figures/palette.h"

namespace scalelaw {
namespace {

const std::vector<std::string> kArms = {"#0072b2", "#d55e00", "#009e73",
                                        "#cc79a7", "#e69f00", "#56b4e9"};
// The same hues, lighter: the first three are dim on dark paper.
const std::vector<std::string> kArmsByNight = {"#4ba3e3", "#f08542", "#2bbf8e",
                                               "#dd9ac0", "#f0b429", "#a6d8f7"};

}  // namespace

const Palette& light_palette() {
  static const Palette palette = {
      "#ffffff",
      "#1c1e21",
      "#5c6269",
      "#d9dce0",
      kArms,
      {{0, "#440154"}, {0.2, "#414487"}, {0.45, "#2a788e"}, {0.7, "#22a884"}, {1, "#8ac926"}}};
  return palette;
}

const Palette& dark_palette() {
  static const Palette palette = {
      "#15181c",
      "#e4e6e9",
      "#a2a8b0",
      "#363c44",
      kArmsByNight,
      {{0, "#3a74b4"}, {0.25, "#25938c"}, {0.5, "#35b779"}, {0.75, "#90d743"}, {1, "#fde725"}}};
  return palette;
}

const std::string& arm_colour(int index) {
  return kArms[static_cast<std::size_t>(index) % kArms.size()];
}

}  // namespace scalelaw
