// Format numbers: as Python does, and compared with the exact one, digit by digit.

// Format to six digits, or to fifteen if six would look exact, as compare/recording/formula.py does.
export function plain(value) {
  const text = general(value, 6);
  const shown = text.replace(/e.*/, "").replace(/\D/g, "").replace(/^0+/, "");
  const looksRound = shown.length <= 2;
  return looksRound && Number(text) !== value ? general(value, 15) : text;
}

// As Python's format "g": so many significant digits, without zeros at the end.
export function general(value, digits) {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "not a number" : value > 0 ? "∞" : "-∞";
  if (value === 0) return "0";
  const [mantissa, exponent] = toEven(value, digits).split("e");
  const power = Number(exponent);
  if (power < -4 || power >= digits) {
    const size = String(Math.abs(power)).padStart(2, "0");
    return `${trimmed(mantissa)}e${power < 0 ? "-" : "+"}${size}`;
  }
  return trimmed(placed(value < 0, mantissa.replace(/[-.]/g, ""), power));
}

// Rounded to so many digits, ties to even, as Python does.
function toEven(value, digits) {
  const up = value.toExponential(digits - 1);
  const [longer] = value.toExponential(digits).split("e");
  if (!longer.endsWith("5")) return up;
  // All digits of the float64, which show whether it is a tie.
  const [all, exponent] = value.toExponential(100).split("e");
  const down = longer.slice(0, -1);
  const isEven = "02468".includes(down.match(/\d/g).at(-1));
  return isEven && Number(all.slice(longer.length)) === 0 ? `${down.replace(/\.$/, "")}e${exponent}` : up;
}

const trimmed = (text) => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);

// Mantissa and exponent, if there is one; Python's decimals have E, and so have words like "number".
export const powered = (text) => (/\d$/.test(text) ? text.split(/e/i) : [text]);

// With a real minus sign, and 10 to a power instead of e.
export function written(text) {
  if (!/\d/.test(text)) return text.replace("-", "−"); // words, and ∞
  const [mantissa, exponent] = powered(text);
  const signed = mantissa.replace("-", "−");
  return exponent === undefined ? signed : `${signed}·10${raised(Number(exponent))}`;
}

export const raised = (power) => String(power).replace(/./g, (c) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[c] ?? "⁻");

// A formula in plain signs with real minus signs; a hyphen within a word stays one.
export const inSigns = (text) => text.replace(/(?<![A-Za-z])-/g, "−");

export const short = (value, digits = 4) => written(general(value, digits));

// Always with a sign, so that it does not depend on colour alone.
export function signed(value, digits = 3) {
  return value > 0 ? `+${short(value, digits)}` : short(value, digits);
}

// The most digits of an exact number.
const MOST = 25;

// A pair of float64 whose sum is the number, in decimal digits: as many as its error leaves certain.
export function decimal([high, low, error = 0]) {
  const digits = error > 0 ? Math.min(MOST, Math.floor(Math.log10(Math.abs(high) / error))) : MOST;
  if (!Number.isFinite(high) || !Number.isFinite(low) || !(digits > 0)) return null;
  if (high === 0) return "0";
  const [a, b] = [fraction(high), fraction(low)];
  const bits = Math.max(a.bits, b.bits);
  const sum = (a.whole << BigInt(bits - a.bits)) + (b.whole << BigInt(bits - b.bits));
  const size = sum < 0n ? -sum : sum;
  let power = Math.floor(Math.log10(Math.abs(high)));
  let whole = rounded(size, bits, digits - 1 - power);
  if (whole < 10n ** BigInt(digits - 1)) whole = rounded(size, bits, digits - 1 - --power);
  if (whole >= 10n ** BigInt(digits)) whole = rounded(size, bits, digits - 1 - ++power);
  return placed(sum < 0n, String(whole), power);
}

// A float64 as whole / 2^bits.
function fraction(value) {
  let [whole, bits] = [value, 0];
  while (!Number.isInteger(whole)) {
    whole *= 2;
    bits += 1;
  }
  return { whole: BigInt(whole), bits };
}

// size / 2^bits * 10^power, to the nearest whole number.
function rounded(size, bits, power) {
  const [up, down] = power < 0 ? [size, 10n ** BigInt(-power)] : [size * 10n ** BigInt(power), 1n];
  const divisor = down << BigInt(bits);
  return (up + divisor / 2n) / divisor;
}

// Digits d1 d2 d3 ... meaning d1.d2d3 · 10^power.
function placed(negative, digits, power) {
  const sign = negative ? "-" : "";
  const fraction = digits.length > 1 ? `.${digits.slice(1)}` : "";
  if (power < -5 || power > 16) return `${sign}${digits[0]}${fraction}e${power}`;
  if (power < 0) return `${sign}0.${"0".repeat(-power - 1)}${digits}`;
  const whole = digits.slice(0, power + 1).padEnd(power + 1, "0");
  const rest = digits.slice(power + 1);
  return rest ? `${sign}${whole}.${rest}` : `${sign}${whole}`;
}

// Sign, digits from the first that is not 0, and the power of ten of that one.
function parts(text) {
  const [mantissa, exponent = "0"] = text.replace(/^-/, "").split(/e/i);
  const [whole, rest = ""] = mantissa.split(".");
  const all = whole + rest;
  const zeros = all.match(/^0*/)[0].length;
  return {
    negative: text.startsWith("-"),
    digits: all.slice(zeros),
    power: Number(exponent) + whole.length - 1 - zeros,
  };
}

// Decimal digits cut to `count` of them, rounded.
export function cut(text, count) {
  if (text === null) return null;
  const { negative, digits, power } = parts(text);
  if (!digits) return "0";
  if (digits.length <= count) return text;
  const up = digits[count] >= "5" ? 1n : 0n;
  const whole = String(BigInt(digits.slice(0, count)) + up);
  return placed(negative, whole.slice(0, count), power + whole.length - count);
}

// A number as it is shown, in parts: all its digits are right, and the rest is a power of ten.
export function parted(text) {
  const shown = written(text);
  const end = shown.includes("·") ? shown.indexOf("·") : shown.length;
  return { right: shown.slice(0, end), lost: "", rest: shown.slice(end) };
}

// The shortest digits that identify a float64.
export const shortest = (value) => written(placedFloat(value));

// A float64 against the exact number: the digits that are right, those that are lost, and the rest.
//
// As few digits as tell the float64 from its neighbours. Right are those that the exact number has
// as well, and those that the relative error leaves, if it is only a carry that makes them differ:
// 0.2999 is right to three digits where 0.3001 is exact. Of one that is right to as many digits as a
// float64 keeps of any number none is lost: the rest is rounding.
export function against(value, exact, ulps) {
  const text = placedFloat(value);
  const { right: shown, rest } = parted(text);
  if (exact === null || ulps === null) return { right: shown, lost: "", rest, isKept: exact !== null };
  if (value === 0 && ulps > 0) return { right: "", lost: shown, rest, isKept: false };
  const same = Math.max(common(parts(text), parts(exact)), left(ulps, Number(exact)));
  const at = same >= KEPT ? shown.length : position(shown, same);
  return { right: shown.slice(0, at), lost: shown.slice(at), rest, isKept: same >= KEPT };
}

// Decimal digits that a float64 keeps of any number.
const KEPT = 15;

function common(mine, truth) {
  if (mine.negative !== truth.negative || mine.power !== truth.power) return 0;
  let same = 0;
  while (same < mine.digits.length && mine.digits[same] === (truth.digits[same] ?? "0")) same += 1;
  return same;
}

// Digits that an error leaves.
function left(ulps, exact) {
  const error = (ulps * ulp(exact)) / Math.abs(exact);
  return error > 0 ? Math.max(0, Math.floor(-Math.log10(error))) : ulps === 0 ? Infinity : 0;
}

function placedFloat(value) {
  if (!Number.isFinite(value)) return general(value, 17);
  const { negative, digits, power } = parts(value.toExponential());
  return digits ? placed(negative, digits, power) : "0";
}

// The index in a written number after so many significant digits.
function position(text, count) {
  let [seen, started] = [0, false];
  for (let at = 0; at < text.length; at += 1) {
    if (!/\d/.test(text[at])) continue;
    started ||= text[at] !== "0";
    if (started && (seen += 1) > count) return at;
  }
  return text.length;
}

// Half the distance from 1 to the next float64: the largest relative error of one rounding.
export const UNIT = 2 ** -53;

export function ulp(value) {
  const size = Math.abs(value);
  if (size < 2 ** -1022) return 2 ** -1074;
  const exponent = Math.floor(Math.log2(size));
  const power = 2 ** exponent > size ? exponent - 1 : 2 ** (exponent + 1) <= size ? exponent + 1 : exponent;
  return 2 ** (power - 52);
}

// |value - exact| in ulps of the exact number, which is a pair; null where that is not known so well.
export function distance(value, [high, low, error = 0]) {
  if (!Number.isFinite(high) || !Number.isFinite(low) || error > ulp(high) / 2) return null;
  return Math.abs(value - high - low) / ulp(high);
}

// A distance as it is read: 0, 2, 1.9·10¹².
export function inUlps(ulps) {
  if (ulps === null || ulps === undefined) return "–";
  if (!Number.isFinite(ulps)) return general(ulps, 2);
  return ulps < 1000 ? String(Math.round(ulps)) : written(ulps.toExponential(1));
}
