#include "analysis/published/published_laws.h"

#include <array>

namespace scalelaw {
namespace {

constexpr std::array kSurfaces = {
    PublishedSurface{
        .name = "chinchilla",
        .words = "Hoffmann et al. 2022",
        .source = "arXiv 2203.15556, approach 3, with the digits of its sources",
        .e = 1.6934,
        .a = 406.4,
        .alpha = 0.3392,
        .b = 410.7,
        .beta = 0.2849,
        .least_n = 5.7e7,
        .most_n = 1.62e10,
        .least_d = 2.4e8,
        .most_d = 3.2e11,
        .note = "printed as 1.69, 406.4, 410.7, .34, .28, which give other exponents; Besiroglu et "
                "al. 2024 find that the fit had stopped early"},
    PublishedSurface{.name = "epoch",
                     .words = "Besiroglu et al. 2024, Hoffmann's runs fitted again",
                     .source = "arXiv 2404.10102",
                     .e = 1.8172,
                     .a = 482.01,
                     .alpha = 0.3478,
                     .b = 2085.43,
                     .beta = 0.3658,
                     .least_n = 5.7e7,
                     .most_n = 1.62e10,
                     .least_d = 2.4e8,
                     .most_d = 3.2e11,
                     .note = ""},
};

constexpr std::array kCovariances = {PublishedCovariance{
    .name = "epoch",
    .ln_n_centre = 20.559282583,
    .ln_d_centre = 23.553231356,
    .lower = {2.328449e-04, -7.960905e-05, 4.273364e-04, -8.853159e-04, 3.594633e-04, 3.452384e-03,
              2.851300e-04, -1.322149e-03, -1.305131e-03, 4.208177e-03, 1.281510e-04, 1.792386e-04,
              -4.639967e-04, -5.419200e-04, 2.021959e-04},
    .words = "bootstrap over the 240 runs read off Hoffmann et al.'s figure"}};

constexpr PublishedComputeLaws kComputeLaws{.057, 1.6e7, .88, .73, .24, .03, 1e4, 1e12, 1e12, 1.7};

constexpr PublishedKaplanSurface kKaplanSurface{
    .name = "kaplan",
    .words = "Kaplan et al. 2020",
    .source = "arXiv 2001.08361, 4.1, table 2",
    .a_n = 0.076,
    .a_d = 0.103,
    .n_c = 6.4e13,
    .d_c = 1.8e13,
    .least_n = 393e3,
    .most_n = 708e6,
    .least_d = 21e6,
    .most_d = 22e9,
    .note =
        "runs of few tokens at one learning-rate schedule: it gives a model too few tokens "
        "(Hoffmann et al. 2022); a budget is split here as suits its L(N, D) best, and the paper's "
        "own rule, N as C^0.73 of runs stopped early, grows sizes faster"};

constexpr PublishedRepetition kRepetition{15.4, 5.3, "Muennighoff et al. 2023, arXiv 2305.16264"};

constexpr std::array kFrontiers = {
    PublishedFrontier{"kaplan", "Kaplan et al. 2020", "arXiv 2001.08361, 6.1", 0.73, {}, 0, {}},
    PublishedFrontier{"hoffmann_1",
                      "Hoffmann et al. 2022, approach 1",
                      "arXiv 2203.15556, table 2",
                      0.50,
                      Interval{0.488, 0.502},
                      0.8,
                      {}},
    PublishedFrontier{"hoffmann_2",
                      "Hoffmann et al. 2022, approach 2",
                      "arXiv 2203.15556, table 2",
                      0.49,
                      Interval{0.462, 0.534},
                      0.8,
                      {}},
    PublishedFrontier{"hoffmann_3",
                      "Hoffmann et al. 2022, approach 3",
                      "arXiv 2203.15556, table 2",
                      0.46,
                      Interval{0.454, 0.455},
                      0.8,
                      {}},
    PublishedFrontier{"epoch", "Besiroglu et al. 2024", "arXiv 2404.10102", 0.513, {}, 0, {}},
};

}  // namespace

std::span<const PublishedSurface> published_surfaces() {
  return kSurfaces;
}

const PublishedSurface* published_surface(std::string_view name) {
  for (const PublishedSurface& surface : kSurfaces) {
    if (surface.name == name) return &surface;
  }
  return nullptr;
}

const PublishedCovariance* published_covariance(std::string_view name) {
  for (const PublishedCovariance& covariance : kCovariances) {
    if (covariance.name == name) return &covariance;
  }
  return nullptr;
}

const PublishedKaplanSurface& published_kaplan_surface() {
  return kKaplanSurface;
}

const PublishedRepetition& published_repetition() {
  return kRepetition;
}

std::span<const PublishedFrontier> published_frontiers() {
  return kFrontiers;
}

const PublishedComputeLaws& published_compute_laws() {
  return kComputeLaws;
}

}  // namespace scalelaw
