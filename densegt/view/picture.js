// Layers of an image as pictures: arrays in, ImageData out. Colours come with the page.
"use strict";
function pictures(legend) {
  const { depth: D, error: E, nothing } = legend;
  const span = Math.log(D.farthest_m / D.nearest_m);
  const fallback = [255, 255, 255];
  const colourOfDepth = (m) => {
    const share = Math.log(Math.min(Math.max(m, D.nearest_m), D.farthest_m) / D.nearest_m) / span;
    return D.colours[Math.round(255 * share)];
  };
  const between = ([first, last], size) => {
    const share = Math.log(Math.min(size, E.saturated)) / Math.log(E.saturated);
    return first.map((c, k) => Math.round(c + share * (last[k] - c)));
  };

  // The signed error against the best of the 3x3 exact depths, in tolerances; Infinity where none is a surface.
  function match(layers, i) {
    const { width, height, depth, truth } = layers;
    const d = depth[i] / legend.steps_per_m, row = Math.floor(i / width), col = i % width;
    let best = Infinity;
    for (let r = Math.max(row - 1, 0); r <= Math.min(row + 1, height - 1); r++)
      for (let c = Math.max(col - 1, 0); c <= Math.min(col + 1, width - 1); c++) {
        const t = truth[r * width + c] / legend.truth_steps_per_m;
        if (!t) continue;
        const error = (d - t) / Math.max(E.absolute_m, E.relative * t);
        if (Math.abs(error) < Math.abs(best)) best = error;
      }
    return best;
  }

  const coarse = (layers, codes, i) => {
    const b = legend.block_px, across = Math.floor(layers.width / b), down = Math.floor(layers.height / b);
    const row = Math.min(Math.floor(i / layers.width / b), down - 1);
    return codes[row * across + Math.min(Math.floor((i % layers.width) / b), across - 1)];
  };

  // What a layer shows of pixel i: a colour, or null for nothing.
  const COLOUR = {
    measured: (l, i) => (l.depth[i] && l.source[i] !== 5 ? colourOfDepth(l.depth[i] / legend.steps_per_m) : null),
    completed: (l, i) => (l.depth[i] ? colourOfDepth(l.depth[i] / legend.steps_per_m) : null),
    source: (l, i) => (l.source[i] ? (legend.source[l.source[i]] || { colour: fallback }).colour : null),
    age: (l, i) => (l.depth[i] && coarse(l, l.age, i) ? legend.age.colours[coarse(l, l.age, i) - 1] : null),
    confidence: (l, i) => (l.depth[i] && coarse(l, l.confidence, i) ? legend.confidence.colours[coarse(l, l.confidence, i)] : null),
    uncertainty: (l, i) => (l.depth[i] && coarse(l, l.uncertainty, i) ? legend.uncertainty.colours[coarse(l, l.uncertainty, i)] : null),
    truth: (l, i) => (l.truth[i] ? colourOfDepth(l.truth[i] / legend.truth_steps_per_m) : null),
    error: (l, i) => {
      if (!l.depth[i]) return l.truth[i] ? E.not_predicted : null;
      const error = match(l, i);
      if (error === Infinity) return E.false_positive;
      return Math.abs(error) <= 1 ? E.right : between(error > 0 ? E.too_far : E.too_near, Math.abs(error));
    },
  };

  // `empty`: what to show where the layer says nothing: alpha 0 lets the image below through.
  function draw(layers, name, emptyAlpha) {
    const out = new ImageData(layers.width, layers.height), data = out.data, colour = COLOUR[name];
    for (let i = 0, at = 0; i < layers.width * layers.height; i++, at += 4) {
      const rgb = colour(layers, i) || nothing;
      data[at] = rgb[0]; data[at + 1] = rgb[1]; data[at + 2] = rgb[2];
      data[at + 3] = rgb === nothing ? emptyAlpha : 255;
    }
    return out;
  }

  const css = (rgb) => `rgb(${rgb})`;
  const gradient = (colours) => `linear-gradient(90deg,${colours.map(css)})`;
  const marks = (values, at, unit) =>
    `<span class="marks">${values.map((v) => `<i style="left:${at(v).toFixed(1)}%">${v}${unit}</i>`).join("")}</span>`;
  const key = (pairs) => pairs.map(([fill, words]) => `<span><b style="background:${fill}"></b>${words}</span>`).join(" ");

  function legendOf(name, layers) {
    if (name === "image") return "";
    if (["measured", "completed", "truth"].includes(name)) {
      const at = (m) => (100 * Math.log(m / D.nearest_m)) / span;
      const say = { measured: "Depth that was measured.", completed: "Depth with its gaps filled.", truth: "Ground truth: the exact depth." }[name];
      return `${say} <span class="bar" style="background:${gradient(D.colours.filter((_, i) => i % 15 === 0))}"></span>` +
        marks([2, 5, 10, 20, 40, 80], at, " m");
    }
    if (name === "source") {
      const there = new Set(layers.source);
      return key(Object.entries(legend.source).filter(([code]) => there.has(+code)).map(([, s]) => [css(s.colour), s.words]));
    }
    if (name === "age")
      return `When a pixel was measured, seconds from the exposure. <span class="bar" style="background:${gradient(legend.age.colours)}"></span>` +
        marks([-8, -1, -0.1, 0.1, 1, 8], (s) => (100 * (legend.age.edges_s.indexOf(s) + 1)) / legend.age.colours.length, " s");
    if (name === "uncertainty") {
      const { colours, metres } = legend.uncertainty, marked = [0.1, 0.5, 2, 10];
      const at = (m) => (100 * Math.log(m / metres[1])) / Math.log(metres[255] / metres[1]);
      return `How far completed depth may be off: 68 % of errors are less. <span class="bar" style="background:${gradient(colours.filter((_, i) => i && i % 15 === 0))}"></span>` +
        marks(marked, at, " m");
    }
    if (name === "confidence")
      return `How likely the depth is right; nothing is said of completed pixels. <span class="bar" style="background:${gradient(legend.confidence.colours.filter((_, i) => i % 5 === 0))}"></span>` +
        marks([0, 0.5, 0.9, 1], (p) => 100 * p, "");
    return key([
      [css(E.right), "right, within max(0.5 m, 5 %) in the 3×3"],
      [gradient(E.too_far), "too far, up to 10 tolerances"],
      [gradient(E.too_near), "too near, likewise"],
      [css(E.false_positive), "false positive: depth where there is no surface"],
      [css(E.not_predicted), "no depth, but a surface"],
    ]);
  }

  return { draw, match, coarse, legendOf };
}
