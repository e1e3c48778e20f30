// A step downhill: the loss over a training, by the learning rate; and one that fails.

import * as Plot from "@observablehq/plot";
import { html } from "htm/preact";
import { number } from "../fields.js";
import { meanLoss } from "../math/network.js";
import { train } from "../math/training.js";
import { fixed, short } from "../math/numbers.js";
import { AXIS, Figure, MARGINS } from "../parts/figure.js";
import { Handle } from "../parts/handle.js";
import { play, smooth } from "../parts/motion.js";
import { Plane } from "../parts/plane.js";

const ROUNDS = 60;
// The logarithm of η; beyond SHOWN only who has guessed.
const [SHOWN, ASKED] = [0, 2];
const POWER = number(-3, ASKED, -2);
const TOP = 0.55;

const kept = new Map();

// The losses after each round, and what the numbers became; trainings are remembered.
function seen(study, { power }) {
  if (!kept.has(power)) {
    const path = train(study, study.starts.random, 10 ** power, ROUNDS);
    kept.set(power, { losses: path.map((parameters) => meanLoss(study, parameters)), end: path.at(-1) });
  }
  return { rate: 10 ** power, ...kept.get(power) };
}

const Picture = ({ losses, end, study, rate }) => html`
  <${Figure} name="training" label=${`L over ${ROUNDS} rounds of four steps at η = ${short(rate, 2)}: from ${fixed(losses[0])} to ${fixed(losses.at(-1))}.`} options=${(width) => ({
    x: { domain: [0, ROUNDS], label: "rounds", ticks: width / 70, ...AXIS },
    y: { domain: [0, TOP], label: "L", ticks: 5 },
    ...MARGINS,
    marks: [
      Plot.line(losses.map((loss, round) => [round, loss]), { className: "curve", clip: true }),
      Plot.dot([[ROUNDS, losses.at(-1)]], { r: 6, className: "here" }),
    ],
  })} />
  <${Plane} study=${study} parameters=${end} />`;

const Controls = ({ state, set, rate, losses, guessed }) => html`
  <${Handle} symbol="η" field=${POWER} until=${guessed ? ASKED : SHOWN} step="0.25" value=${state.power} shown=${short(rate, 2)} text=${`${short(rate, 2)}, L ends at ${fixed(losses.at(-1))}`} onInput=${(power) => set({ power })} />`;

export const descent = {
  key: "descent",
  title: "A step downhill",
  about: "w1_new",
  section: "One step of descent",
  fields: { power: POWER },
  seen,
  Picture,
  Controls,
  says: () => ["The slopes say where L rises. So each of the nine numbers steps the other way, by η times its slope, for one person after the other, again and again. Drag η."],
  guess: {
    asks: "Larger was better. What will η = 100 do?",
    options: { faster: "learn faster", stuck: "get stuck" },
    right: () => "stuck",
    plays: ({ power }, set) => play(280, (done) => set({ power: Math.round(4 * (power + (ASKED - power) * smooth(done))) / 4 })),
  },
  answer: ({ rate, losses }) => [
    "A slope is a promise about a small move. This step was so large that everybody ended where σ is flat: there is no slope to come back by.",
    `At η = ${short(rate, 2)} L goes from ${fixed(losses[0])} to ${fixed(losses.at(-1))}. Too small a rate only crawls.`,
  ],
};
