// People's measures and the network's inputs, as in compare/people.py; the training range as in
// compare/experiment.py.

import { general } from "../mathematics/numbers.js";

// By definition of the international pound and inch.
const KG = 0.45359237;
const CM = 2.54;

// The mean loss of a network that answers one half to everybody.
export const UNDECIDED = 0.25;

// The units that a reader can choose: how weight and height are called, and what one is in lb or in.
export const UNITS = {
  lb: { names: ["lb", "in"], sizes: [1, 1] },
  kg: { names: ["kg", "cm"], sizes: [1 / KG, 1 / CM] },
};

export const MEASURES = ["weight", "height"];

// lb and in to the unit, and back.
export const inUnit = (measured, unit) => measured.map((value, k) => value / UNITS[unit].sizes[k]);
export const fromUnit = (measured, unit) => measured.map((value, k) => value * UNITS[unit].sizes[k]);

export const measuresOf = ({ weight, height }) => [weight, height];

// The network's inputs: lb and in, shifted.
export const inputsOf = ({ people: { shift } }, measured) => measured.map((value, k) => value - shift[k]);

// The name of an axis with the unit of what it shows. Weights of weight and height have the inverse of theirs, lb or
// in; numbers of another study have units that only its reader knows.
export function named({ people, drawing, parameters }, text, name) {
  if (!people) return text;
  const edge = parameters.includes(name) && drawing.edges.find((of) => of.parameter === name);
  const input = edge ? drawing.inputs.indexOf(edge.from) : -1;
  return `${text} (${input < 0 ? "dimensionless" : `1/${UNITS.lb.names[input]}`})`;
}

// "F" for a probability of at least one half, else "M".
export const label = (probability) => (Number.isNaN(probability) ? "–" : probability >= 0.5 ? "F" : "M");

// A probability in three decimals, never rounded to 0 or 1.
export function probability(value) {
  if (!Number.isFinite(value)) return "not a number";
  if (value < 0.0005) return "below 0.001";
  return value > 0.9995 ? "above 0.999" : value.toFixed(3);
}

// Lowest and highest of each measure among those that the network is trained on, in lb and in.
function trainingRange(study) {
  const columns = MEASURES.map((measure) => study.people.trained.map((person) => person[measure]));
  return columns.map((column) => [Math.min(...column), Math.max(...column)]);
}

// A sentence for each measurement that lies outside what the network was trained on.
export function outsideTrainingRange(study, measured, unit) {
  const { names, sizes } = UNITS[unit];
  return trainingRange(study).flatMap(([low, high], k) => {
    const value = measured[k];
    if (low <= value && value <= high) return [];
    const written = (of, digits) => general(of / sizes[k], digits);
    // Enough digits to show that it lies outside.
    const isSeen = (digits) => [low, high].every((end) => written(end, digits) !== written(value, digits));
    const digits = [4, 6, 8, 10, 12, 14].find(isSeen) ?? 17;
    const range = `${written(low, digits)} to ${written(high, digits)} ${names[k]}`;
    return [`${MEASURES[k]} ${written(value, digits)} ${names[k]} lies outside the training range, ${range}`];
  });
}
