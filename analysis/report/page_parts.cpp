#include "analysis/report/page_parts.h"

// The assembler takes each file as it is; a string literal of Plotly's length takes a compiler
// minutes.
#define SCALELAW_EMBED(symbol, file)                                          \
  asm(".section .rodata\n.global " #symbol "\n" #symbol ":\n.incbin \"" file  \
      "\"\n.global " #symbol "_end\n" #symbol "_end:\n.byte 0\n.previous\n"); \
  extern "C" const char symbol[], symbol##_end[]

SCALELAW_EMBED(scalelaw_page_css, SCALELAW_PAGE_CSS);
SCALELAW_EMBED(scalelaw_figures_js, SCALELAW_FIGURES_JS);
#ifdef SCALELAW_PLOTLY_JS
SCALELAW_EMBED(scalelaw_plotly_js, SCALELAW_PLOTLY_JS);
#endif

namespace scalelaw {

std::string_view page_style() {
  return {scalelaw_page_css, scalelaw_page_css_end};
}

std::string_view figure_script() {
  return {scalelaw_figures_js, scalelaw_figures_js_end};
}

std::string_view plotly_library() {
#ifdef SCALELAW_PLOTLY_JS
  return {scalelaw_plotly_js, scalelaw_plotly_js_end};
#else
  return {};
#endif
}

}  // namespace scalelaw
