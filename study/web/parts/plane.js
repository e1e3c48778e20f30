// The plane of the four people: how sure the network is of a woman, where it is undecided, and how wrong it is of each.

import * as Plot from "@observablehq/plot";
import { html } from "htm/preact";
import { passAt } from "../math/network.js";
import { AXIS, Figure, MARGINS } from "./figure.js";

const WEIGHTS = [107, 173];
const HEIGHTS = [57, 75];
// A little beyond the frame, so that no outline runs along it.
const WIDE = { x1: WEIGHTS[0] - 3, x2: WEIGHTS[1] + 3, y1: HEIGHTS[0] - 1, y2: HEIGHTS[1] + 1, pixelSize: 8, clip: true };
// Where each name stands, clear of the others.
const BESIDE = { Alice: [-1, 0], Bob: [0, -1], Charlie: [-1, 0], Diana: [1, 0] };

// Discs have the area of (y − ypred)².
export function Plane({ study, parameters }) {
  const [weight, height] = study.shift;
  const people = study.samples.map(({ given, ...of }) => ({ ...of, ...passAt(study, { ...parameters, ...given }) }));
  const sure = (x, y) => passAt(study, { ...parameters, x1: x - weight, x2: y - height, y: 0 }).ypred;
  const options = (width) => {
    const [disc, size] = [Math.min(56, width / 6), width < 480 ? 5 : 7];
    // The narrowest has no room for heights.
    const isNarrow = width < 200;
    const dot = (gender, symbol) => Plot.dot(people.filter((of) => of.gender === gender), { x: "weight", y: "height", symbol, r: size, className: "person" });
    return {
      x: { domain: WEIGHTS, label: "weight (lb)", ticks: width / 70, ...AXIS },
      y: { domain: HEIGHTS, label: "height (in)", ticks: 4, axis: isNarrow ? null : "left" },
      r: { type: "identity" },
      color: { domain: [0, 1], interpolate: (t) => `color-mix(in srgb, var(--forward) ${Math.round(4 + 46 * t)}%, var(--card))` },
      ...MARGINS,
      ...(isNarrow && { marginLeft: 8 }),
      marks: [
        Plot.contour({ fill: sure, thresholds: [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9], ...WIDE }),
        Plot.contour({ value: sure, fill: "none", stroke: "black", thresholds: [0.5], className: "boundary", ...WIDE }),
        Plot.dot(people, { x: "weight", y: "height", r: ({ L }) => disc * Math.sqrt(L), className: "miss" }),
        dot("F", "circle"),
        dot("M", "square"),
        people.map(({ name, weight, height }) => {
          const [x, y] = BESIDE[name];
          return Plot.text([[weight, height]], { text: () => name, textAnchor: ["end", "middle", "start"][x + 1], dx: 11 * x, dy: 17 * y, className: "name" });
        }),
      ],
    };
  };
  const women = people.filter(({ ypred }) => ypred >= 0.5).map(({ name }) => name);
  return html`<${Figure} name="plane" label=${`Four people by weight and height. The network takes ${women.join(", ") || "nobody"} for women.`} options=${options} />`;
}
