// A step downhill: the loss over a training, by the learning rate; and one that fails.

import * as Plot from "@observablehq/plot";
import { html } from "htm/preact";
import { number } from "../fields.js";
import { meanLoss, passAt } from "../math/network.js";
import { train } from "../math/training.js";
import { fixed, short } from "../math/numbers.js";
import { AXIS, Figure, MARGINS } from "../parts/figure.js";
import { Handle } from "../parts/handle.js";
import { play, smooth } from "../parts/motion.js";

const EPOCHS = 60;
// The logarithm of η; beyond SHOWN only who has guessed.
const [SHOWN, ASKED] = [0, 2];
const POWER = number(-3, ASKED, -2);
const TOP = 0.55;

const kept = new Map();

// The losses after each epoch, and what became of the parameters; trainings are remembered.
function seen(study, { power }) {
  if (!kept.has(power)) {
    const path = train(study, study.starts.random, 10 ** power, EPOCHS);
    kept.set(power, { losses: path.map((parameters) => meanLoss(study, parameters)), end: path.at(-1) });
  }
  const { losses, end } = kept.get(power);
  return { rate: 10 ** power, losses, outputs: study.samples.map(({ given }) => passAt(study, { ...end, ...given }).ypred) };
}

const Picture = ({ losses, outputs, study, rate }) => html`
  <${Figure} name="training" label=${`L over ${EPOCHS} rounds of four steps at η = ${short(rate, 2)}: from ${fixed(losses[0])} to ${fixed(losses.at(-1))}.`} options=${(width) => ({
    x: { domain: [0, EPOCHS], label: "rounds of four steps", ticks: width / 70, ...AXIS },
    y: { domain: [0, TOP], label: "L", ticks: 5 },
    ...MARGINS,
    marks: [
      Plot.line(losses.map((loss, epoch) => [epoch, loss]), { className: "curve", clip: true }),
      Plot.dot([[EPOCHS, losses.at(-1)]], { r: 6, className: "here" }),
    ],
  })} />
  <${Figure} name="outputs" label=${`At the end ypred is ${study.samples.map(({ name }, k) => `${fixed(outputs[k], 2)} for ${name}`).join(", ")}.`} options=${() => ({
    x: { domain: study.samples.map(({ name }) => name), label: null, tickFormat: (name) => name[0], tickSize: 0 },
    y: { domain: [0, 1], label: "ypred", ticks: 2 },
    ...MARGINS,
    marks: [
      Plot.ruleY([0.5], { className: "half" }),
      Plot.barY(study.samples, { x: "name", y: (_, k) => outputs[k], className: "output" }),
      Plot.tickY(study.samples, { x: "name", y: ({ given }) => given.y, className: "target" }),
    ],
  })} />`;

const Controls = ({ state, set, rate, losses, guessed }) => html`
  <${Handle} symbol="η" field=${guessed ? POWER : { ...POWER, high: SHOWN }} step="0.25" value=${state.power} shown=${short(rate, 2)} text=${`${short(rate, 2)}, L ends at ${fixed(losses.at(-1))}`} onInput=${(power) => set({ power })} />`;

export const descent = {
  key: "descent",
  title: "A step downhill",
  about: "w1_new",
  fields: { power: POWER },
  seen,
  Picture,
  Controls,
  says: () => ["The slopes say where L rises. So each number steps the other way, by η times its slope, for one person after the other. Bars are ypred, ticks what it should be. Drag η."],
  guess: {
    asks: "Larger was better. What will η = 100 do?",
    options: { faster: "learn faster", stuck: "get stuck" },
    right: () => "stuck",
    plays: ({ power }, set) => play(280, (done) => set({ power: Math.round(4 * (power + (ASKED - power) * smooth(done))) / 4 })),
  },
  answer: ({ rate, losses, outputs }) => [
    "It gets stuck. A slope is a promise about a small move; the step was so large that all four ended where σ is flat. There is no slope there to come back by.",
    `At η = ${short(rate, 2)} L ends at ${fixed(losses.at(-1))}, with ypred from ${fixed(Math.min(...outputs), 2)} to ${fixed(Math.max(...outputs), 2)}. Too small a rate only crawls.`,
  ],
};
