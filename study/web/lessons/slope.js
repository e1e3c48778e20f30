// Slope: the plane of four people, and one weight that moves both the boundary and L.

import * as Plot from "@observablehq/plot";
import { html } from "htm/preact";
import { number } from "../fields.js";
import { meanLoss, meanSlope } from "../math/network.js";
import { fixed, signed } from "../math/numbers.js";
import { AXIS, Figure, MARGINS } from "../parts/figure.js";
import { Handle, Quantity } from "../parts/handle.js";
import { Plane } from "../parts/plane.js";

const MOVE = 0.01;
const W1 = number(-0.4, 0.6, -0.1);
const ALONG = Array.from({ length: 101 }, (_, k) => W1.low + ((W1.high - W1.low) * k) / 100);
const TOP = 0.6;

let curve = null; // is the same for all w1

function seen(study, { w1 }) {
  const at = (value) => ({ ...study.starts.lessons, w1: value });
  const parameters = at(w1);
  curve ??= ALONG.map((value) => [value, meanLoss(study, at(value))]);
  return { parameters, loss: meanLoss(study, parameters), slope: meanSlope(study, parameters, "w1"), lossAt: (value) => meanLoss(study, at(value)), curve };
}

function along({ state: { w1 }, loss, slope, guessed }) {
  const tangent = [-0.3, 0.3].map((by) => [w1 + by, loss + slope * by]);
  return (width) => ({
    x: { domain: [W1.low, W1.high], label: "w1", ticks: width / 50, ...AXIS },
    y: { domain: [0, TOP], label: "L", ticks: 3 },
    ...MARGINS,
    marks: [
      Plot.ruleX([w1], { y1: 0, y2: loss, className: "drop" }),
      !guessed && Plot.text([[0.3, 0.3]], { text: () => "?", fontSize: 28, className: "asked" }),
      guessed && Plot.line(curve, { className: "curve" }),
      guessed && Plot.line(tangent, { className: "tangent", clip: true }),
      Plot.dot([[w1, loss]], { r: 6, className: "here" }),
    ],
  });
}

const Picture = (of) => html`
  <${Plane} study=${of.study} parameters=${of.parameters} />
  <${Figure} name="along" label=${`L against w1: ${fixed(of.loss)} at ${fixed(of.state.w1, 2)}${of.guessed ? `, where its slope is ${signed(of.slope)}` : ""}.`} options=${along(of)} />`;

const Controls = ({ state, set, loss }) => html`
  <${Handle} symbol="w1" field=${W1} step=${MOVE} value=${state.w1} text=${`${fixed(state.w1, 2)}, L is ${fixed(loss)}`} onInput=${(w1) => set({ w1 })} />
  <${Quantity} symbol="L" value=${loss} />`;

export const slope = {
  key: "slope",
  title: "Slope",
  about: "L",
  section: "Slopes, and seven rules",
  fields: { w1: W1 },
  seen,
  Picture,
  Controls,
  says: () => ["A small network guesses who is a woman (●), who a man (■): bluer means surer of a woman; on the line it is undecided. Each disc is an error, squared; L is their mean. w1 is one of nine numbers inside."],
  guess: {
    asks: "Which way should w1 go, to make L smaller?",
    options: { down: "← down", up: "up →" },
    right: () => "up",
  },
  answer: ({ state: { w1 }, slope: of, loss, lossAt }) => [
    "From where it began, L falls as w1 grows.",
    `How fast, the dashed line says: its slope, ∂L/∂w1, is ${signed(of)} here. So a small move is known beforehand: w1 up by ${MOVE} should move L by ${signed(of * MOVE, 4)}, and it does move by ${signed(lossAt(w1 + MOVE) - loss, 4)}.`,
    "The rest is about where such slopes come from, for all nine numbers at once.",
  ],
};
