// Slope: the plane of four people, and one weight that moves both the boundary and L.

import * as Plot from "@observablehq/plot";
import { html } from "htm/preact";
import { number } from "../fields.js";
import { meanLoss, meanSlope, passAt } from "../math/network.js";
import { fixed, signed } from "../math/numbers.js";
import { AXIS, Figure, MARGINS } from "../parts/figure.js";
import { Handle, Quantity } from "../parts/handle.js";
import { play, smooth } from "../parts/motion.js";

const WEIGHTS = [107, 173];
const HEIGHTS = [57, 75];
// From here to there the picture moves by itself once the guess is made.
const [START, SHOWN, MOVE] = [-0.1, 0.1, 0.01];
const W1 = number(-0.4, 0.6, START);
const ALONG = Array.from({ length: 101 }, (_, k) => W1.low + ((W1.high - W1.low) * k) / 100);
const TOP = 0.6;

function seen(study, { w1 }) {
  const at = (value) => ({ ...study.starts.lessons, w1: value });
  const parameters = at(w1);
  const people = study.samples.map(({ name, given, weight, height, gender }) => {
    const { ypred, L } = passAt(study, { ...parameters, ...given });
    return { name, weight, height, isWoman: gender === "F", ypred, miss: L };
  });
  return { parameters, people, loss: meanLoss(study, parameters), slope: meanSlope(study, parameters, "w1"), lossAt: (value) => meanLoss(study, at(value)) };
}

// Where each name stands, clear of the others.
const BESIDE = { Alice: [-1, 0], Bob: [0, -1], Charlie: [-1, 0], Diana: [1, 0] };

// Discs have the area of (y − ypred)²; the line is where the network is undecided.
function plane({ study, parameters, people }) {
  const [weight, height] = study.shift;
  const sure = (x, y) => passAt(study, { ...parameters, x1: x - weight, x2: y - height, y: 0 }).ypred;
  // A little beyond the frame, so that no outline runs along it.
  const wide = { x1: WEIGHTS[0] - 3, x2: WEIGHTS[1] + 3, y1: HEIGHTS[0] - 1, y2: HEIGHTS[1] + 1, pixelSize: 8, clip: true };
  return (width) => {
    const [disc, size] = width < 480 ? [34, 5] : [56, 7];
    const dot = (isWoman, symbol) => Plot.dot(people.filter((of) => of.isWoman === isWoman), { x: "weight", y: "height", symbol, r: size, className: "person" });
    return {
      x: { domain: WEIGHTS, label: "weight (lb)", ticks: width / 70, ...AXIS },
      y: { domain: HEIGHTS, label: "height (in)", ticks: 4 },
      r: { type: "identity" },
      color: { domain: [0, 1], interpolate: (t) => `color-mix(in srgb, var(--forward) ${Math.round(4 + 46 * t)}%, var(--card))` },
      ...MARGINS,
      marks: [
        Plot.contour({ fill: sure, thresholds: [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9], ...wide }),
        Plot.contour({ value: sure, fill: "none", stroke: "black", thresholds: [0.5], className: "boundary", ...wide }),
        Plot.dot(people, { x: "weight", y: "height", r: ({ miss }) => disc * Math.sqrt(miss), className: "miss" }),
        dot(true, "circle"),
        dot(false, "square"),
        people.map(({ name, weight, height }) => {
          const [x, y] = BESIDE[name];
          return Plot.text([[weight, height]], { text: () => name, textAnchor: ["end", "middle", "start"][x + 1], dx: 11 * x, dy: 17 * y, className: "name" });
        }),
      ],
    };
  };
}

function along({ state: { w1 }, loss, slope, lossAt, guessed }) {
  const tangent = [-0.15, 0.15].map((by) => [w1 + by, loss + slope * by]);
  return (width) => ({
    x: { domain: [W1.low, W1.high], label: "w1", ticks: width / 50, ...AXIS },
    y: { domain: [0, TOP], label: "L", ticks: 3 },
    ...MARGINS,
    marks: [
      Plot.ruleX([w1], { y1: 0, y2: loss, className: "drop" }),
      !guessed && Plot.text([[0.3, 0.3]], { text: () => "?", fontSize: 28, className: "asked" }),
      guessed && Plot.line(ALONG.map((value) => [value, lossAt(value)]), { className: "curve" }),
      guessed && Plot.line(tangent, { className: "tangent", clip: true }),
      Plot.dot([[w1, loss]], { r: 6, className: "here" }),
    ],
  });
}

const described = ({ people, loss, state }) =>
  `Four people by weight and height. At w1 = ${fixed(state.w1, 2)} the network takes ${people.filter(({ ypred }) => ypred >= 0.5).map(({ name }) => name).join(", ") || "nobody"} for women; L is ${fixed(loss)}.`;

const Picture = (of) => html`
  <${Figure} name="plane" label=${described(of)} options=${plane(of)} />
  <${Figure} name="along" label=${`L against w1${of.guessed ? `: its slope here is ${signed(of.slope)}` : ""}.`} options=${along(of)} />`;

const Controls = ({ state, set, loss }) => html`
  <${Handle} symbol="w1" field=${W1} step=${MOVE} value=${state.w1} text=${`${fixed(state.w1, 2)}, L is ${fixed(loss)}`} onInput=${(w1) => set({ w1 })} />
  <${Quantity} symbol="L" value=${loss} />`;

export const slope = {
  key: "slope",
  title: "Slope",
  about: "dL_dw1",
  fields: { w1: W1 },
  seen,
  Picture,
  Controls,
  says: () => ["A small network tells women (●) from men (■): the bluer, the surer of a woman. Each disc is an error, squared; L is their mean. w1 is one of nine numbers inside."],
  guess: {
    asks: "Which way should w1 go, to make L smaller?",
    options: { down: "← down", up: "up →" },
    right: () => "up",
    plays: ({ w1 }, set) => play(280, (done) => set({ w1: Number((w1 + (SHOWN - w1) * smooth(done)).toFixed(2)) })),
  },
  answer: ({ state: { w1 }, slope: of, loss, lossAt }) => [
    "Up: L falls as w1 grows.",
    `How fast, the dashed line says: its slope, ∂L/∂w1, is ${signed(of)} here. It knows what happens before it happens: w1 up by ${MOVE} should move L by ${signed(of * MOVE, 4)}, and moves it by ${signed(lossAt(w1 + MOVE) - loss, 4)}.`,
    "The rest is about where such slopes come from, for all nine numbers at once.",
  ],
};
