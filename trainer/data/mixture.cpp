#include "trainer/data/mixture.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <utility>

#include "trainer/config_error.h"
#include "trainer/nearest.h"
#include "trainer/number.h"

namespace scalelaw {

namespace {

struct SourceWeight {
  std::size_t source = 0;
  double weight = 0;
};

// Given twice, a source would be two.
void check_named_once(const std::vector<std::string>& sources) {
  for (auto it = sources.begin(); it != sources.end(); ++it) {
    if (std::find(sources.begin(), it, *it) != it) {
      throw ConfigError("SOURCES names " + *it + " twice; --weight " + *it +
                        "=NUMBER says how much of it there is");
    }
  }
}

SourceWeight parse_weight(const std::vector<std::string>& sources, const std::string& text) {
  const auto fail = [&text](const std::string& fault) -> void {
    throw ConfigError("--weight " + text + ": " + fault);
  };
  const std::size_t sign = text.rfind('=');
  if (sign == std::string::npos) fail("is SOURCE=NUMBER, such as --weight books/=3");
  const std::string source = text.substr(0, sign);
  const std::optional<double> weight = parse_real(text.substr(sign + 1));
  if (!weight || *weight <= 0) fail("a weight is a number above 0");
  const auto found = std::find(sources.begin(), sources.end(), source);
  if (found == sources.end()) {
    const std::string close = nearest(source, sources);
    fail("is none of SOURCES, which are named as they stand on the command line" +
         (close.empty() ? "" : "; did you mean " + close + "?"));
  }
  return {.source = static_cast<std::size_t>(found - sources.begin()), .weight = *weight};
}

}  // namespace

std::vector<double> parse_weights(const std::vector<std::string>& sources,
                                  const std::vector<std::string>& texts) {
  if (texts.empty()) return {};
  check_named_once(sources);
  std::vector<double> weights(sources.size(), 0.0);
  for (const std::string& text : texts) {
    const SourceWeight given = parse_weight(sources, text);
    if (weights[given.source] > 0) {
      throw ConfigError("--weight " + text + ": that source has a weight already");
    }
    weights[given.source] = given.weight;
  }
  for (std::size_t i = 0; i < sources.size(); ++i) {
    if (weights[i] == 0) {
      throw ConfigError("--weight " + sources[i] +
                        "=NUMBER is missing: where one source has a weight all need one");
    }
  }
  return weights;
}

WeightedTurns::WeightedTurns(std::vector<double> weights)
    : shares_(std::move(weights)), taken_(shares_.size(), 0) {
  const double sum = std::accumulate(shares_.begin(), shares_.end(), 0.0);
  for (double& share : shares_) share /= sum;
}

std::size_t WeightedTurns::next() const {
  std::size_t furthest = 0;
  double most = 0;
  for (std::size_t i = 0; i < shares_.size(); ++i) {
    const double behind = shares_[i] * static_cast<double>(total_) - static_cast<double>(taken_[i]);
    if (i == 0 || behind > most) {
      furthest = i;
      most = behind;
    }
  }
  return furthest;
}

void WeightedTurns::take(std::size_t who, int64_t amount) {
  taken_[who] += amount;
  total_ += amount;
}

std::vector<std::span<const Piece>> pieces_of_sources(std::span<const Piece> train,
                                                      const std::vector<std::string>& sources) {
  std::vector<std::span<const Piece>> runs(sources.size());
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const auto end = std::find_if(train.begin(), train.end(), [i](const Piece& piece) {
      return piece.source != static_cast<int>(i);
    });
    runs[i] = train.first(static_cast<std::size_t>(end - train.begin()));
    train = train.subspan(runs[i].size());
    if (runs[i].empty()) {
      throw ConfigError(sources[i] +
                        ": has a weight and no text for train: it is empty, stands in other "
                        "sources as well, or all of it went to val and test");
    }
  }
  return runs;
}

std::vector<const Piece*> first_pieces(const Corpus& corpus,
                                       const std::vector<std::string>& sources,
                                       const std::vector<double>& weights, int64_t max_bytes) {
  const std::span<const Piece> pieces = corpus.splits.begin()->second;
  const bool mixed = !weights.empty() && corpus.splits.contains(Split::kTrain);
  std::vector<std::span<const Piece>> runs = {pieces};
  if (mixed) runs = pieces_of_sources(pieces, sources);
  WeightedTurns turns(mixed ? weights : std::vector<double>{1});
  std::vector<const Piece*> chosen;
  for (int64_t bytes = 0; bytes < max_bytes; bytes += chosen.back()->bytes) {
    std::span<const Piece>& run = runs[turns.next()];
    if (run.empty()) break;
    turns.take(turns.next(), run.front().bytes);
    chosen.push_back(&run.front());
    run = run.subspan(1);
  }
  return chosen;
}

}  // namespace scalelaw
