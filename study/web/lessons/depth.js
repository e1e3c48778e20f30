// Depth: what comes back through twenty layers, by the scale of their weights, with σ and with ReLU.

import * as Plot from "@observablehq/plot";
import { html } from "htm/preact";
import { count, number } from "../fields.js";
import { arrivals, DEPTH, UNITS } from "../math/deep.js";
import { fixed, raised, short } from "../math/numbers.js";
import { AXIS, Figure, MARGINS } from "../parts/figure.js";
import { Handle } from "../parts/handle.js";
import { useMotion } from "../parts/motion.js";

const [ASKED, PULSE_MS] = [1, 2400];
const SCALE = number(0.5, 2.5, ASKED);
// As many layers are seen before the guess.
const SHOWN = 5;
// Powers of ten.
const POWERS = Array.from({ length: 9 }, (_, k) => 3 * k - 18);

// It is sent through σ at first, and then through the other one each time.
function seen(_, { scale, sent }) {
  const isRelu = sent > 0 && sent % 2 === 0;
  const sizes = arrivals(scale, isRelu ? "relu" : "sigmoid");
  return { isRelu, sizes, first: sizes[0] };
}

const bars = ({ sizes, guessed, passed }) => (width) => ({
  x: { type: "band", domain: sizes.map((_, k) => k + 1), label: "layer", ticks: [1, 5, 10, 15, DEPTH], tickSize: 0, ...AXIS },
  y: { domain: [POWERS[0], POWERS.at(-1)], label: width < 480 ? "∂L/∂z" : "∂L/∂z, where that of the last layer is 1; each line is 1000 times less", ticks: POWERS, tickFormat: (power) => (power ? `10${raised(power)}` : "1") },
  ...MARGINS,
  marginLeft: 44,
  marks: [
    Plot.gridY({ ticks: POWERS }),
    Plot.barY(sizes.map((size, k) => [k + 1, Math.log10(size)]).slice(DEPTH - passed), { x: "0", y1: POWERS[0], y2: "1", inset: 1, className: "returned", clip: true }),
    Plot.ruleY([0], { className: "one" }),
    !guessed && Plot.text([[8, -8]], { text: () => "?", fontSize: 28, className: "asked" }),
  ],
});

function Picture(of) {
  const come = useMotion(of.state.sent, PULSE_MS);
  const passed = of.guessed ? (of.state.sent ? Math.max(1, Math.ceil(come * DEPTH)) : DEPTH) : SHOWN;
  const at = DEPTH - passed;
  return html`<${Figure} name="layers" label=${`What comes back by layer, from 1 in the last: ${short(of.sizes[at])} in layer ${at + 1}.`} options=${bars({ ...of, passed })} />`;
}

const Controls = ({ state, set, sizes, first, guessed }) => html`
  <${Handle} symbol="scale" field=${SCALE} step="0.1" decimals=${1} value=${state.scale} text=${`${fixed(state.scale, 1)}; ${guessed ? `${short(first)} arrives at layer 1` : `${short(sizes[DEPTH - SHOWN])} at layer ${DEPTH - SHOWN + 1}`}`} onInput=${(scale) => set({ scale })} />`;

export const depth = {
  key: "depth",
  title: "Depth",
  about: "dh1_dz1",
  section: "Any layer",
  fields: { scale: SCALE, sent: count() },
  seen,
  Picture,
  Controls,
  says: () => [`Twenty layers of ${UNITS} units, each with σ. Their weights are drawn at random, times a scale. A bar says how much comes back to a layer. Drag the scale.`],
  guess: {
    asks: "σ′ is at most a quarter. At scale 1, how much comes to layer 1?",
    options: { sum: "about 1/80", power: "about 10⁻¹²" },
    right: () => "power",
    plays: ({ sent }, set) => set({ scale: ASKED, sent: (sent ?? 0) + 1 }),
  },
  answer: ({ isRelu, state: { scale }, first }) => [
    "At scale 1 each layer multiplies by about a quarter; nineteen times over, that is 10⁻¹².",
    isRelu
      ? `ReLU makes 0 of what is below 0, and leaves the rest: its slope is 1 for about half of the units, and 0 for the others. At scale ${fixed(scale, 1)} layer 1 gets ${short(first)}. A scale of about 1.4 keeps its size through all layers; more explodes.`
      : `At scale ${fixed(scale, 1)} layer 1 gets ${short(first)}, and learns next to nothing. A larger scale helps a little, but makes larger sums, where σ is flat.`,
  ],
  act: ({ isRelu, state, set }) => [isRelu ? "σ again" : "ReLU in place of σ", () => set({ sent: Math.max(1, state.sent) + 1 })],
};
