// The relative error of the secant's slope for all steps: a V, where a difference is left to measure.

import { relativeError, stepSize } from "../../mathematics/difference.js";
import { short } from "../../mathematics/numbers.js";
import { named } from "../../model/people.js";
import { NUDGES } from "../../model/state.js";
import { element, set, svg } from "../../parts/dom.js";
import { picture } from "../../parts/picture.js";
import { axes, clipped, inside, legend, through } from "../../parts/plot.js";
import { logarithmic } from "../../parts/scales.js";
import { HEIGHT } from "./curve.js";
import { areNumbers, share } from "./measured.js";

// The room beside the smallest and the largest step, as a factor.
const ROOM = 2.5;

// The steps that can be chosen, those that the errors are drawn for, and the ends of that axis.
const [FIRST, LAST] = NUDGES;
const EXPONENTS = Array.from({ length: LAST - FIRST + 1 }, (_, k) => FIRST + k);
const FINE_STEPS = Array.from({ length: 4 * (LAST - FIRST) + 1 }, (_, k) => stepSize(FIRST + k / 4));
const STEPS = [stepSize(LAST) / ROOM, ROOM * stepSize(FIRST)];

// Relative errors that are drawn; one beyond is drawn at the edge.
const ERRORS = [1e-14, 1e3];

export function errors(store) {
  const axis = axes();
  const names = ["all", "bend", "rounding", "error"];
  const lines = Object.fromEntries(names.map((name) => [name, svg("path", { class: name })]));
  const dots = svg("g", { class: "dots" }, EXPONENTS.map(() => svg("circle", { class: "dot", r: 2.5 })));
  const here = svg("circle", { class: "mark here", r: 5.5 });
  const whole = svg("text", { class: "tick" }, "100 %: no digit is right");
  const within = clipped(...Object.values(lines));
  const range = element("input", {
    type: "range",
    min: -EXPONENTS.at(-1),
    max: -EXPONENTS[0],
    step: 1,
    "aria-label": "Step size h",
    "aria-describedby": "nudge-lesson",
    oninput: () => store.set({ nudge: -range.valueAsNumber }),
  });
  const frame = picture(HEIGHT, draw, axis.node, within.node, whole, dots, here);
  const empty = element("p", { class: "note", hidden: true }, "There is no relative error to draw: it takes finite losses, and an exact slope that is known and not 0.");
  const node = element(
    "figure",
    {},
    element("figcaption", {}, "Relative error of the secant, by step size h"),
    frame.node,
    empty,
    element("label", { class: "under" }, range),
    legend([["error", "error"], ["bend", "from the bend, ∝ h²"], ["rounding", "from rounding, u L / h"]]),
  );
  let seen = null;

  function draw(width, height) {
    if (!isMeasurable(seen)) return;
    const places = inside(width, height);
    const [x, y] = [logarithmic(STEPS, places.x), logarithmic(ERRORS, places.y)];
    axis.update(x, y, named(store.study, "h", store.state.parameter), "relative error (dimensionless)");
    within.update(x, y);
    const { slice, exact, h, bend, rounding } = seen;
    const at = ([step, error]) => [x(step), y(Math.min(Math.max(error, ERRORS[0]), ERRORS[1]))];
    const error = (step) => [step, relativeError(slice.central(step).slope, exact)];
    const marks = EXPONENTS.map((exponent) => at(error(stepSize(exponent))));
    set(lines.error, { d: through(FINE_STEPS.map((step) => at(error(step)))) });
    for (const [k, dot] of [...dots.children].entries()) set(dot, { cx: marks[k][0], cy: marks[k][1] });
    const [cx, cy] = at(error(h));
    set(here, { cx, cy });
    const straight = (of) => through(STEPS.map((step) => [x(step), y(of(step))]));
    set(lines.bend, { d: bend === null ? "" : straight((step) => bend * step * step) });
    set(lines.rounding, { d: straight((step) => rounding / step) });
    set(lines.all, { d: through(STEPS.map((step) => [x(step), y(1)])) });
    set(whole, { x: places.x[0] + 6, y: y(1) - 6 });
  }

  return {
    node,
    update(now) {
      seen = now;
      if (range.valueAsNumber !== -now.exponent) range.value = -now.exponent;
      const part = now.exact ? `With h = ${short(now.h)} it is ${share(relativeError(now.slope, now.exact))}.` : "";
      const what = "Relative error of the secant's slope against the step h, both in powers of ten.";
      set(empty, { hidden: isMeasurable(now) });
      set(frame.drawing, { hidden: !isMeasurable(now), "aria-label": `${what} ${part}` });
      set(range, { "aria-valuetext": `10 to the power of −${now.exponent}` });
      frame.redraw();
    },
  };
}

const isMeasurable = (seen) => areNumbers(seen) && Boolean(seen.exact);
