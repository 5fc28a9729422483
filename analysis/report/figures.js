// Draws the figures of a report with Plotly: the page's renderer of what figures/figure_json.h
// describes. A figure that cannot be drawn stays the still one that the page has for print and for
// readers without JavaScript.
(() => {
  "use strict";
  const page = JSON.parse(document.getElementById("figures").textContent);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const narrowPx = 640, titleSize = 14, fontSize = 12, legendLinePx = 24;
  const symbols = ["circle", "square", "diamond", "triangle-up", "triangle-down", "pentagon"];

  // Plotly reads a little HTML in all text; names are none.
  const plain = (text) =>
    text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  const wrapped = (text) => plain(text.replace(/([^\n]{44})(?=[^\n])/g, "$1\n")).replace(/\n/g, "<br>");
  const quantity = (axis) => plain((axis.label || "y").split(",")[0]);

  function onScale(stops, at) {
    const channel = (colour, i) => parseInt(colour.slice(1 + 2 * i, 3 + 2 * i), 16);
    const k = Math.max(1, stops.findIndex((stop) => stop[0] >= at));
    const [low, high] = [stops[k - 1], stops[k]];
    const share = (at - low[0]) / (high[0] - low[0]);
    const mix = [0, 1, 2].map((i) =>
      Math.round(channel(low[1], i) * (1 - share) + channel(high[1], i) * share));
    return `rgb(${mix.join(",")})`;
  }

  // 0 .. 1 in 48 steps, so that lines of nearly one colour become one trace.
  function place(scale, value) {
    const share = Math.log(value / scale.low) / Math.log(scale.high / scale.low);
    return Math.round(48 * Math.min(1, Math.max(0, share))) / 48;
  }

  function colourOf(series, figure, theme) {
    if (series.value !== undefined && figure.colours) {
      return onScale(theme.scale, place(figure.colours, series.value));
    }
    return series.colour < 0 ? theme.ink : theme.arms[series.colour % theme.arms.length];
  }

  const faded = (colour) => {
    const c = colour.startsWith("rgb")
      ? colour.match(/\d+/g)
      : [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16));
    return `rgba(${c.join(",")},0.22)`;
  };

  function marker(series, colour) {
    if (series.mark === "hollow") {
      return {symbol: "circle-open", size: 7, color: colour, line: {width: 1.5}};
    }
    const arm = series.value === undefined && series.colour > 0 ? series.colour : 0;
    return {symbol: symbols[arm % symbols.length], size: 6, color: colour};
  }

  const number = (axis) => (axis.human ? ".4~s" : ".4~g");

  function trace(series, figure, panel, axes, theme) {
    const colour = colourOf(series, figure, theme);
    const own = {
      type: "scatter", xaxis: axes.x, yaxis: axes.y, name: plain(series.label),
      showlegend: panel.legend && series.label !== "",
      legendgroup: series.colour >= 0 && series.value === undefined ? "arm" + series.colour : "",
    };
    if (series.mark === "band") {
      return {...own, x: [...series.x, ...[...series.x].reverse()],
        y: [...series.high, ...[...series.low].reverse()], mode: "lines", line: {width: 0},
        fill: "toself", fillcolor: faded(colour), hoverinfo: "skip"};
    }
    const line = series.mark === "line", names = series.names || [];
    const text = series.x.map((_, i) => wrapped(names[names.length > 1 ? i : 0] || series.label));
    Object.assign(own, {
      x: series.x.slice(), y: series.y.slice(), text, mode: line ? "lines" : "markers",
      hovertemplate: `%{text}<br>${quantity(panel.x)} %{x:${number(panel.x)}}<br>` +
        `${quantity(panel.y)} %{y:${number(panel.y)}}<extra></extra>`,
    });
    if (line) own.line = {color: colour, width: 1.8};
    else own.marker = marker(series, colour);
    if (series.mark === "bars") {
      own.error_y = {type: "data", array: series.y.map((y, i) => series.high[i] - y),
        arrayminus: series.y.map((y, i) => y - series.low[i]), symmetric: false,
        color: colour, thickness: 1, width: 0};
    }
    return own;
  }

  // Of lines and points without a name in the legend, those of one look: a thousand runs are a
  // few dozen traces.
  function merged(traces) {
    const byLook = new Map(), out = [];
    for (const t of traces) {
      const look = t.showlegend || t.fill ? null
        : [t.xaxis, t.yaxis, t.mode, JSON.stringify(t.line || t.marker), !!t.error_y, t.hovertemplate].join();
      const into = look && byLook.get(look);
      if (!into) {
        if (look) byLook.set(look, t);
        out.push(t);
        continue;
      }
      const append = (to, from, gap) => {
        to.push(gap);
        for (const value of from) to.push(value);
      };
      append(into.x, t.x, null);
      append(into.y, t.y, null);
      append(into.text, t.text, "");
      if (t.error_y) {
        append(into.error_y.array, t.error_y.array, 0);
        append(into.error_y.arrayminus, t.error_y.arrayminus, 0);
      }
    }
    return out;
  }

  // 20000: "20k"
  function short(value) {
    const step = Math.max(0, Math.min(6, Math.floor(Math.log10(value) / 3 + 1e-9)));
    return +(value / 1000 ** step).toPrecision(3) + ["", "k", "M", "G", "T", "P", "E"][step];
  }

  function colourBar(figure, theme, narrow) {
    const {low, high, label, human} = figure.colours;
    const [from, to] = [Math.log10(low), Math.log10(high)];
    const ticks = [];
    for (let e = Math.floor(from); e <= to; ++e) {
      for (const m of to - from < 2.5 ? [1, 2, 5] : [1]) {
        const tick = m * 10 ** e;
        if (tick >= low * 0.999 && tick <= high * 1.001) ticks.push(tick);
      }
    }
    const words = (value) => human ? short(value) : value.toExponential(0).replace("e+", "e");
    const bar = narrow
      ? {orientation: "h", y: 0, yref: "container", yanchor: "bottom", len: 1, thickness: 10}
      : {len: 1, thickness: 12, y: 0.5, yanchor: "middle", x: 1.02};
    return {
      type: "scatter", mode: "markers", x: [null], y: [null], xaxis: "x", yaxis: "y",
      showlegend: false, hoverinfo: "skip",
      marker: {color: [from], cmin: from, cmax: to, showscale: true, colorscale: theme.scale,
        colorbar: {...bar, outlinewidth: 0, tickvals: ticks.map(Math.log10),
          ticktext: ticks.map(words), ticks: "outside", ticklen: 3, tickcolor: theme.soft,
          // Plotly sets a title on top of a lying bar, not above it.
          title: {text: plain(label) + (narrow ? "<br> " : ""), side: narrow ? "top" : "right", font: {size: fontSize}}}},
    };
  }

  // So many that Plotly ticks all digits of a decade where 9 and 10 stand `nearestPx` apart, else 1,
  // 2 and 5 or powers of ten; closer when zoomed in.
  function ticks(description, lengthPx, labelPx, nearestPx) {
    const decades = Math.log10(description.range[1] / description.range[0]);
    const fitting = Math.max(2, Math.floor(lengthPx / labelPx));
    const allDigits = (lengthPx / decades) * Math.log10(10 / 9) > nearestPx;
    if (!description.log || decades < 0.7 || allDigits) return Math.max(3, Math.min(fitting, 9));
    return Math.max(2, Math.floor(decades / (3 * decades < fitting ? 0.31 : 0.701)));
  }

  function axis(description, theme, lowest, nticks) {
    const {log, range, human, label} = description;
    return {
      nticks,
      type: log ? "log" : "linear", range: log ? range.map(Math.log10) : range, autorange: false,
      title: {text: plain(label), standoff: 6, font: {size: fontSize}}, automargin: true,
      tickformat: human ? "~s" : "~g", showticklabels: lowest, ticks: "outside", ticklen: 4,
      tickcolor: theme.soft, linecolor: theme.soft, showline: true, zeroline: false,
      gridcolor: theme.grid, minor: log ? {ticks: "outside", ticklen: 2, tickcolor: theme.soft} : {},
    };
  }

  const sameRange = (a, b) => a.log === b.log && a.range.join() === b.range.join();

  // Panels fill rows from the left, as gnuplot places them; on a phone they stand in one column.
  function layout(figure, theme, width) {
    const narrow = width < narrowPx, columns = narrow ? 1 : figure.columns, panels = figure.panels;
    const rows = Math.ceil(panels.length / columns);
    const shares = Array.from({length: rows}, (_, r) => panels[r * columns].share);
    const total = shares.reduce((a, b) => a + b, 0);
    const titled = (r) => panels[r * columns].title !== "";
    const bare = figure.height - 110;
    const plotPx = !narrow ? bare : columns === figure.columns ? Math.max(380, 0.75 * bare) : 240 * rows;
    const gapOf = (r) => (r === 0 ? 0 : titled(r) ? 54 : 16);
    const all = plotPx + shares.reduce((sum, _, r) => sum + gapOf(r), 0);
    const named = panels.flatMap((p) => (p.legend ? p.series.filter((s) => s.label !== "") : []));
    const legend = named.length > 0, legendSize = narrow ? 11 : fontSize;
    // On a phone each name has a line, which Plotly would take from the panels.
    const foot = (narrow && figure.colours ? 72 : 0) + (narrow ? legendLinePx * Math.max(0, named.length - 2) : 0);
    const out = {
      width, height: all + 80 + foot, margin: {l: 58, r: 14, t: 36, b: 44 + foot}, annotations: [],
      paper_bgcolor: theme.paper, plot_bgcolor: theme.paper, hovermode: "closest",
      font: {family: "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif", size: fontSize, color: theme.ink},
      hoverlabel: {bgcolor: theme.paper, bordercolor: theme.soft, font: {color: theme.ink, size: fontSize}, align: "left"},
      showlegend: legend, dragmode: narrow ? false : "zoom",
      legend: {orientation: "h", x: 0, y: 0, yref: "container", yanchor: "bottom", font: {size: legendSize}, bgcolor: "rgba(0,0,0,0)"},
      modebar: {color: theme.soft, activecolor: theme.ink, bgcolor: "rgba(0,0,0,0)"},
    };
    const gapX = columns > 1 ? 56 / width : 0, wide = (1 - gapX * (columns - 1)) / columns;
    let top = 1;
    panels.forEach((panel, p) => {
      const row = Math.floor(p / columns), column = p % columns, id = p === 0 ? "" : p + 1;
      if (column === 0) top -= gapOf(row) / all + (row > 0 ? (shares[row - 1] / total) * (plotPx / all) : 0);
      const left = column * (wide + gapX), bottom = top - (shares[row] / total) * (plotPx / all);
      const lowest = p + columns >= panels.length, below = panels[p + columns];
      const x = axis(panel.x, theme, lowest || below.title !== "", ticks(panel.x, wide * (width - 72), panel.x.human ? 42 : 28, panel.x.human ? 42 : 28));
      const y = axis(panel.y, theme, true, ticks(panel.y, (top - bottom) * all, 28, 14));
      if (!lowest) x.title.text = "";
      if (narrow && !panel.y.label) y.title.text = plain(panels[0].y.label);
      if (p > 0 && sameRange(panel.x, panels[0].x)) x.matches = "x";
      if (p > 0 && sameRange(panel.y, panels[0].y)) y.matches = "y";
      out["xaxis" + id] = {...x, domain: [left, left + wide], anchor: "y" + id};
      out["yaxis" + id] = {...y, domain: [Math.max(0, bottom), top], anchor: "x" + id};
      if (panel.title) {
        out.annotations.push({text: plain(panel.title), x: left + wide / 2, y: top, xref: "paper",
          yref: "paper", xanchor: "center", yanchor: "bottom", showarrow: false, font: {size: titleSize}});
      }
    });
    return out;
  }

  function draw(figure) {
    const element = document.getElementById("figure-" + figure.id);
    const target = element.querySelector(".plot");
    element.classList.add("live");
    const theme = page.themes[dark.matches ? "dark" : "light"], width = target.clientWidth;
    const traces = [];
    figure.panels.forEach((panel, p) => {
      const axes = {x: "x" + (p === 0 ? "" : p + 1), y: "y" + (p === 0 ? "" : p + 1)};
      for (const series of panel.series) {
        if (!series.x) continue;  // no point: an arm without a line has no residuals
        const numbers = series.y ? series : {...series, y: series.low};
        traces.push(trace(numbers, figure, panel, axes, theme));
      }
    });
    const data = merged(traces);
    if (figure.colours) data.push(colourBar(figure, theme, width < narrowPx));
    return Plotly.react(target, data, layout(figure, theme, width),
      {displaylogo: false, showSendToCloud: false, displayModeBar: width < narrowPx ? false : "hover",
        modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"],
        toImageButtonOptions: {filename: figure.id, format: "svg"}});
  }

  function drawAll() {
    for (const figure of page.figures) {
      const stayStill = (error) => {
        document.getElementById("figure-" + figure.id).classList.remove("live");
        console.error(figure.id, error);
      };
      try {
        draw(figure).catch(stayStill);
      } catch (error) {
        stayStill(error);
      }
    }
  }

  let waiting = 0, drawnAt = window.innerWidth;
  window.addEventListener("resize", () => {
    if (window.innerWidth === drawnAt) return;
    drawnAt = window.innerWidth;
    clearTimeout(waiting);
    waiting = setTimeout(drawAll, 150);
  });
  dark.addEventListener("change", drawAll);
  drawAll();
})();
