// The plane of the four people: how sure the network is of a woman, where it is undecided, and how wrong it is of each.

import * as Plot from "@observablehq/plot";
import { html } from "htm/preact";
import { FLOATS } from "../math/floats.js";
import { passAt } from "../math/network.js";
import { fixed } from "../math/numbers.js";
import { run } from "../math/program.js";
import { AXIS, Figure, MARGINS } from "./figure.js";

const WEIGHTS = [107, 173];
const HEIGHTS = [57, 75];
// A little beyond the frame, so that no outline runs along it; half a pound by half an inch, as the network takes both unscaled.
const WIDE = { x1: WEIGHTS[0] - 3, x2: WEIGHTS[1] + 3, y1: HEIGHTS[0] - 1, y2: HEIGHTS[1] + 1, width: 132, height: 40, clip: true };
// Bands of ypred, by tenths. They are drawn by z3 = ln(ypred / (1 − ypred)), which bends less between the points of a grid.
const BANDS = Array.from({ length: 9 }, (_, k) => Math.log((k + 1) / (9 - k)));
// The colours of the bands, and what Train says of them.
const COLOURS = Array.from({ length: 10 }, (_, k) => `color-mix(in srgb, var(--forward) ${4 + Math.round(4.6 * k)}%, var(--card))`);
export const SCALE = COLOURS.map((colour, k) => [colour, { 0: "0 man", 9: "woman 1" }[k]]);
// Where each name stands, clear of the others.
const BESIDE = { Alice: [-1, 0], Bob: [0, -1], Charlie: [-1, 0], Diana: [1, 0] };

// z3 at the points of a grid, row by row from the lowest, each point in the middle of its cell.
function grid({ shift: [weight, height], sum }, parameters) {
  const { x1, x2, y1, y2, width, height: rows } = WIDE;
  const given = { ...parameters };
  const results = [];
  return Float64Array.from({ length: width * rows }, (_, k) => {
    given.x1 = x1 + ((x2 - x1) * ((k % width) + 0.5)) / width - weight;
    given.x2 = y1 + ((y2 - y1) * (Math.floor(k / width) + 0.5)) / rows - height;
    return run(sum, given, FLOATS, results)[sum.at.z3];
  });
}

// A place within the frame, or at its edge.
const inside = ([low, high], at) => Math.min(high, Math.max(low, at));

// Discs have the area of (y − ypred)²; a circle is who should be 1, a square who should be 0, a star who is asked about.
export function Plane({ study, parameters, samples = study.samples, asked = [], scale }) {
  const people = samples.map(({ given, ...of }) => ({ ...of, ...passAt(study, { ...parameters, ...given }) }));
  const sums = grid(study, parameters);
  const options = (width) => {
    const [disc, size] = [Math.min(56, width / 6), width < 480 ? 5 : 7];
    // The narrowest has no room for heights.
    const isNarrow = width < 170;
    const dot = (y, symbol) => Plot.dot(people.filter((of) => of.y === y), { x: "weight", y: "height", symbol, r: size, className: "person" });
    return {
      x: { domain: WEIGHTS, label: "weight (lb)", ticks: width / 70, ...AXIS },
      y: { domain: HEIGHTS, label: scale && width < 200 ? "in" : "height (in)", ticks: 4, axis: isNarrow ? null : "left" },
      r: { type: "identity" },
      color: { type: "threshold", domain: BANDS, range: COLOURS },
      ...MARGINS,
      ...(isNarrow && { marginLeft: 8 }),
      marks: [
        Plot.contour(sums, { fill: (z3) => z3, thresholds: [-Infinity, ...BANDS], ...WIDE }),
        Plot.contour(sums, { value: (z3) => z3, fill: "none", stroke: "black", thresholds: [0], className: "boundary", ...WIDE }),
        Plot.dot(people, { x: "weight", y: "height", r: ({ L }) => disc * Math.sqrt(L), className: "miss" }),
        dot(1, "circle"),
        dot(0, "square"),
        people.map(({ name, weight, height }) => {
          const [x, y] = BESIDE[name];
          return Plot.text([[weight, height]], { text: () => name, textAnchor: ["end", "middle", "start"][x + 1], dx: 11 * x, dy: 17 * y, className: "name" });
        }),
        asked.map(({ name, weight, height }) => {
          const at = [[inside(WEIGHTS, weight), inside(HEIGHTS, height)]];
          return [Plot.dot(at, { symbol: "star", r: size + 3, className: "asked-about" }), Plot.text(at, { text: () => name, ...(weight > WEIGHTS[0] + 20 ? { textAnchor: "end", dx: -14 } : { textAnchor: "start", dx: 14 }), className: "name" })];
        }),
      ],
    };
  };
  const ones = people.filter(({ ypred }) => ypred >= 0.5).map(({ name }) => name);
  return html`<${Figure} name="plane" label=${`Four people by weight and height. The network says 1 of ${ones.join(", ") || "nobody"}.${asked.map(({ name, ypred }) => ` ${name}: ${fixed(ypred)}.`)}`} options=${options} scale=${scale} />`;
}
