// Saturation: the pulse from L has to pass the slope of σ, and where σ is flat it dies.

import * as Plot from "@observablehq/plot";
import { html } from "htm/preact";
import { number } from "../fields.js";
import { DECIMALS } from "../math/decimal.js";
import { givenFor, passAt, slopesAt } from "../math/network.js";
import { fixed, short } from "../math/numbers.js";
import { run } from "../math/program.js";
import { Bars } from "../parts/bars.js";
import { AXIS, Drawing, Figure, MARGINS } from "../parts/figure.js";
import { Handle } from "../parts/handle.js";
import { play, smooth } from "../parts/motion.js";

// All weights are 1 but w1; beyond SHOWN only for who has guessed.
const [START, SHOWN, ASKED] = [-0.2, 0, 1];
const W1 = number(-0.4, ASKED, START, SHOWN);
const AT = Array.from({ length: 121 }, (_, k) => -6 + (39 * k) / 120);
const sigmoid = (z) => 1 / (1 + Math.exp(-z));
// What fills the bars: σ′ is at most 1/4, and so is what comes back to h1.
const MOST = 0.25;

function seen(study, { w1 }) {
  const given = givenFor(study, "bob", "ones", { w1 });
  const { z1, h1, ypred } = passAt(study, given);
  const back = slopesAt(study, given);
  // The slope of σ to all the digits that are shown.
  const gate = run(study.program, given, DECIMALS)[study.program.at.dh1_dz1].toNumber();
  return { z1, h1, ypred, gate, arrives: back.h1, leaves: back.h1 * gate, slope: back.w1 };
}

function curve({ z1, h1, gate }) {
  const tangent = [-5, 5].map((by) => [z1 + by, h1 + gate * by]);
  return (width) => ({
    x: { domain: [AT[0], AT.at(-1)], label: "z1", ticks: width / 60, ...AXIS },
    y: { domain: [0, 1.1], label: "h1 = σ(z1)", ticks: 2 },
    ...MARGINS,
    marks: [
      Plot.line(AT.map((z) => [z, sigmoid(z)]), { className: "curve" }),
      Plot.line(tangent, { className: "tangent", clip: true }),
      Plot.dot([[z1, h1]], { r: 6, className: "here" }),
    ],
  });
}

const Gate = ({ arrives, gate, leaves, width, height }) => html`<${Bars} width=${width} height=${height} most=${MOST} sides=${1} names=${86} numbers=${86} rows=${[
  ["∂L/∂h1", arrives, "returned", short(arrives)],
  ["× σ′(z1)", gate, "gate", short(gate)],
  ["= ∂L/∂z1", leaves, "returned", short(leaves)],
]} />`;

const Picture = (of) => html`
  <${Figure} name="curve-of" label=${`The curve σ, at z1 = ${short(of.z1)}, where its slope is ${short(of.gate)}.`} options=${curve(of)} />
  <${Drawing} name="gate" label=${`What comes back to h1, ${short(of.arrives)}, times σ′, ${short(of.gate)}, is ${short(of.leaves)}.`}>${(width, height) => html`<${Gate} ...${of} width=${width} height=${height} />`}</${Drawing}>`;

const Controls = ({ state, set, z1, gate, guessed }) => html`
  <${Handle} symbol="w1" field=${W1} until=${guessed ? ASKED : SHOWN} step="0.02" value=${state.w1} text=${`${fixed(state.w1, 2)}, z1 is ${short(z1)}, the slope of σ ${short(gate)}`} onInput=${(w1) => set({ w1 })} />`;

export const saturation = {
  key: "saturation",
  title: "Saturation",
  about: "dh1_dz1",
  section: "Where digits are lost",
  fields: { w1: W1 },
  seen,
  Picture,
  Controls,
  says: () => ["Bob, a man: y = 0. What comes back from L to h1 has to pass a gate: it is multiplied by σ′, how steep σ is at z1 (dashed). All weights are 1 but w1, each b is 0. Drag w1."],
  guess: {
    asks: "At w1 = 1, z1 is 31. How much will pass?",
    options: { quarter: "a quarter", nothing: "next to nothing" },
    right: () => "nothing",
    plays: ({ w1 }, set) => play(280, (done) => set({ w1: Number((w1 + (ASKED - w1) * smooth(done)).toFixed(2)) })),
  },
  answer: ({ ypred, z1, h1, gate, slope }) => [
    "There σ is flat, and what comes back dies.",
    `Bob is taken for a woman, ypred = ${fixed(ypred, 2)}; but at z1 = ${short(z1)} the slope ∂L/∂w1 is ${short(slope)}: w1 ${Math.abs(slope) < 1e-6 ? "learns nothing" : "still learns"}.`,
    `σ′ needs no new work: σ = 1/(1 + e⁻ᶻ) has the slope e⁻ᶻ/(1 + e⁻ᶻ)², which is σ·(1 − σ): so h1·(1 − h1).`,
  ],
  more: ({ h1, gate }) => `Of h1·(1 − h1) the computer makes ${short(h1 * (1 - h1), 5)} here, where ${short(gate, 5)} is exact${short(h1 * (1 - h1), 5) === short(gate, 5) ? "." : ": 1 − h1 loses digits, as h1 is almost 1."}`,
};
