// What there is to see in a pass through many layers, in words with its numbers.

import { short } from "../../mathematics/numbers.js";
import { drawnPass, typical } from "../../model/deep.js";
import { NAMES } from "./controls.js";

// What the derivative of each activation is at most, and when.
const SLOPES = {
  sigmoid: "σ′(z), which is at most 1/4",
  tanh: "tanh′(z), which is 1 at z = 0 and less elsewhere",
  relu: "ReLU′(z), which is 1 where a unit is on, and 0 where it is off",
};

const DERIVATIVES = { sigmoid: "σ′", tanh: "tanh′", relu: "ReLU′" };

// The scale that keeps the size of ∂L/∂z, and who found it. Sigmoid units have none of their own.
const XAVIER = { act: "tanh", scale: 1, by: "Xavier’s" };
const HE = { act: "relu", scale: Math.SQRT2, by: "He’s" };
const CURES = { sigmoid: HE, tanh: XAVIER, relu: HE };

// Below this share the first layer is said not to learn.
const HARDLY = 1e-2;

// What there is to see, and below the picture what it comes from.
export function ofDraw(state, { means, slopes }) {
  const { depth, act } = state;
  if (depth === 1) return ["One layer: ∂L/∂z = 2 (a − y) f′(z), and nothing to come back through. Add layers.", ""];
  const dead = means.findLastIndex((of) => of === 0) + 1;
  if (dead > 0) return [`Nothing comes back to layer ${dead}: ${act === "relu" ? "no unit through which it could is on" : "it is too small for a number"}. Try another draw, or more units.`, ""];
  const share = means[0] / means.at(-1);
  const passed = slopes.slice(0, -1);
  const average = passed.reduce((sum, of) => sum + typical(of), 0) / passed.length;
  const steps = depth === 2 ? "the step back multiplies" : `each of the ${depth - 1} steps back multiplies`;
  const says = `The first layer’s |∂L/∂z| is ${short(share, 2)} times the last one’s: ${steps} it by the weights and by ${SLOPES[act]}.`;
  return [
    `${says}${share < HARDLY ? " Gradient descent hardly moves the first layer: it does not learn." : ""}`,
    [
      `|∂L/∂z| of a layer is the mean over its ${state.units} units. ${DERIVATIVES[act]} is ${short(average, 2)} on average here, and a step back multiplies |∂L/∂z| by about ${short(share ** (1 / (depth - 1)), 2)}.`,
      `Inputs and weights are drawn at random, weights from N(0, scale²/n) with n = ${state.units}.`,
      cure(state),
    ].join(" "),
  ];
}

function cure(state) {
  const { act, scale, by } = CURES[state.act];
  if (state.act === act && state.scale === scale) {
    return act === "relu"
      ? "This is He’s scale: weights of variance 2/n make up for the half of the units that is off."
      : "This is Xavier’s scale: with weights of variance 1/n, a sum of n products is about as large as one value.";
  }
  const deltas = drawnPass({ ...state, act, scale }).deltas;
  const share = typical(deltas[0]) / typical(deltas.at(-1));
  return share > 0 ? `With ${NAMES[act]} and ${by} scale the first layer’s would be ${short(share, 2)} times the last one’s.` : "";
}

export function ofDigit({ y, loss, deltas, means, image: { digit } }) {
  const p = deltas.at(-1).map((of, k) => of + y[k]);
  const read = p.indexOf(Math.max(...p));
  const isRight = read === digit;
  const answer = isRight
    ? `This ${digit} is read as ${digit} with probability ${short(p[digit], 3)}: L = −ln p = ${short(loss, 2)}.`
    : `This ${digit} is misread as ${read} with probability ${short(p[read], 3)}, and its own digit has ${short(p[digit], 2)}: L = −ln p = ${short(loss, 3)}.`;
  const lesson = isRight ? "A right answer has little to teach, and little comes back" : "A wrong answer teaches: much comes back, to every layer";
  return [
    `${answer} ${lesson}: |∂L/∂z| is ${short(means.at(-1), 2)} at the outputs and ${short(means[0], 2)} at layer 1.`,
    "At the outputs ∂L/∂z is p − 1 for the right digit, and p for every other one.",
  ];
}

export function origin({ sizes, trained, updates, decimals, tested, right }) {
  return [
    `This is a network of ${sizes.join("-")} units, trained on ${trained} images by hand and by autodiff, which agreed at each of the ${updates} updates; its numbers are rounded to ${decimals} decimals.`,
    `It reads ${right} of ${tested} other images right; those above are among them.`,
    "Images: Alpaydin and Kaynak, Optical Recognition of Handwritten Digits, 1998, CC BY 4.0.",
  ].join(" ");
}
