// Double-double arithmetic: numbers of about 106 bits, each with an error bound. The same interface as
// floats.js.
//
// A number is a sum of two float64, the second at most half an ulp of the first. Dekker 1971
// (Numerische Mathematik 18), Knuth (TAOCP 2, 4.2.2) for the error of a sum.

const SPLITTER = 134217729; // 2^27 + 1: halves a float64 into two of 26 bits

function twoSum(a, b) {
  const sum = a + b;
  const part = sum - a;
  return [sum, a - (sum - part) + (b - part)];
}

function quickTwoSum(a, b) {
  const sum = a + b;
  return [sum, b - (sum - a)];
}

function halves(a) {
  const scaled = SPLITTER * a;
  const high = scaled - (scaled - a);
  return [high, a - high];
}

function twoProduct(a, b) {
  const product = a * b;
  const [ah, al] = halves(a);
  const [bh, bl] = halves(b);
  return [product, ah * bh - product + ah * bl + al * bh + al * bl];
}

function add(a, b) {
  const [s, e] = twoSum(a[0], b[0]);
  const [t, f] = twoSum(a[1], b[1]);
  const [u, g] = quickTwoSum(s, e + t);
  return quickTwoSum(u, g + f);
}

const negate = (a) => [-a[0], -a[1]];
const subtract = (a, b) => add(a, negate(b));

function multiply(a, b) {
  const [p, e] = twoProduct(a[0], b[0]);
  if (!Number.isFinite(p) || p === 0) return [p, 0];
  return quickTwoSum(p, e + (a[0] * b[1] + a[1] * b[0]));
}

function divide(a, b) {
  const first = a[0] / b[0];
  if (!Number.isFinite(first) || b[1] !== b[1]) return [first, 0];
  const rest = subtract(a, multiply([first, 0], b));
  const second = rest[0] / b[0];
  const rest2 = subtract(rest, multiply([second, 0], b));
  return add(quickTwoSum(first, second), [rest2[0] / b[0], 0]);
}

const SQRT_PI = [1.772453850905516, -7.666586499825799e-17];
const LN2 = [0.6931471805599453, 2.3190468138462996e-17];
const ONE = [1, 0];

function scale(a, exponent) {
  // In two factors: 2^1024 is no float64, and 2^-1074 would lose what 2^-537 twice keeps.
  const half = Math.trunc(exponent / 2);
  const [p, q] = [2 ** half, 2 ** (exponent - half)];
  return [a[0] * p * q, a[1] * p * q];
}

function exp(a) {
  if (!(a[0] > -746)) return a[0] !== a[0] ? [NaN, 0] : [0, 0];
  if (a[0] > 710) return [Infinity, 0];
  const twos = Math.round(a[0] / LN2[0]);
  const squarings = 9; // |r| < ln2 / 2 / 512, so that 11 terms of the series give 2^-110
  const r = scale(subtract(a, multiply(LN2, [twos, 0])), -squarings);
  // e^r - 1, so that squaring does not round away what is small: (1 + s)^2 - 1 = 2s + s^2.
  let term = r;
  let small = r;
  for (let k = 2; k <= 11; k += 1) {
    term = divide(multiply(term, r), [k, 0]);
    small = add(small, term);
  }
  for (let k = 0; k < squarings; k += 1) small = add(scale(small, 1), multiply(small, small));
  return scale(add(small, ONE), twos);
}

function log(a) {
  if (!(a[0] > 0) || a[0] === Infinity) return [Math.log(a[0]), 0];
  // Newton's method on e^y = a, which doubles the digits.
  let y = [Math.log(a[0]), 0];
  for (let k = 0; k < 2; k += 1) y = add(y, subtract(multiply(a, exp(negate(y))), ONE));
  return y;
}

function log1p(a) {
  if (Math.abs(a[0]) > 0.1) return log(add(ONE, a));
  // 2 artanh(a / (2 + a)), whose series has the digits that 1 + a would round away.
  const t = divide(a, add([2, 0], a));
  const square = multiply(t, t);
  let power = t;
  let sum = t;
  for (let k = 3; k < 60; k += 2) {
    power = multiply(power, square);
    sum = add(sum, divide(power, [k, 0]));
  }
  return scale(sum, 1);
}

function expm1(a) {
  if (Math.abs(a[0]) > 0.35) return subtract(exp(a), ONE);
  let term = a;
  let sum = a;
  for (let k = 2; k <= 27; k += 1) {
    term = divide(multiply(term, a), [k, 0]);
    sum = add(sum, term);
  }
  return sum;
}

function tanh(a) {
  if (Math.abs(a[0]) > 40) return [Math.sign(a[0]), 0];
  const e = expm1(scale(a, 1));
  return divide(e, add(e, [2, 0]));
}

const less = (a, b) => a[0] < b[0] || (a[0] === b[0] && a[1] < b[1]);

function power(a, b) {
  if (!Number.isInteger(b[0]) || b[1] !== 0 || Math.abs(b[0]) > 64) return exp(multiply(b, log(a)));
  let result = ONE;
  for (let k = 0; k < Math.abs(b[0]); k += 1) result = multiply(result, a);
  return b[0] < 0 ? divide(ONE, result) : result;
}

// The error charged to an operation, besides that of its operands: relative, many times that of the
// least accurate function, and absolute, below any float64.
const UNIT = 2 ** -98;
const LEAST = 2 ** -1070;

const isZero = (a) => a[0] === 0 && a[2] === 0;
const within = ([high, low], brought, least = LEAST) => [high, low, brought + UNIT * Math.abs(high) + least];

// An operation whose error follows from those of its operands.
const following = (operation, brought) => (a, b) => {
  const result = operation(a, b);
  return within(result, brought(result, a, b));
};

// A number here is [high, low, error]: a sum of two float64, and a bound of how far that is off.
export const DOUBLED = {
  from: (x) => [x, 0, 0],
  value: (a) => a[0],
  rootOfPi: within(SQRT_PI, 0),
  "+": (a, b) => within(add(a, b), a[2] + b[2], 0),
  "-": (a, b) => within(subtract(a, b), a[2] + b[2], 0),
  "*": (a, b) =>
    isZero(a) || isZero(b)
      ? [a[0] * b[0], 0, 0]
      : within(multiply(a, b), Math.abs(a[0]) * b[2] + Math.abs(b[0]) * a[2] + a[2] * b[2]),
  "/": (a, b) => {
    const quotient = divide(a, b);
    if (isZero(a)) return [quotient[0], 0, 0];
    return within(quotient, (a[2] + Math.abs(quotient[0]) * b[2]) / Math.max(0, Math.abs(b[0]) - b[2]));
  },
  "**": (a, b) => {
    const result = power(a, b);
    if (isZero(a)) return [result[0], 0, 0];
    // The slope b a^(b-1) is largest at one end of where the base may lie.
    const ends = [Math.abs(a[0]) + a[2], Math.max(0, Math.abs(a[0]) - a[2])];
    const slope = Math.abs(b[0]) * Math.max(...ends.map((end) => end ** (b[0] - 1)));
    return within(result, a[2] ? slope * a[2] : 0);
  },
  neg: (a) => [-a[0], -a[1], a[2]],
  abs: (a) => (a[0] < 0 ? [-a[0], -a[1], a[2]] : a),
  exp: following(exp, ([result], a) => (a[2] ? result * Math.expm1(a[2]) : 0)),
  log: following(log, (_, a) => a[2] / Math.max(0, a[0] - a[2])),
  log1p: following(log1p, (_, a) => a[2] / Math.max(0, 1 + a[0] - a[2])),
  tanh: following(tanh, (_, a) => a[2]),
  // Its slope is -2/√π e^(-a²).
  erfc: following(doubledErfc, (_, a) => 1.2 * Math.exp(-(Math.max(0, Math.abs(a[0]) - a[2]) ** 2)) * a[2]),
  max: (a, b) => (less(a, b) ? b : a),
  largest: (a, b) => (less(a, b) ? b : a),
  min: (a, b) => (less(b, a) ? b : a),
  ">": (a, b) => [less(b, a) ? 1 : 0, 0, 0],
  "≥": (a, b) => [less(a, b) ? 0 : 1, 0, 0],
  sign: (a) => [Math.sign(a[0]), 0, 0],
  where: (truth, a, b) => (truth[0] !== 0 ? a : b),
};

// erfc by its series near 0 (DLMF 7.6.2), by its continued fraction far out (DLMF 7.9.1).
export function doubledErfc(x) {
  if (x[0] < 0) return subtract([2, 0], doubledErfc(negate(x)));
  if (x[0] > 27.3) return [0, 0];
  const square = multiply(x, x);
  const decay = exp(negate(square));
  if (x[0] < 2.5) {
    // erf = 2/√π e^(-x²) Σ 2^n x^(2n+1) / (2n+1)!!, all of whose terms are positive.
    let term = x;
    let sum = x;
    for (let n = 1; n < 90; n += 1) {
      term = divide(multiply(scale(term, 1), square), [2 * n + 1, 0]);
      sum = add(sum, term);
    }
    return subtract(ONE, divide(multiply(scale(decay, 1), sum), SQRT_PI));
  }
  let fraction = x;
  for (let k = 220; k > 0; k -= 1) fraction = add(x, divide([k / 2, 0], fraction));
  return divide(decay, multiply(fraction, SQRT_PI));
}
