// Files that a page is made of, as they were when the program was built: they are in it, so that it
// finds them wherever it lies.
#pragma once

#include <string_view>

namespace scalelaw {

std::string_view page_style();     // report/page.css
std::string_view figure_script();  // report/figures.js
// Plotly's library as its PyPI wheel has it (scripts/setup.sh installs it), with its licence in its
// first lines; empty where it was not there when the program was built. Holds no "</script".
std::string_view plotly_library();

}  // namespace scalelaw
