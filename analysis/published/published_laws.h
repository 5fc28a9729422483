// Constants that papers print, by name: what one's own fits are set beside, and what the planner
// takes where there are none. The only place of such constants in this room.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string_view>

#include "analysis/fitting/interval.h"
#include "models/model_shape.h"

namespace scalelaw {

// L(N, D) in nats per token = E + A N^-alpha + B D^-beta.
struct PublishedSurface {
  std::string_view name;    // "chinchilla"
  std::string_view words;   // "Hoffmann et al. 2022"
  std::string_view source;  // "arXiv 2203.15556, table A3 ..."
  double e = 0, a = 0, alpha = 0, b = 0, beta = 0;
  NCount n_count = NCount::kTotal;
  // Where the runs behind it lie, as far as Besiroglu et al. could read them off the figure.
  double least_n = 0, most_n = 0, least_d = 0, most_d = 0;
  std::string_view note;  // what to know before it is believed; "": nothing
};
std::span<const PublishedSurface> published_surfaces();
const PublishedSurface* published_surface(std::string_view name);  // nullptr: none of that name

// How well the constants of a surface are known, where that was measured: the covariance of
// (alpha, beta, ln A N^-alpha, ln B D^-beta, ln E), both terms at the centre, by rows of its lower
// triangle.
struct PublishedCovariance {
  std::string_view name;  // the surface's
  double ln_n_centre = 0, ln_d_centre = 0;
  std::array<double, 15> lower = {};
  std::string_view words;  // how it was measured
};
const PublishedCovariance* published_covariance(std::string_view name);  // nullptr: not known

// L(N, D) = [(N_c/N)^(a_N/a_D) + D_c/D]^a_D (Kaplan et al. 2020, 1.5).
struct PublishedKaplanSurface {
  std::string_view name, words, source;
  double a_n = 0, a_d = 0, n_c = 0, d_c = 0;
  NCount n_count = NCount::kNonEmbedding;
  double least_n = 0, most_n = 0, least_d = 0, most_d = 0;
  std::string_view note;
};
const PublishedKaplanSurface& published_kaplan_surface();

// U tokens read 1 + R times are worth U + U R* (1 - exp(-R / R*)) fresh ones; of a size beyond the
// best for U likewise.
struct PublishedRepetition {
  double of_data = 0, of_size = 0;  // R*
  std::string_view words;
};
const PublishedRepetition& published_repetition();

// N* (of six_n compute unless the note says otherwise) grows as C^exponent.
struct PublishedFrontier {
  std::string_view name;   // "hoffmann_2"
  std::string_view words;  // "Hoffmann et al. 2022, approach 2 (IsoFLOP parabolas)"
  std::string_view source;
  double exponent = 0;
  std::optional<Interval> interval;   // as printed
  double interval_level = 0;          // .8, .95; 0 where there is none
  std::optional<double> coefficient;  // N* = coefficient C^exponent
};
std::span<const PublishedFrontier> published_frontiers();

// Kaplan et al. 2020, figures 3, 13 and 14: what the runs gave, beside what follows of 1.7 and 1.8.
// C is 6 N B S of parameters without embeddings. L = (C_c / C)^a of compute as spent at one batch;
// exponents of N* in it, and of N*, B and S_min in C_min.
struct PublishedComputeLaws {
  double naive_exponent = 0, naive_pf_days = 0, naive_size = 0;
  double size = 0, batch = 0, steps = 0;
  // 6.3: where L(C_min) meets L(D(C_min)).
  double limit_pf_days = 0, limit_size = 0, limit_data = 0, limit_loss = 0;
};
const PublishedComputeLaws& published_compute_laws();

}  // namespace scalelaw
