// Standard errors of means over test windows. Windows of one document are alike, so the usual
// sd / sqrt(n) is too small: neighbours are averaged in blocks, and blocks are taken for
// independent (batch means).
//
// With blocks much longer than a document the error's square is right on average; where a document
// of length l (in windows) fills a block of length m its own share of the variance is too small by
// l / (3 m) (documents of one length, blocks cutting them at random).
#pragma once

#include <optional>
#include <span>
#include <vector>

namespace scalelaw {

// Few, so that a block is long: 64 windows at 1,024. The error's own relative sd is then .18.
inline constexpr int kBlocks = 16;
inline constexpr int kBlockDf = kBlocks - 1;
inline constexpr int kFewestWindowsForBlocks = 2 * kBlocks;

// Variance of the mean of consecutive values, kBlockDf degrees of freedom; nullopt below
// kFewestWindowsForBlocks values.
std::optional<double> block_variance_of_mean(std::span<const double> series);
// Covariance of two means over the same windows; both as long.
std::optional<double> block_covariance_of_means(std::span<const double> one,
                                                std::span<const double> two);

}  // namespace scalelaw
