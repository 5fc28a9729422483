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

std::span<const PublishedFrontier> published_frontiers() {
  return kFrontiers;
}

}  // namespace scalelaw
