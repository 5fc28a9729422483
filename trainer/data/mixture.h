// Train text of several sources in stated proportions.
//
// The next piece is always one of the source that is furthest behind its share, so that every
// prefix of the split holds the mixture. With share s_i, tokens t_i of source i and T of all, and
// the longest piece of p tokens:
//   -p < s_i T - t_i <= (sources - 1) p
// after every piece: the shortfalls add up to 0, and only the largest of them, which is never
// negative, is ever lowered.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "trainer/data/corpus.h"

namespace scalelaw {

// The weights of `sources`, in their order, from texts SOURCE=NUMBER cut at the last '='. Empty for
// no text. ConfigError: no number above 0, a source that is none of `sources` or stands there
// twice, a source left without a weight.
std::vector<double> parse_weights(const std::vector<std::string>& sources,
                                  const std::vector<std::string>& texts);

// Whose turn it is.
class WeightedTurns {
 public:
  explicit WeightedTurns(std::vector<double> weights);
  std::size_t next() const;  // the first of those that are equally far behind
  void take(std::size_t who, int64_t amount);
  double share(std::size_t who) const { return shares_[who]; }

 private:
  std::vector<double> shares_;
  std::vector<int64_t> taken_;
  int64_t total_ = 0;
};

// The runs of pieces of one source each in `train`, which stands source by source; [i] are those
// of source i, of `sources` in all. ConfigError: one has none.
std::vector<std::span<const Piece>> pieces_of_sources(std::span<const Piece> train,
                                                      const std::vector<std::string>& sources);

// The pieces that train a tokenizer: the start of train's shuffle until they hold `max_bytes`, or,
// of weighted sources, of the mixture by bytes, until then or until a source has no more. A set
// without train text gives what it has.
std::vector<const Piece*> first_pieces(const Corpus& corpus,
                                       const std::vector<std::string>& sources,
                                       const std::vector<double>& weights, int64_t max_bytes);

}  // namespace scalelaw
