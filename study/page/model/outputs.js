// The meaning of a network's outputs: with a loss on logits they are logits of probabilities.

import { FLOATS } from "../mathematics/floats.js";
import { sigmoid } from "../mathematics/mathematics.js";

const LINKS = { bce: (values) => values.map((value) => sigmoid(value, FLOATS)), "softmax-ce": softmax };

export const isOfLogits = (study) => study.about.loss in LINKS;

// Whether the outputs mean probabilities, by σ or by the link of the loss. The article's do.
export const areProbabilities = (study) => study.people !== null || study.about.output === "sigmoid" || isOfLogits(study);

// Whether a number can be put in for an input or target: targets of a loss on logits are probabilities.
export const isFit = (study, name, value) =>
  Number.isFinite(value) && (!isOfLogits(study) || !isTarget(study, name) || (value >= 0 && value <= 1));

export const isTarget = ({ samples, drawing }, name) => name in samples[0].given && !drawing.inputs.includes(name);

// The outputs themselves, unless they are logits.
export const meant = (study, values) => (isOfLogits(study) ? LINKS[study.about.loss](values) : values);

// The largest is subtracted from all, so that no power overflows.
function softmax(values) {
  const powers = values.map((value) => Math.exp(value - Math.max(...values)));
  const sum = powers.reduce((a, b) => a + b);
  return powers.map((power) => power / sum);
}
