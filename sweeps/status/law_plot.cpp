// law_plot() of law_glance.h.
#include <algorithm>
#include <cctype>
#include <cmath>
#include <limits>

#include "sweeps/status/law_glance.h"
#include "sweeps/status/text_table.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

constexpr int kRows = 12, kLeastColumns = 30, kMostColumns = 72;
constexpr char kSeveral = '*';

struct Range {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  void add(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
  // Of `cells` equal ones on a logarithmic axis, the ends in the middle of the outer ones.
  int cell(double value, int cells) const {
    const double share = std::log(value / low) / std::log(high / low);
    return static_cast<int>(std::lround(share * (cells - 1)));
  }
};

// An arm's first letter, where no other has it; else a, b, c.
std::vector<char> letters_of(const std::vector<std::string>& arms) {
  std::vector<char> letters;
  for (const std::string& arm : arms) {
    const char letter = arm.empty() ? 'o' : arm[0];
    const bool is_fit = std::isalnum(static_cast<unsigned char>(letter)) != 0;
    if (is_fit && std::ranges::find(letters, letter) == letters.end()) letters.push_back(letter);
  }
  if (letters.size() == arms.size()) return letters;
  letters.clear();
  for (std::size_t i = 0; i < arms.size(); ++i) {
    letters.push_back(static_cast<char>('a' + static_cast<int>(i % 26)));
  }
  return letters;
}

}  // namespace

std::vector<std::string> law_plot(const std::vector<LawGlance>& laws, int columns) {
  std::vector<std::string> arms;
  Range n, loss;
  for (const LawGlance& law : laws) {
    if (std::ranges::find(arms, law.arm) == arms.end()) arms.push_back(law.arm);
    for (const GlancePoint& point : law.points) {
      n.add(point.n_params);
      loss.add(point.loss_nats);
    }
  }
  const bool is_line =
      std::ranges::any_of(laws, [](const LawGlance& law) { return law.slope.has_value(); });
  if (!is_line || !(loss.low < loss.high)) return {};
  const std::string top = loss_text(loss.high), bottom = loss_text(loss.low);
  const std::size_t margin = 2 + std::max(top.size(), bottom.size());
  const int width = std::min(columns - static_cast<int>(margin) - 3, kMostColumns);
  if (width < kLeastColumns) return {};
  std::vector<std::string> field(kRows, std::string(static_cast<std::size_t>(width), ' '));
  const std::vector<char> letters = letters_of(arms);
  for (const LawGlance& law : laws) {
    const auto arm = static_cast<std::size_t>(std::ranges::find(arms, law.arm) - arms.begin());
    for (const GlancePoint& point : law.points) {
      const auto row = static_cast<std::size_t>(kRows - 1 - loss.cell(point.loss_nats, kRows));
      char& place = field[row][static_cast<std::size_t>(n.cell(point.n_params, width))];
      place = place == ' ' || place == letters[arm] ? letters[arm] : kSeveral;
    }
  }
  std::vector<std::string> lines;
  bool several = false;
  for (int row = 0; row < kRows; ++row) {
    const std::string label = row == 0 ? top : row == kRows - 1 ? bottom : "";
    std::string line = std::string(margin - label.size(), ' ') + label + " |" +
                       field[static_cast<std::size_t>(row)];
    several = several || line.find(kSeveral) != std::string::npos;
    line.resize(line.find_last_not_of(' ') + 1);
    lines.push_back(std::move(line));
  }
  const std::string from = human(n.low), to = human(n.high);
  const auto gap = static_cast<std::size_t>(width) - from.size() - to.size();
  lines.push_back(std::string(margin, ' ') + " +" +
                  std::string(static_cast<std::size_t>(width), '-'));
  lines.push_back(std::string(margin + 2, ' ') + from + std::string(gap, ' ') + to);
  std::string legend = "loss over N, both logarithmic";
  for (std::size_t i = 0; i < arms.size(); ++i) {
    if (!arms[i].empty()) legend += std::string(i == 0 ? ": " : ", ") + letters[i] + " " + arms[i];
  }
  legend = std::string(margin + 2, ' ') + legend + (several ? ", * several" : "");
  for (std::string& line : wrapped(legend, columns - 1)) lines.push_back(std::move(line));
  return lines;
}

}  // namespace scalelaw
