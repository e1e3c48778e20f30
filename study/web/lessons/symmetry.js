// Symmetry that harms: two units that begin alike stay alike, and do the work of one.

import * as Plot from "@observablehq/plot";
import { html } from "htm/preact";
import { count, whole } from "../fields.js";
import { passAt } from "../math/network.js";
import { fixed } from "../math/numbers.js";
import { train } from "../math/training.js";
import { AXIS, Figure, MARGINS } from "../parts/figure.js";
import { Handle, Quantity } from "../parts/handle.js";
import { play, smooth } from "../parts/motion.js";
import { Plane } from "../parts/plane.js";

const [ROUNDS, STEP, RATE] = [1000, 20, 0.3];
const ROUND = whole(0, ROUNDS, 0, 200);
// Alice, who stands in the middle, is the one to be told from the others.
const samplesOf = (study) => study.samples.map((of) => ({ ...of, given: { ...of.given, y: of.key === "alice" ? 0 : 1 } }));

const kept = new Map();

function seen(study, { round, random }) {
  const start = random % 2 ? "random" : "ones";
  const samples = samplesOf(study);
  if (!kept.has(start)) kept.set(start, train(study, study.starts[start], RATE, ROUNDS, samples));
  const path = kept.get(start).slice(0, round + 1);
  const parameters = path.at(-1);
  const losses = samples.map(({ given }) => passAt(study, { ...parameters, ...given }).L);
  return { samples, path, parameters, loss: losses.reduce((sum, of) => sum + of) / losses.length };
}

// The weights of both units, and the way that they have come.
const units = (path) => (width) => {
  const ways = [["w1", "w2"], ["w3", "w4"]].map((names) => path.map((at) => names.map((name) => at[name])));
  const [h1, h2] = ways.map((way) => way.at(-1));
  const areAlike = Math.hypot(h1[0] - h2[0], h1[1] - h2[1]) < 1e-9;
  return {
    x: { domain: [-2.5, 2.5], label: "w1 and w3", ticks: width / 90, ...AXIS },
    y: { domain: [-2.9, 2.1], label: "w2 and w4", ticks: 4 },
    ...MARGINS,
    marks: [
      Plot.ruleX([0]),
      Plot.ruleY([0]),
      ways.map((way) => Plot.line(way, { className: "curve" })),
      Plot.dot(ways.map(([first]) => first), { r: 4, className: "begin" }),
      Plot.dot([h1, h2], { r: 7, className: "here" }),
      areAlike && Plot.dot([h2], { r: 12, className: "other" }),
      (areAlike ? [["h1 and h2", h1]] : [["h1", h1], ["h2", h2]]).map(([name, at]) => Plot.text([at], { text: () => name, dy: -24, className: "name" })),
    ],
  };
};

const Picture = ({ study, samples, path, parameters }) => html`
  <${Figure} name="units" label=${`The weights of h1, ${fixed(parameters.w1, 2)} and ${fixed(parameters.w2, 2)}, and of h2, ${fixed(parameters.w3, 2)} and ${fixed(parameters.w4, 2)}.`} options=${units(path)} />
  <${Plane} study=${study} samples=${samples} parameters=${parameters} />`;

const Controls = ({ state: { round }, set, loss, guessed }) => html`
  <${Handle} symbol="round" field=${ROUND} step=${STEP} decimals=${0} until=${guessed ? ROUND.high : ROUND.until} value=${round} text=${`${round}, L is ${fixed(loss)}`} onInput=${(to) => set({ round: to })} />
  <${Quantity} symbol="L" value=${loss} />`;

// The training runs before the eyes.
const runs = (_, set) => play(1500, (done) => set({ round: STEP * Math.round((ROUNDS / STEP) * smooth(done)) }));

export const symmetry = {
  key: "symmetry",
  title: "Symmetry",
  about: "dL_dw3",
  section: "All nine",
  fields: { round: ROUND, random: count() },
  seen,
  Picture,
  Controls,
  says: ({ state }) => [`Now Alice alone is a ■, to be told from the others (●), who stand on both sides of her: it takes two units that do different things. Here all weights begin ${state.random % 2 ? "at random" : "at 1"}. Drag to train.`],
  guess: {
    asks: "After 1000 rounds, will h1 and h2 differ?",
    options: { differ: "yes", same: "no" },
    right: () => "same",
    plays: runs,
  },
  answer: ({ loss, state }) => [
    "Units that begin alike get the same slopes, and so take the same steps, and stay alike.",
    state.random % 2
      ? `From a random start each goes its own way: L is ${fixed(loss)} after ${state.round} rounds.`
      : `Twins do the work of one, however long they train: L is ${fixed(loss)} after ${state.round} rounds, and never much less.`,
  ],
  act: ({ state, set }) => [state.random % 2 ? "Start with all 1" : "Start at random", () => (set({ random: state.random + 1 }), runs(state, set))],
};
