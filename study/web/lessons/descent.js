// A step downhill: the loss over a training, by the learning rate; and one that fails.

import * as Plot from "@observablehq/plot";
import { html } from "htm/preact";
import { count, number } from "../fields.js";
import { meanLoss, passAt, withoutEnd } from "../math/network.js";
import { train } from "../math/training.js";
import { fixed, short } from "../math/numbers.js";
import { AXIS, Figure, MARGINS } from "../parts/figure.js";
import { Handle } from "../parts/handle.js";
import { play, smooth } from "../parts/motion.js";
import { Plane } from "../parts/plane.js";

const ROUNDS = 60;
// The logarithm of η; beyond SHOWN only who has guessed.
const [SHOWN, ASKED] = [0, 2];
const POWER = number(-3, ASKED, -2, SHOWN);
const TOP = 0.55;
// Without σ at the end: how many steps, by which η at first, and how far they are seen.
const [STEPS, HALF, FAR] = [6, Math.log10(0.5), 1000];

const kept = new Map();

// The losses after each round, and what the numbers became; trainings are remembered.
function seen(study, { power, without }) {
  if (!kept.has(power)) {
    const path = train(study, study.starts.random, 10 ** power, ROUNDS);
    kept.set(power, { losses: path.map((parameters) => meanLoss(study, parameters)), end: path.at(-1) });
  }
  return { rate: 10 ** power, swings: without % 2 ? swingsAt(study, 10 ** power) : null, ...kept.get(power) };
}

// The output for Bob of a network without σ at its end, after each step for him alone; all weights begin at 1.
function swingsAt(study, rate) {
  const open = withoutEnd(study);
  const { bob } = study.sample;
  return train(open, study.starts.ones, rate, STEPS, [bob]).map((parameters) => passAt(open, { ...parameters, ...bob.given }).ypred);
}

function Swings({ swings, rate }) {
  const far = Math.min(FAR, Math.max(2, ...swings.map(Math.abs)));
  return html`<${Figure} name="swings training" label=${`The output for Bob over ${STEPS} steps at η = ${short(rate, 2)}: it ends at ${short(swings.at(-1))}.`} options=${() => ({
    x: { domain: [0, STEPS], label: "steps for Bob alone", ticks: STEPS, ...AXIS },
    y: { domain: [-far, far], label: "output for Bob", ticks: 5 },
    ...MARGINS,
    marginLeft: 50,
    inset: 5,
    marks: [Plot.ruleY([0], { className: "zero" }), Plot.line(swings.map((says, step) => [step, says]), { className: "curve", clip: true, marker: "dot" })],
  })} />`;
}

const Picture = ({ losses, end, study, rate, swings }) => swings ? html`<${Swings} swings=${swings} rate=${rate} />` : html`
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

const Controls = ({ state, set, rate, losses, swings, guessed }) => html`
  <${Handle} symbol="η" field=${POWER} until=${guessed ? ASKED : SHOWN} step="0.25" value=${state.power} shown=${short(rate, 2)} text=${`${short(rate, 2)}, ${swings ? `Bob ends at ${short(swings.at(-1))}` : `L ends at ${fixed(losses.at(-1))}`}`} onInput=${(power) => set({ power })} />`;

export const descent = {
  key: "descent",
  title: "A step downhill",
  about: "w1_new",
  section: "One step of descent",
  fields: { power: POWER, without: count() },
  seen,
  Picture,
  Controls,
  says: () => ["Slopes say where L rises. So each of the nine numbers steps the other way, by η, the learning rate, times its slope. One step for each person is a round; then again. Drag."],
  guess: {
    asks: "Up to 1, larger learns faster. What will η = 100 do?",
    options: { faster: "learn faster", stuck: "get stuck" },
    right: () => "stuck",
    plays: ({ power }, set) => play(280, (done) => set({ power: Math.round(4 * (power + (ASKED - power) * smooth(done))) / 4 })),
  },
  answer: ({ rate, losses, swings }) => [
    "A slope is a promise about a small move. At η = 100 the steps are so large that they end where the output hardly moves any more: no slope is left to come back by.",
    swings
      ? `Without σ nothing is flat. Where h1 and h2 are 1, as for Bob, who should be 0, a step multiplies the output for him by 1 − 6η: at η = 0.5 by −2, to the other side and twice as far. It ends at ${short(swings.at(-1))}; below η = 1/3 it comes to rest.`
      : `At η = ${short(rate, 2)} L goes from ${fixed(losses[0])} to ${fixed(losses.at(-1))}. Too small a rate only crawls.`,
  ],
  act: ({ swings, state, set }) => [swings ? "With σ again" : "Without σ at the end", () => set({ without: state.without + 1, power: HALF })],
};
