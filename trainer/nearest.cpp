#include "trainer/nearest.h"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <utility>

#include "trainer/escaped.h"

namespace scalelaw {
namespace {

// Levenshtein's distance.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = std::exchange(row[j], std::min({replaced, row[j] + 1, row[j - 1] + 1}));
    }
  }
  return row.back();
}

}  // namespace

std::string nearest(std::string_view text, const std::vector<std::string>& candidates,
                    std::size_t most_wrong) {
  if (text.size() < 2 || text.size() > 200) return "";
  std::string best;
  // A third of the letters may be wrong, two in a short word, one in two or three letters.
  const std::size_t short_limit = text.size() > 3 ? 2 : 1;
  std::size_t limit = std::min(most_wrong, std::max(short_limit, text.size() / 3));
  for (const std::string& candidate : candidates) {
    const std::size_t distance = edit_distance(text, candidate);
    if (distance <= limit) {
      best = candidate;
      if (distance == 0) return best;
      limit = distance - 1;
    }
  }
  return best;
}

std::string nearest_or_all(std::string_view text, const std::vector<std::string>& candidates) {
  const std::string near = nearest(text, candidates);
  if (!near.empty()) return "; did you mean " + escaped(near) + "?";
  std::string all;
  for (const std::string& each : candidates) all += (all.empty() ? "" : ", ") + escaped(each);
  return "; there are " + all;
}

}  // namespace scalelaw
