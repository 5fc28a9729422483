// A Figure as JSON, for the page's renderer (report/figures.js), which draws it with Plotly.
#pragma once

#include <string>

#include "analysis/figures/figure.h"

namespace scalelaw {

// {"id", "title", "columns", "height", "colours": null or {"label", "low", "high", "human"},
//  "panels": [{"title", "share", "legend", "x": AXIS, "y": AXIS, "series": [...]}]}
// AXIS = {"label", "log", "range": [low, high], "human"}; a series has "mark" and its numbers in
// seven digits, null where they are not finite. No "<" stands in it, so that it can be set
// inside a page's script element, whatever the names; bytes that are no UTF-8 are replaced.
std::string figure_json(const Figure& figure);

// {"light": PALETTE, "dark": PALETTE}: colours of figures/palette.h.
std::string themes_json();

}  // namespace scalelaw
