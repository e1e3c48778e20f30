// The networks of the depth view: drawn at random, or trained on digits.

import { Draw, pass } from "../mathematics/layers.js";

let kept = { key: null };

// The pass of a drawn network; `state` may have another activation or scale than the reader has chosen.
export function drawnPass({ depth, units, act, scale, draw }) {
  const key = `${draw},${units}`;
  if (kept.key !== key) kept = { key, of: new Draw(draw, units) };
  const { of } = kept;
  const functions = new Array(depth).fill(act);
  const found = pass({ layers: of.layers(depth), functions, loss: "squares", scale }, of.x, of.y);
  return { sizes: new Array(depth + 1).fill(units), x: of.x, y: of.y, ...found };
}

// A function from the number of an image to its pass through the trained network.
export function digitsPasses({ sizes, params, mean, sd, activation, images }) {
  let at = 0;
  const taken = (count) => Float64Array.from(params.slice(at, (at += count)));
  const layers = sizes.slice(1).map((outputs, k) => ({ w: taken(sizes[k] * outputs), b: taken(outputs) }));
  const functions = layers.map((_, k) => (k + 1 < layers.length ? activation : "identity"));
  return (chosen) => {
    const { digit, pixels } = images[chosen];
    const x = Float64Array.from(pixels, (of, k) => (of - mean[k]) / sd[k]);
    const y = Float64Array.from({ length: sizes.at(-1) }, (_, k) => (k === digit ? 1 : 0));
    return { sizes, x, y, ...pass({ layers, functions, loss: "crossEntropy" }, x, y) };
  };
}

// How large they are on average.
export const typical = (values) => values.reduce((sum, of) => sum + Math.abs(of), 0) / values.length;
