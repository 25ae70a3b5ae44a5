/* Draws the charts of a page from <script type="application/json"> specs {option, tip, alt, narrow, events}.
   "$name" in a spec is the colour token --rmn-name, "$name/20" the same at 20 % opacity, "@name" a function of
   chart_formats.js. Tokens are read again when the theme changes. */
(() => {
  "use strict";

  const formats = window.rmnChartFormats;
  const functions = window.rmnChartFunctions;
  const NARROW = 520; // pixels of width under which spec.narrow is merged in
  const TOKEN = /^\$([a-z][\w-]*)(?:\/(\d+))?$/;
  let live = [];

  function token(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(`--rmn-${name}`).trim();
  }

  function colour(name, opacity) {
    const hex = token(name);
    if (!opacity) return hex;
    const [red, green, blue] = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
    return `rgba(${red},${green},${blue},${Number(opacity) / 100})`;
  }

  function resolve(value) {
    if (Array.isArray(value)) return value.map(resolve);
    if (value && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, resolve(inner)]));
    }
    if (typeof value !== "string") return value;
    const match = TOKEN.exec(value);
    if (match) return colour(match[1], match[2]);
    if (value.startsWith("@") && functions[value.slice(1)]) return functions[value.slice(1)];
    return value;
  }

  /* Arrays merge by index, so that spec.narrow can change the second axis alone. */
  function merge(base, change) {
    if (change === undefined) return base;
    if (!change || typeof change !== "object" || !base || typeof base !== "object") return change;
    const result = Array.isArray(base) ? base.slice() : { ...base };
    for (const key of Object.keys(change)) result[key] = merge(result[key], change[key]);
    return result;
  }

  /* ---- tooltip: DOM nodes, so text cannot become markup and no style attribute meets the content policy ---- */

  function node(tag, text, name) {
    const element = document.createElement(tag);
    if (text != null) element.textContent = text;
    if (name) element.className = name;
    return element;
  }

  function tipValue(point, spec) {
    const [format, pick] = spec.split("|");
    const values = Array.isArray(point.value) ? point.value : [point.value];
    const show = formats[format];
    if (pick === "range") return `${show(values[1])} \u2013 ${show(values[2])}`;
    const value = values[pick ? Number(pick) : values.length - 1];
    return value == null || Number.isNaN(Number(value)) ? null : show(value);
  }

  function tipHead(point, tip) {
    if (point.dataType === "edge") return `${point.data.source} \u203a ${point.data.target}`;
    const head = point.axisValue != null ? point.axisValue : point.name;
    return tip.head ? formats[tip.head](head) : head;
  }

  function tooltip(tip) {
    const order = tip.rows ? Object.keys(tip.rows) : [];
    return (given) => {
      const points = [].concat(given);
      const box = node("div", null, "tip");
      box.append(node("b", tipHead(points[0], tip)));
      if (order.length) points.sort((a, b) => order.indexOf(a.seriesName) - order.indexOf(b.seriesName));
      const seen = new Set();
      for (const point of points) {
        const spec = tip.rows ? tip.rows[point.seriesName] : tip.fmt;
        const text = spec && !seen.has(point.seriesName) ? tipValue(point, spec) : null;
        if (text === null) continue;
        seen.add(point.seriesName);
        const row = node("div");
        const mark = node("i");
        mark.style.background = typeof point.color === "string" ? point.color : token("base");
        row.append(mark, node("span", tip.label || point.seriesName), node("em", text));
        box.append(row);
      }
      return box;
    };
  }

  /* ---- option ---- */

  function axis(given, horizontal) {
    const standard = {
      axisLine: { show: horizontal, lineStyle: { color: token("line-strong") } },
      axisTick: { show: false },
      axisLabel: { color: token("muted"), fontSize: 11, hideOverlap: true },
      nameTextStyle: { color: token("muted"), fontSize: 11 },
      splitLine: { show: !horizontal, lineStyle: { color: token("grid") } },
      splitNumber: 4,
    };
    const result = { ...standard };
    for (const [key, value] of Object.entries(given)) {
      const nested = value && typeof value === "object" && !Array.isArray(value) && result[key];
      result[key] = nested ? { ...result[key], ...value } : value;
    }
    return result;
  }

  function tooltipOption(spec, given) {
    return {
      show: spec.tip !== false,
      trigger: "axis",
      confine: true,
      transitionDuration: 0,
      backgroundColor: token("surface"),
      borderColor: token("line-strong"),
      borderWidth: 1,
      padding: [8, 10],
      extraCssText: "box-shadow:0 4px 16px rgba(0,0,0,.12);border-radius:6px",
      axisPointer: {
        type: "line",
        lineStyle: { color: token("faint"), type: "solid", width: 1 },
        label: { show: false },
      },
      formatter: tooltip(spec.tip || { fmt: "n" }),
      ...given,
    };
  }

  function numberEvents(option) {
    for (const series of option.series) {
      (series.markLine?.data || []).forEach((line, at) => {
        line.label = { formatter: String(at + 1), align: "center" };
      });
    }
  }

  function build(spec, box) {
    const narrow = box.clientWidth < NARROW;
    const option = resolve(narrow ? merge(spec.option, spec.narrow) : spec.option);
    if (narrow && spec.events) numberEvents(option);
    for (const name of ["xAxis", "yAxis"]) {
      if (option[name]) option[name] = [].concat(option[name]).map((given) => axis(given, name === "xAxis"));
    }
    return {
      ...option,
      animation: false,
      backgroundColor: "transparent",
      textStyle: { fontFamily: getComputedStyle(document.body).fontFamily, color: token("ink") },
      grid: {
        left: 8,
        right: 16,
        top: 16,
        bottom: 4,
        outerBoundsMode: "same",
        outerBoundsContain: "axisLabel",
        ...option.grid,
      },
      tooltip: tooltipOption(spec, option.tooltip),
    };
  }

  /* ---- life of a chart ---- */

  function draw(box) {
    const spec = JSON.parse(document.getElementById(box.dataset.chart).textContent);
    const chart = window.echarts.init(box, null, { renderer: "canvas" });
    let wasNarrow = box.clientWidth < NARROW;
    chart.setOption(build(spec, box));
    const observer = new ResizeObserver(() => {
      const narrow = box.clientWidth < NARROW;
      chart.resize();
      if (narrow !== wasNarrow) chart.setOption(build(spec, box), true);
      wasNarrow = narrow;
    });
    observer.observe(box);
    live.push({ chart, spec, box, observer });
  }

  function dropGone() {
    live = live.filter(({ chart, box, observer }) => {
      if (document.contains(box)) return true;
      observer.disconnect();
      chart.dispose();
      return false;
    });
  }

  /* Labels are measured when drawn, so the font comes first; 0.8 s is as long as a chart waits for it. */
  const fontReady = Promise.race([
    document.fonts.load('11px "Inter Variable"').catch(() => []),
    new Promise((done) => setTimeout(done, 800)),
  ]);

  async function mount(container) {
    await fontReady;
    dropGone();
    for (const box of container.querySelectorAll("[data-chart]")) {
      if (!window.echarts.getInstanceByDom(box)) draw(box);
    }
    document.documentElement.dataset.ready = "";
  }

  new MutationObserver(() => {
    for (const { chart, spec, box } of live) chart.setOption(build(spec, box), true);
  }).observe(document.documentElement, { attributes: true, attributeFilter: ["data-bs-theme"] });

  window.rmnCharts = { mount };
})();
