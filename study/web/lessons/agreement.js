// Agreement is not truth: both sides differentiate the same wrong line, agree, and are wrong; a nudge of the loss sees it.

import * as Plot from "@observablehq/plot";
import { html } from "htm/preact";
import { count, number } from "../fields.js";
import { meanLoss, meanOver } from "../math/network.js";
import { fixed, short, signed } from "../math/numbers.js";
import { run, slopes } from "../math/program.js";
import { Bars } from "../parts/bars.js";
import { AXIS, Drawing, Figure, MARGINS } from "../parts/figure.js";
import { Handle } from "../parts/handle.js";

const W1 = number(-0.4, 0.6, -0.1);
const ALONG = Array.from({ length: 101 }, (_, k) => W1.low + ((W1.high - W1.low) * k) / 100);
const NUDGE = 0.0001;
// What fills one side of the bars: more than any slope of L by w1.
const [TOP, MOST] = [0.6, 3.1];

// The slope of L by w1 as the hand's lines have it, from their undoing of L on; without the square that is of y − ypred.
const byHand = ({ program }, results, isWrong) => {
  const of = (name) => results[program.at[name]];
  return (isWrong ? -1 : of("dL_dypred")) * of("dypred_dh1") * of("dh1_dw1");
};

// The same by the way back through the lines; what L squares is its operand.
const byAutodiff = ({ program }, results, isWrong) => {
  const miss = program.lines[program.at.L][1][0];
  return slopes({ ...program, at: { ...program.at, miss } }, results, isWrong ? "miss" : "L").w1;
};

let curve = null; // is the same for all w1

function seen(study, { w1, mended }) {
  const at = (value) => ({ ...study.starts.lessons, w1: value });
  const mean = (of, isWrong) => meanOver(study, at(w1), (given) => of(study, run(study.program, given), isWrong));
  const loss = meanLoss(study, at(w1));
  curve ??= ALONG.map((value) => [value, meanLoss(study, at(value))]);
  return {
    loss,
    curve,
    hand: mean(byHand, mended % 3 < 2),
    autodiff: mean(byAutodiff, mended % 3 < 1),
    nudged: (meanLoss(study, at(w1 + NUDGE)) - loss) / NUDGE,
  };
}

function along({ state: { w1 }, loss, hand, autodiff, guessed }) {
  const line = (slope, className) => Plot.line([-1, 1].map((by) => [w1 + by, loss + slope * by]), { className, clip: true });
  return (width) => ({
    x: { domain: [W1.low, W1.high], label: "w1", ticks: width / 80, ...AXIS },
    y: { domain: [0, TOP], label: "L", ticks: 3 },
    ...MARGINS,
    marks: [
      !guessed && Plot.text([[0.45, 0.12]], { text: () => "?", fontSize: 28, className: "asked" }),
      guessed && Plot.line(curve, { className: "curve" }),
      line(hand, "hand"),
      line(autodiff, "tangent"),
      Plot.dot([[w1, loss]], { r: 6, className: "here" }),
    ],
  });
}

const Sides = ({ hand, autodiff, nudged, guessed, width, height }) => html`<${Bars} width=${width} height=${height} most=${MOST} names=${72} numbers=${104} rows=${[
  ["by hand", hand, "returned solid", signed(hand, 10)],
  ["autodiff", autodiff, "returned", signed(autodiff, 10)],
  ["nudged", guessed ? nudged : null, "real"],
]} />`;

const Picture = (of) => html`
  <${Figure} name="along" label=${`L against w1, ${fixed(of.loss)} at ${fixed(of.state.w1, 2)}, and lines as steep as hand and autodiff say.`} options=${along(of)} />
  <${Drawing} name="sides" label=${`The slope by hand, ${signed(of.hand, 10)}, and by autodiff, ${signed(of.autodiff, 10)}${of.guessed ? `; by a nudge, ${signed(of.nudged)}` : ""}.`}>${(width, height) => html`<${Sides} ...${of} width=${width} height=${height} />`}</${Drawing}>`;

const Controls = ({ state, set, hand, autodiff }) => html`
  <${Handle} symbol="w1" field=${W1} step="0.01" value=${state.w1} text=${`${fixed(state.w1, 2)}; by hand ${signed(hand)}, by autodiff ${signed(autodiff)}`} onInput=${(w1) => set({ w1 })} />`;

const told = ({ state, hand, autodiff, nudged }) => {
  if (state.mended % 3 === 2) return "Now all three agree. The nudge sees few digits, but asks L itself; the other two see all digits, but no mistake that they share. So check by both.";
  if (state.mended % 3 === 1) return "A mistake on one side alone is seen at once: the two differ.";
  const gap = Math.abs(hand - autodiff);
  return `${gap ? `They differ by ${short(gap, 1)}, a rounding.` : "They agree to the last bit."} But nudge w1 by ${NUDGE} and ask L itself, square and all: its slope is about ${signed(nudged)}. ${hand * nudged < 0 ? "A step by theirs goes uphill." : "Here theirs has the right sign, by luck."}`;
};

export const agreement = {
  key: "agreement",
  title: "Agreement",
  about: "L",
  section: "The loss",
  fields: { w1: W1, mended: count() },
  seen,
  Picture,
  Controls,
  says: () => ["This page follows an article. It has a line for the slope of L; worked out by hand and by autodiff, that gives the same ten digits. All four people again; drag w1."],
  guess: {
    asks: "Is that the slope of L?",
    options: { must: "it must be", open: "not for certain" },
    right: () => "open",
  },
  answer: (seen) => ["L is the mean of (y − ypred)². But the article’s line for its slope has lost the square: it is the slope of y − ypred. Hand and autodiff both followed it, without a slip. (In the first lesson the slope was that of L itself.)", told(seen)],
  act: ({ state, set }) => [["Mend autodiff alone", "Mend the hand as well", "Lose the square again"][state.mended % 3], () => set({ mended: state.mended + 1 })],
};
