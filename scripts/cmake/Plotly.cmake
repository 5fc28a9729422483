# SCALELAW_PLOTLY_JS: the library that draws the figures of a page, out of the wheel that
# scripts/setup.sh installs into .venv; looked for at every configuring. Without it pages have still
# figures.
set(SCALELAW_PLOTLY "" CACHE FILEPATH "plotly.min.js (default: of the plotly in .venv)")
set(SCALELAW_PLOTLY_JS ${SCALELAW_PLOTLY})
if(NOT SCALELAW_PLOTLY_JS)
  file(GLOB found ${PROJECT_SOURCE_DIR}/.venv/lib/python3*/site-packages/plotly/package_data/plotly.min.js)
  if(found)
    list(GET found 0 SCALELAW_PLOTLY_JS)
  endif()
endif()
if(SCALELAW_PLOTLY_JS AND NOT EXISTS ${SCALELAW_PLOTLY_JS})
  message(FATAL_ERROR "SCALELAW_PLOTLY: no such file: ${SCALELAW_PLOTLY_JS}")
elseif(SCALELAW_PLOTLY_JS)
  message(STATUS "Plotly: ${SCALELAW_PLOTLY_JS}")
else()
  message(STATUS "Plotly: not in .venv (scripts/setup.sh installs it); pages will have still figures")
endif()
