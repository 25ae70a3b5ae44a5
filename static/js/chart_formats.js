/* Functions that a chart spec can name. A spec is JSON and carries no code: "@usd" in it means rmnChartFunctions.usd. */
(() => {
  "use strict";

  const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
  const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
  const MINUS = "\u2212";
  const fixed = (digits) =>
    new Intl.NumberFormat("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  const [f0, f1, f2] = [fixed(0), fixed(1), fixed(2)];
  const withMinus = (text) => String(text).replace("-", MINUS);
  const date = (iso) => new Date(`${iso}T00:00:00Z`);

  function compact(value) {
    const size = Math.abs(value);
    if (size >= 1e6) return `${(size % 1e6 === 0 ? f0 : size % 1e5 === 0 ? f1 : f2).format(size / 1e6)}M`;
    if (size >= 1e3) return `${(size % 1e3 === 0 || size >= 1e5 ? f0 : f1).format(size / 1e3)}k`;
    return f0.format(size);
  }

  const sign = (value) => (value < 0 ? MINUS : "");
  const usd = (value) => `${sign(value)}$${compact(value)}`;

  function day(iso) {
    const when = date(iso);
    return Number.isNaN(when.getTime()) ? String(iso) : `${when.getUTCDate()} ${MONTHS[when.getUTCMonth()]}`;
  }

  function longday(iso) {
    const when = date(iso);
    return Number.isNaN(when.getTime())
      ? String(iso)
      : `${DAYS[when.getUTCDay()]} ${day(iso)} ${when.getUTCFullYear()}`;
  }

  const formats = {
    usd,
    usd0: (value) => `${sign(value)}$${f0.format(Math.abs(value))}`,
    usdk: (value) => usd(value * 1e3),
    n: (value) => withMinus(f0.format(value)),
    nk: (value) => `${sign(value)}${compact(value)}`,
    x: (value) => `${withMinus(f2.format(value))}\u00d7`,
    x1: (value) => `${withMinus(f1.format(value))}\u00d7`,
    pct: (value) => `${withMinus(f0.format(value))}%`,
    pct1: (value) => `${withMinus(f1.format(value))}%`,
    spct: (value) => `${value > 0 ? "+" : ""}${withMinus(f0.format(value))}%`,
    spct1: (value) => `${value > 0 ? "+" : ""}${withMinus(f1.format(value))}%`,
    day,
    longday,
    text: String,
  };

  /* Which labels of a category axis of ISO dates are shown */
  const ticks = {
    everyMonday: (index, iso) => date(iso).getUTCDay() === 1 && Math.round(date(iso) / 864e5 / 7) % 2 === 0,
    monthStart: (index, iso) => iso.endsWith("-01"),
    mon: (iso) => MONTHS[Number(iso.slice(5, 7)) - 1],
    monyy: (iso, index) => {
      const month = MONTHS[Number(iso.slice(5, 7)) - 1];
      return index === 0 || month === "Jan" ? `${month}\n${iso.slice(0, 4)}` : month;
    },
    nodeUsd: (node) => `${node.name}  ${usd(node.value)}`,
  };

  /* Custom series. band: rows [x, low, high] become one polygon, so that a tooltip keeps the true values, which the
     usual pair of stacked areas does not. hseg: rows [y, from, to, width]. bins: rows [from, to, count] of a histogram,
     exact on the axis where bars would have a width in pixels. */
  const drawings = {
    band(params, api) {
      if (params.dataIndexInside !== 0) return undefined;
      const upper = [];
      const lower = [];
      for (let i = 0; i < params.dataInsideLength; i += 1) {
        upper.push(api.coord([api.value(0, i), api.value(2, i)]));
        lower.unshift(api.coord([api.value(0, i), api.value(1, i)]));
      }
      return {
        type: "polygon",
        silent: true,
        shape: { points: upper.concat(lower) },
        style: { fill: api.visual("color") },
      };
    },
    bins(params, api) {
      const from = api.coord([api.value(0), api.value(2)]);
      const to = api.coord([api.value(1), 0]);
      return {
        type: "rect",
        shape: { x: from[0] + 0.5, y: from[1], width: Math.max(to[0] - from[0] - 1, 1), height: to[1] - from[1] },
        style: { fill: api.visual("color") },
      };
    },
    hseg(params, api) {
      const from = api.coord([api.value(1), api.value(0)]);
      const to = api.coord([api.value(2), api.value(0)]);
      return {
        type: "line",
        silent: true,
        shape: { x1: from[0], y1: from[1], x2: to[0], y2: to[1] },
        style: { stroke: api.visual("color"), lineWidth: api.value(3) || 2 },
      };
    },
  };

  window.rmnChartFormats = formats;
  window.rmnChartFunctions = { ...formats, ...ticks, ...drawings };
})();
