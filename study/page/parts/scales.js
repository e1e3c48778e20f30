// Scales of a picture, and the round numbers on them.
//
// A scale is a function from a number to a coordinate, with
//   domain, range   as given
//   invert          of a linear scale: from a coordinate back to the number
//   ticks(count)    about so many round numbers within, as [number, text]

import { raised, short } from "../mathematics/numbers.js";

export function linear(domain, range) {
  const [low, high] = domain;
  const factor = (range[1] - range[0]) / (high - low);
  return Object.assign((value) => range[0] + (value - low) * factor, {
    domain,
    range,
    invert: (at) => low + (at - range[0]) / factor,
    ticks: (count) => roundNumbers(low, high, count),
  });
}

// Of numbers above 0.
export function logarithmic(domain, range) {
  const [low, high] = domain.map(Math.log10);
  const factor = (range[1] - range[0]) / (high - low);
  return Object.assign((value) => range[0] + (Math.log10(value) - low) * factor, {
    domain,
    range,
    ticks: (count) => roundPowers(low, high, count),
  });
}

// Multiples of 1, 2 or 5 times a power of ten.
function roundNumbers(low, high, count) {
  const rough = Math.abs(high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((of) => of * power).find((of) => of >= rough * (1 - 1e-9)) ?? rough;
  const digits = Math.min(17, 6 + Math.max(0, Math.ceil(Math.log10(Math.max(Math.abs(low), Math.abs(high)) / step))));
  const found = [];
  const [first, last] = [Math.ceil(Math.min(low, high) / step - 1e-9), Math.floor(Math.max(low, high) / step + 1e-9)];
  // The ends are so close that float64 cannot count the steps between them: there are no ticks.
  if (!(step > 0 && Math.max(Math.abs(first), Math.abs(last)) < Number.MAX_SAFE_INTEGER)) return [];
  for (let k = first; k <= last; k += 1) found.push([k * step, short(k * step, digits)]);
  // One tick alone shows no scale.
  return found.length < 2 && count < 9 ? roundNumbers(low, high, count + 1) : found;
}

function roundPowers(low, high, count) {
  const [first, last] = [Math.ceil(Math.min(low, high) - 1e-9), Math.floor(Math.max(low, high) + 1e-9)];
  const step = Math.max(1, Math.ceil((last - first) / count));
  const found = [];
  for (let k = Math.ceil(first / step) * step; k <= last; k += step) {
    // Powers near 1 are easier to read written out.
    found.push([10 ** k, Math.abs(k) < 3 ? short(10 ** k) : `10${raised(k)}`]);
  }
  return found;
}
