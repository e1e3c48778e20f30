// Two paths add: one number t that is used twice, and two pulses that meet in it.

import { html } from "htm/preact";
import { count, number } from "../fields.js";
import { givenFor, passAt, slopesAt } from "../math/network.js";
import { fixed, signed } from "../math/numbers.js";
import { Bars } from "../parts/bars.js";
import { Arrow, between, Drawing, Node, Pulse } from "../parts/figure.js";
import { Handle } from "../parts/handle.js";
import { play, smooth, useMotion } from "../parts/motion.js";

const SHARED = 0.05;
const T = number(SHARED - 0.15, SHARED + 0.15, SHARED + 0.1);
const PULSE_MS = 3600;
// What fills one side of the bars.
const MOST = 0.095;
// The weight that t is on each path, and the unit that it goes through.
const PATHS = [{ weight: "w1", unit: "h1" }, { weight: "w3", unit: "h2" }];

function seen(study, { t }) {
  const at = (of) => givenFor(study, "alice", "lessons", { w1: of, w3: of });
  const back = slopesAt(study, at(SHARED));
  const by = PATHS.map(({ weight }) => back[weight]);
  return { back, by, move: t - SHARED, real: passAt(study, at(t)).L - passAt(study, at(SHARED)).L };
}

// One path: two links with the unit between them, and the pulse that comes along it from L to t.
function Path({ from, unit, to, weight, name, side, share, slopes: [first, last], come, isBack }) {
  const [x, y] = between(from, unit, 0.5);
  return html`
    ${[[from, unit], [unit, to]].map((ends) => {
      const [first, last] = isBack && come === 1 ? ends.toReversed() : ends;
      return html`<${Arrow} name=${isBack && come === 1 ? "back" : "forward"} from=${between(first, last, share)} to=${between(first, last, 1 - share)} />`;
    })}
    <text class="slope" x=${x} y=${y + side * 18 + 5} text-anchor="middle">${weight} = t</text>
    <${Node} at=${unit} text=${name} />
    ${isBack && come < 1 && html`<${Pulse} at=${come < 0.5 ? between(to, unit, 2 * come) : between(unit, from, 2 * come - 1)} side=${side} text=${fixed(come < 0.5 ? last : first, 2)} />`}`;
}

function Meeting({ back, by, move, real, guessed, state, width, height }) {
  const come = smooth(useMotion(state.sent, PULSE_MS));
  const isSmall = width < 480;
  const deep = height * 0.52;
  const [from, to] = [[21, deep / 2], [width - 21, deep / 2]];
  const isBack = state.sent > 0;
  const rows = [["through h1", by[0] * move, "forward"], ["through h2", by[1] * move, "forward second"], guessed && ["added", by.map((of) => of * move), "forward"], ["L moves", guessed ? real : null, "real"]];
  return html`
    ${PATHS.map(({ weight, unit }, k) => html`<${Path} from=${from} unit=${[width / 2, k ? deep - 22 : 22]} to=${to} weight=${weight} name=${unit} side=${k ? 1 : -1} share=${isSmall ? 0.2 : 0.1}
      slopes=${[by[k], back[unit]]} come=${come} isBack=${isBack} />`)}
    <${Node} at=${from} text="t" /><${Node} at=${to} text="L" />
    ${isBack && come === 1 && html`<text class=${isSmall ? "back small" : "back"} x=${width / 2} y=${deep / 2 + 5} text-anchor="middle">${by.map((of) => fixed(of, 3)).join(" + ").replace("+ −", "− ")} = ${fixed(by[0] + by[1], 3)}</text>`}
    <${Bars} rows=${rows} most=${MOST} names=${86} top=${deep + 8} width=${width} height=${height - deep - 10} />`;
}

const described = ({ by, move, real, guessed }) =>
  `Two paths from t to L. By the one through h1 L would move by ${signed(by[0] * move)}, by the one through h2 by ${signed(by[1] * move)}${guessed ? `; it moves by ${signed(real)}` : ""}.`;

const Picture = (of) => html`<${Drawing} name="meeting" label=${described(of)}>${(width, height) => html`<${Meeting} ...${of} width=${width} height=${height} />`}</${Drawing}>`;

const Controls = ({ state, set, move }) => html`
  <${Handle} symbol="move of t" field=${T} step="0.01" value=${state.t} shown=${signed(move, 2)} text=${`${fixed(state.t, 2)}, moved by ${signed(move, 2)}`} onInput=${(t) => set({ t, sent: 0 })} />`;

export const paths = {
  key: "paths",
  title: "Two paths add",
  about: "dL_dw3",
  section: "Slopes, and seven rules",
  fields: { t: T, sent: count() },
  seen,
  Picture,
  Controls,
  says: () => ["Beside h1 there is a second unit, h2, with w3 in place of w1. Let both be one number, t. Drag: the bars are slope times move, along each path alone."],
  guess: {
    asks: "By how much will L move?",
    options: { larger: "larger bar", sum: "sum", product: "product" },
    right: () => "sum",
    plays: (_, set) => play(280, (done) => set({ t: Number((SHARED + 0.05 * smooth(done)).toFixed(2)) })),
  },
  answer: ({ by, move, real, state }) => [
    "Move the t that is w1, then the t that is w3: L moves twice, once through each, and the second move begins where the first one ended. So moves add, and slopes, too.",
    `Added: ${signed((by[0] + by[1]) * move)}; L moves by ${signed(real)}. The gap is that slopes change on the way: half the move, a quarter of the gap.`,
    state.sent > 0 && `So ∂L/∂t is ${fixed(by[0] + by[1])}. Whoever forgets a path gets ${fixed(by[0])} or ${fixed(by[1])}, and nothing looks wrong.`,
  ],
  act: ({ state, set }) => ["Send two pulses back", () => set({ sent: state.sent + 1 })],
};
