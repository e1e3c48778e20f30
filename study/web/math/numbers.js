// Numbers as they are read: a real minus sign, and 10 to a power where there would be many zeros.

export const raised = (power) => String(power).replace(/./g, (c) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[c] ?? "⁻");

// All digits, as they are.
export const written = (text) => text.replace(/e([+-]?)0*(\d+)/, (_, sign, power) => `·10${raised(sign === "-" ? -power : power)}`).replace(/-/, "−");

// So many significant digits.
export function short(value, digits = 3) {
  if (value === 0 || !Number.isFinite(value)) return String(value).replace("-", "−");
  const [mantissa, power] = value.toExponential(digits - 1).split("e").map(Number);
  const text = power < -4 || power > 6 ? `${mantissa}·10${raised(power)}` : power >= digits ? String(Number(value.toPrecision(digits))) : value.toPrecision(digits);
  return text.replace("-", "−");
}

// So many decimals, for what moves while it is read: the width stays.
export const fixed = (value, decimals = 3) => (Math.abs(value) < 0.5 / 10 ** decimals ? 0 : value).toFixed(decimals).replace("-", "−");

// With a sign always, so that it does not depend on colour alone.
export const signed = (value, decimals = 3) => (fixed(value, decimals).startsWith("−") ? "" : "+") + fixed(value, decimals);
