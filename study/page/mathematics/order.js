// The order of samples in a training, as in `manual.sgd.sample_order`.
//
// Shuffled, each epoch is a permutation by NumPy's generator of that seed: PCG64 (O'Neill 2014,
// HMC-CS-2014-0905, the XSL-RR output), seeded by way of NumPy's SeedSequence.

const MASK32 = 0xffffffffn;
const MASK64 = (1n << 64n) - 1n;
const MASK128 = (1n << 128n) - 1n;
const MULTIPLIER = (2549297995355413924n << 64n) | 4865540595714422341n;

// The index of the sample of each update; `seed` null keeps the order of the table.
export function sampleOrder(count, epochs, seed) {
  const order = [];
  const next = seed === null ? null : generator(seed);
  for (let epoch = 0; epoch < epochs; epoch += 1) {
    const row = [...Array(count).keys()];
    for (let k = count - 1; next && k > 0; k -= 1) {
      const other = below(next, k);
      [row[k], row[other]] = [row[other], row[k]];
    }
    order.push(...row);
  }
  return order;
}

// A whole number from 0 to `most`: as many bits as that has are drawn until they fit.
function below(next, most) {
  const mask = 2 ** (32 - Math.clz32(most)) - 1;
  for (;;) {
    const drawn = next() & mask;
    if (drawn <= most) return drawn;
  }
}

// Draws of 32 bits, two from each step of the generator, the lower ones first.
function generator(seed) {
  const words = seedSequence(seed);
  const pair = (k) => (words[k] << 64n) | words[k + 1];
  const increment = ((pair(2) << 1n) | 1n) & MASK128;
  const step = (state) => (state * MULTIPLIER + increment) & MASK128;
  let state = step((step(0n) + pair(0)) & MASK128);
  let upper = null;
  return () => {
    if (upper !== null) {
      const kept = upper;
      upper = null;
      return kept;
    }
    state = step(state);
    const mixed = (state >> 64n) ^ (state & MASK64);
    const turn = state >> 122n;
    const drawn = ((mixed >> turn) | (mixed << (64n - turn))) & MASK64;
    upper = Number(drawn >> 32n);
    return Number(drawn & MASK32);
  };
}

// Four words of 64 bits from a seed of up to 32: M. E. O'Neill's seed_seq_fe, as NumPy has it.
function seedSequence(seed) {
  const pool = [seed >>> 0, 0, 0, 0];
  const hash = hasher(0x43b0d7e5, 0x931e8875);
  for (let k = 0; k < 4; k += 1) pool[k] = hash(pool[k]);
  for (let from = 0; from < 4; from += 1) {
    for (let to = 0; to < 4; to += 1) if (from !== to) pool[to] = mixed(pool[to], hash(pool[from]));
  }
  const out = hasher(0x8b51f9dd, 0x58f38ded);
  const words = Array.from({ length: 8 }, (_, k) => BigInt(out(pool[k % 4])));
  return [0, 2, 4, 6].map((k) => words[k] | (words[k + 1] << 32n));
}

function hasher(start, multiplier) {
  let constant = start;
  return (value) => {
    value ^= constant;
    constant = Math.imul(constant, multiplier);
    value = Math.imul(value, constant);
    return (value ^ (value >>> 16)) >>> 0;
  };
}

function mixed(x, y) {
  const result = Math.imul(x, 0xca01f9dd) - Math.imul(y, 0x4973f715);
  return (result ^ (result >>> 16)) >>> 0;
}
