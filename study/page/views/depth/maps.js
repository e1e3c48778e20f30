// The layers from left to right: their activations and ∂L/∂z as heat maps, and under each how large ∂L/∂z is.

import { short } from "../../mathematics/numbers.js";
import { ACTIVATIONS } from "../../model/state.js";
import { element, replace, set, svg } from "../../parts/dom.js";
import { picture } from "../../parts/picture.js";
import { axes, inside, legend, through } from "../../parts/plot.js";
import { linear, logarithmic } from "../../parts/scales.js";
import { NAMES } from "./controls.js";

// Pixels of a line of text above heat maps, and of the plot below them, which is higher where it is very wide.
const LINE = 24;
const plotHeight = (width) => Math.max(200, width / 4);

// The powers of ten that the axis has at least, so that it stays while the network is changed.
const DECADES = { drawn: [-8, 0], trained: [-6, 0] };

// Pixels of a cell in which a number can be read.
const READABLE = 12;

export function heatMaps() {
  const canvas = element("canvas", { "aria-hidden": "true" });
  const frame = axes();
  const [forth, back] = ["activations, forward →", "∂L/∂z, ← back"].map((text) => svg("text", { class: "axis", x: 2 }, text));
  const lines = ACTIVATIONS.map((act) => svg("path", { class: `curve ${act}` }));
  const [marks, words] = [svg("g"), svg("g", { "aria-hidden": "true" })];
  const shown = picture(0, draw, frame.node, forth, back, ...lines, marks, words);
  shown.node.prepend(canvas);
  const key = legend(ACTIVATIONS.map((act) => [`curve ${act}`, NAMES[act]]));
  const node = element(
    "figure",
    { class: "depths" },
    shown.node,
    key,
    element("p", { class: "note" }, "One cell is one unit: blue is +, orange is −; the stronger, the larger, for ∂L/∂z on the scale of the plot."),
  );
  let [seen, act] = [null, null];
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", shown.redraw);

  function draw(width) {
    const { sizes, means, image } = seen;
    const last = sizes.length - 1;
    const [left, right] = inside(width, 0).x;
    const x = Object.assign(linear([-0.5, last + 0.5], [left, right]), {
      ticks: () => sizes.map((_, layer) => [layer, layer === 0 ? "x" : String(layer)]),
    });
    const column = (right - left) / sizes.length;
    // Its height does not depend on the number of layers, so that nothing moves while that is changed.
    const band = image ? Math.min(width / 6, Math.max(96, width / 8)) : Math.min(width / 8, Math.max(64, width / 12));
    const tops = [LINE, 2 * LINE + band];
    const top = tops[1] + band + 8;
    const height = top + plotHeight(width);
    set(forth, { y: tops[0] - 8 });
    set(back, { y: tops[1] - 8 });
    const drawnLines = seen.lines ?? { [act]: means };
    const y = logarithmic(decades(Object.values(drawnLines).flat(), DECADES[image ? "trained" : "drawn"]), inside(width, height).y.map((at, k) => (k ? top + LINE : at)));
    set(shown.drawing, { height: height });
    frame.update(x, y, "layer", "mean |∂L/∂z|");
    const points = (values) => values.map((value, k) => [x(k + 1), value > 0 ? y(value) : NaN]);
    lines.forEach((line, k) => set(line, { d: through(points(drawnLines[ACTIVATIONS[k]] ?? [])), "data-chosen": ACTIVATIONS[k] === act }));
    const there = points(means).filter(([, at]) => !Number.isNaN(at));
    replace(marks, there.map(([cx, cy]) => svg("circle", { class: "mark here", cx, cy, r: 4 })));
    const tiles = tilesOf(seen, y.domain.map(Math.log10)).map(({ values, row, layer, strength }) => {
      const across = Math.ceil(Math.sqrt(values.length));
      const side = Math.min(band, column * 0.88);
      return { values, strength, across, cell: side / across, at: [x(layer) - side / 2, tops[row] + (band - side) / 2], row, layer };
    });
    paint(canvas, width, top, tiles);
    replace(words, image ? tiles.filter(({ layer, cell }) => layer === last && cell >= READABLE).flatMap(numbered) : []);
  }

  return {
    node,
    update(state, now) {
      [seen, act] = [now, now.image ? "sigmoid" : state.act];
      set(key, { hidden: Boolean(now.image) });
      set(shown.drawing, { "aria-label": described(now) });
      shown.redraw();
    },
  };
}

// Whole powers of ten around all values.
function decades(values, [lowest, highest]) {
  const powers = values.filter((of) => of > 0).map(Math.log10);
  return [Math.floor(Math.min(lowest, ...powers)), Math.ceil(Math.max(highest, ...powers))].map((of) => 10 ** of);
}

// The heat maps: values, and how strong each is, from 0 to 1. Activations share one linear scale, of which the
// inputs may be outside; pixels are as bright as they are.
function tilesOf({ x, y, a, deltas, image }, [low, high]) {
  const outputs = image ? [...a.slice(0, -1), deltas.at(-1).map((of, k) => of + y[k])] : a;
  const most = Math.max(...outputs.map((of) => Math.max(...of.map(Math.abs)))) || 1;
  const first = image ? image.pixels.map((of) => of / 16) : x;
  const size = (value) => Math.abs(value) / most;
  const power = (value) => (Math.log10(Math.abs(value)) - low) / (high - low);
  return [
    ...[first, ...outputs].map((values, layer) => ({ values, row: 0, layer, strength: size })),
    ...deltas.map((values, layer) => ({ values, row: 1, layer: layer + 1, strength: power })),
  ];
}

function paint(canvas, width, height, tiles) {
  const dense = Math.min(2, devicePixelRatio || 1);
  [canvas.width, canvas.height] = [Math.round(width * dense), Math.round(height * dense)];
  for (const [name, pixels] of Object.entries({ width, height })) canvas.style[name] = `${pixels}px`;
  const style = getComputedStyle(document.documentElement);
  const [positive, negative, line] = ["positive", "negative", "line"].map((of) => style.getPropertyValue(`--${of}`).trim());
  const pen = canvas.getContext("2d");
  pen.scale(dense, dense);
  for (const { values, strength, across, cell, at: [left, top] } of tiles) {
    const gap = cell > 6 ? 1 : 0;
    for (let k = 0; k < values.length; k += 1) {
      pen.globalAlpha = Math.min(1, Math.max(0, strength(values[k])));
      pen.fillStyle = values[k] < 0 ? negative : positive;
      pen.fillRect(left + (k % across) * cell, top + Math.floor(k / across) * cell, cell - gap, cell - gap);
    }
    pen.globalAlpha = 1;
    pen.strokeStyle = line;
    pen.strokeRect(left - 1, top - 1, across * cell + 2, Math.ceil(values.length / across) * cell + 2);
  }
}

// The outputs are digits: their numbers in the cells.
function numbered({ values, across, cell, at: [left, top] }) {
  return Array.from(values, (_, k) =>
    svg("text", { class: "cell", x: left + ((k % across) + 0.5) * cell, y: top + (Math.floor(k / across) + 0.5) * cell + 4, "text-anchor": "middle" }, String(k)),
  );
}

function described({ means, image }) {
  const of = means.map((mean, k) => `${short(mean, 2)} at layer ${k + 1}`);
  return `${image ? "The pass of an image" : "A pass"} through ${means.length} layers and back, as heat maps. |∂L/∂z| on average: ${of.join(", ")}.`;
}
