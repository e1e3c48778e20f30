// A deep network without biases, each layer as wide as the next, and what comes back to its sums.

export const [DEPTH, UNITS] = [20, 32];

// Numbers from −1 to 1 by the generator of Park and Miller (1988), with their later factor: the same for everybody.
function drawing() {
  let state = 1;
  return (length) => Float64Array.from({ length }, () => {
    state = (48271 * state) % 2147483647;
    return (2 * state) / 2147483647 - 1;
  });
}

// What f makes of a sum, and its slope by what it made.
export const FUNCTIONS = {
  sigmoid: [(z) => 1 / (1 + Math.exp(-z)), (a) => a * (1 - a)],
  relu: [(z) => Math.max(0, z), (a) => (a > 0 ? 1 : 0)],
};

let drawn = null;

function start() {
  const take = drawing();
  const [x, y] = [take(UNITS), take(UNITS).map((of) => (of + 1) / 2)];
  // So that a sum of as many is as large as each of them.
  const layers = Array.from({ length: DEPTH }, () => take(UNITS * UNITS).map((of) => of * Math.sqrt(3 / UNITS)));
  return { x, y, layers };
}

// The root mean square of ∂L/∂z in each layer, as a share of that in the last; L is the squared error.
export function arrivals(scale, name) {
  drawn ??= start();
  const [f, steep] = FUNCTIONS[name];
  const outputs = [drawn.x];
  for (const w of drawn.layers) {
    const sums = new Float64Array(UNITS);
    outputs.at(-1).forEach((a, i) => {
      for (let j = 0; j < UNITS; j += 1) sums[j] += a * scale * w[i * UNITS + j];
    });
    outputs.push(sums.map(f));
  }
  let back = outputs.at(-1).map((a, j) => 2 * (a - drawn.y[j]));
  const sizes = [];
  for (let at = DEPTH - 1; at >= 0; at -= 1) {
    const w = drawn.layers[at];
    const dz = outputs[at + 1].map((a, j) => back[j] * steep(a));
    sizes.unshift(Math.sqrt(dz.reduce((sum, of) => sum + of * of, 0) / UNITS));
    back = dz.map((_, i) => dz.reduce((sum, of, j) => sum + of * scale * w[i * UNITS + j], 0));
  }
  return sizes.map((size) => size / sizes.at(-1));
}
