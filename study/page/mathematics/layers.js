// A fully connected network of any depth, and ∂L/∂z at each of its layers by the chain rule.
//
// A layer is {w, b}, w row by row, of shape (inputs, outputs), as in manual/network.py.

import { RandomState } from "./random.js";

// e / (1 + e)² with e = e^-|z|: without a subtraction no digits are lost.
function slopeOfSigmoid(z) {
  const e = Math.exp(-Math.abs(z));
  return (1 / (1 + e)) * (e / (1 + e));
}

// Each with its derivative.
const ACTIVATIONS = {
  sigmoid: { of: (z) => Math.exp(Math.min(z, 0)) / (1 + Math.exp(-Math.abs(z))), slope: slopeOfSigmoid },
  tanh: { of: Math.tanh, slope: (z) => 4 * slopeOfSigmoid(2 * z) },
  relu: { of: (z) => Math.max(z, 0), slope: (z) => (z > 0 ? 1 : 0) },
  identity: { of: (z) => z, slope: () => 1 },
};

// For the outputs and targets: the loss, and its derivative by each output.
const LOSSES = {
  squares: (a, y) => [sum(a.map((of, k) => (of - y[k]) ** 2)), a.map((of, k) => 2 * (of - y[k]))],
  // -log of the softmax of the target, which is 1, the others 0. Nothing is subtracted from 1, so that a sure
  // answer keeps its digits: by the odds of the others against the target.
  crossEntropy(z, y) {
    const target = y.indexOf(1);
    const odds = z.map((of, k) => (k === target ? 0 : Math.exp(of - z[target])));
    const others = sum(odds);
    return [Math.log1p(others), odds.map((of, k) => (k === target ? -others : of) / (1 + others))];
  },
};

const sum = (values) => values.reduce((all, of) => all + of, 0);

// One pass there and back.
//
//   functions  the name of each layer's activation
//   scale      multiplies all weights
// Returns {loss, z, a, slopes, deltas}, arrays by layer; deltas are ∂L/∂z.
export function pass({ layers, functions, loss: name, scale = 1 }, x, y) {
  const [z, a, slopes] = [[], [], []];
  let before = x;
  for (const [at, { w, b }] of layers.entries()) {
    const { of, slope } = ACTIVATIONS[functions[at]];
    z.push(forward(w, b, before, scale));
    a.push(z[at].map(of));
    slopes.push(z[at].map(slope));
    before = a[at];
  }
  const deltas = [];
  let [loss, back] = LOSSES[name](before, y);
  for (let at = layers.length - 1; at >= 0; at -= 1) {
    deltas[at] = slopes[at].map((slope, k) => back[k] * slope);
    if (at > 0) back = backward(layers[at].w, deltas[at], a[at - 1].length, scale);
  }
  return { loss, z, a, slopes, deltas };
}

// z = a w + b
function forward(w, b, a, scale) {
  const z = new Float64Array(b.length);
  for (let from = 0, at = 0; from < a.length; from += 1) {
    for (let to = 0; to < z.length; to += 1, at += 1) z[to] += a[from] * (w[at] * scale);
  }
  for (let to = 0; to < z.length; to += 1) z[to] += b[to];
  return z;
}

// What reaches the units before: ∂L/∂a = Wᵀ ∂L/∂z.
function backward(w, delta, count, scale) {
  const back = new Float64Array(count);
  for (let from = 0, at = 0; from < count; from += 1) {
    for (let to = 0; to < delta.length; to += 1, at += 1) back[from] += w[at] * scale * delta[to];
  }
  return back;
}

// Inputs from N(0, 1), targets from [0, 1), then layer after layer weights from N(0, 1/units) and biases 0:
// with a layer more, the layers before stay the same.
export class Draw {
  constructor(seed, units) {
    this.random = new RandomState(seed);
    this.units = units;
    this.x = Float64Array.from({ length: units }, () => this.random.normal());
    this.y = Float64Array.from({ length: units }, () => this.random.uniform());
    this.drawn = [];
  }

  layers(count) {
    while (this.drawn.length < count) {
      const w = Float64Array.from({ length: this.units ** 2 }, () => this.random.normal() / Math.sqrt(this.units));
      this.drawn.push({ w, b: new Float64Array(this.units) });
    }
    return this.drawn.slice(0, count);
  }
}

// What all derivatives of a network cost: parameters, and multiplications of a pass there and of one back.
export function costs(sizes) {
  const links = sizes.slice(1).map((outputs, at) => sizes[at] * outputs);
  const units = sum(sizes.slice(1));
  const there = sum(links);
  // Back: ∂L/∂z = ∂L/∂a f′(z), ∂L/∂w = a ∂L/∂z, and Wᵀ ∂L/∂z but for the first layer.
  return { parameters: there + units, there, back: units + there + sum(links.slice(1)) };
}
