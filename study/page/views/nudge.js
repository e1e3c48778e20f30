// One parameter is nudged: the loss along it, its tangent, and the secant that a small step draws.

import { Slice, relativeError, stepSize } from "../mathematics/difference.js";
import { element, say, set, svg } from "../parts/dom.js";
import { UNIT, against, cut, raised, short, signed, ulp, written } from "../mathematics/numbers.js";
import { edited } from "../model/store.js";
import { choice } from "../parts/controls.js";
import { axes, clipped, inside, legend, linear, logarithmic, picture, through } from "../parts/plot.js";

const HEIGHT = 270;

// The slice shows so much of the parameter to both sides.
const HALF = 4;

// Above the highest point of a curve so much of its height stays free.
const HEADROOM = 0.05;

// Points of a curve; on a close look a stair may have so many steps.
const POINTS = 240;

// The steps that can be chosen, those that the errors are drawn for, and the ends of that axis.
const EXPONENTS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
const FINE_STEPS = Array.from({ length: 45 }, (_, k) => stepSize(1 + k / 4));
const STEPS = [4e-13, 0.25];

// Relative errors that are drawn; one beyond is drawn at the edge.
const ERRORS = [1e-14, 1e3];

export function nudge(place, store) {
  const { study } = store;
  const slices = {};
  for (const [form, program] of Object.entries(study.programs)) slices[form] = new Slice(study, program);
  const pick = element(
    "select",
    { onchange: () => store.set({ parameter: pick.value }) },
    study.parameters.map((name) => element("option", { value: name }, study.quantity[name].symbol)),
  );
  const look = choice(store, "close", "Look", [[false, "wide"], [true, "close, ±3 h"]]);
  const says = element("p", { class: "lesson", id: "nudge-lesson" });
  const parts = [curve(store), errors(store), numbers()];
  place.append(
    element("p", { class: "note" }, "A derivative can be measured: move one parameter a little to both sides, and divide the change of L by the change of the parameter. How small a step is best?"),
    element("div", { class: "bar" }, element("label", {}, "Parameter ", pick), look.node),
    element("div", { class: "pair" }, parts[0].node, parts[1].node),
    says,
    parts[2].node,
    element("p", { class: "note why" }, "Why a V, where a difference is left to measure: a large step also measures how the curve bends, an error that shrinks with h². A small step subtracts two losses that are almost equal. What is left of them is their rounding, about u = 2⁻⁵³ of L, divided by h: an error that grows as h shrinks."),
  );

  return (state, point, changed) => {
    if (![...changed].some((key) => SHOWN.has(key))) return;
    const seen = measured(study, slices[state.form], state, point);
    if (document.activeElement !== pick) pick.value = state.parameter;
    look.update(state);
    say(says, lesson(seen));
    for (const part of parts) part.update(seen, state, changed);
  };
}

// What the numbers here depend on.
const SHOWN = new Set([
  ...["sample", "seed", "edits", "form", "eta", "epoch", "order", "mistake"],
  ...["parameter", "nudge", "close"],
]);

// All that the view shows of a point and a step.
function measured(study, slice, state, point) {
  const name = state.parameter;
  const gradient = study.gradients[name];
  const value = point.given[name];
  slice.hold(point.given, name);
  const h = stepSize(state.nudge);
  const text = point.exact(gradient);
  const exact = text === null ? null : Number(text);
  const loss = slice.at(value);
  return {
    slice,
    name,
    whose: point.sample.name,
    symbol: study.quantity[name].symbol,
    value,
    loss,
    exponent: state.nudge,
    h,
    ...slice.central(h),
    text,
    exact,
    // c in c·h² and in c/h: what the bend and the rounding add to the relative error.
    bend: exact ? slice.bend(exact) : null,
    rounding: exact ? (UNIT * Math.abs(loss)) / Math.abs(exact) : null,
    sides: { by_hand: point.by_hand[gradient], autodiff: point.autodiff[gradient] },
    ulps: { by_hand: point.ulps.by_hand[gradient], autodiff: point.ulps.autodiff[gradient] },
    certified: point.certified,
  };
}

const isFinite = (seen) => [seen.value, seen.loss, seen.above, seen.below, seen.slope].every(Number.isFinite);

// What this step teaches, in plain words.
function lesson(seen) {
  const { symbol, exact, slope, exponent, value } = seen;
  const step = `h = 10${raised(-exponent)}`;
  if (!isFinite(seen)) return `At ${symbol} = ${short(value)} the loss is no finite number: there is no slope to measure.`;
  if (!seen.isMoved) return `${symbol} is so large that with ${step} ${symbol} + h is the same float64 as ${symbol}: nothing was moved.`;
  if (exact === null && seen.slice.isBent()) {
    return `At this point the curve has a kink: its slopes to the left and to the right differ, so there is no one derivative. The secant has slope ${signed(slope)}.`;
  }
  if (exact === null) return `The exact slope is too small to be known here. The secant's slope is ${signed(slope)}.`;
  if (exact === 0) return `The exact slope is 0. The secant's slope is ${signed(slope)}.`;
  if (slope === 0) {
    return `With ${step} the two losses are the same float64: nothing is left of the difference, and the secant's slope is 0. The exact slope stays ${signed(exact, 4)}.`;
  }
  const error = relativeError(slope, exact);
  if (error >= 1) return `With ${step} the secant's slope says nothing: its error is ${share(error)} of the exact slope.`;
  const right = `With ${step} the secant's slope has an error of ${share(error)}`;
  const best = bestStep(seen);
  if (seen.h > 5 * best) return `${right}: within so large a step the curve bends. A smaller step is better.`;
  if (seen.h < best / 5) return `${right}: the two losses share so many digits that few are left in their difference. A larger step is better.`;
  return `${right}: about the best that a difference can do here. A smaller step loses digits, and within a larger one the curve bends.`;
}

// Where both errors are equal, c·h² = u·L / (h |slope|); infinite where the curve does not bend.
const bestStep = ({ bend, rounding }) => (bend === null ? Infinity : Math.cbrt(rounding / bend));

// A part of a whole, in percent as long as that can be read.
const share = (part) => (part < 1e-3 || part >= 100 ? short(part, 2) : `${short(100 * part, 3)} %`);

// The loss along the parameter, with tangent and secant.
function curve(store) {
  const axis = axes();
  const [line, tangent, secant] = ["curve", "tangent", "secant"].map((name) => svg("path", { class: name }));
  const ends = [0, 1].map(() => svg("circle", { class: "mark end", r: 4 }));
  const here = svg("circle", { class: "mark here", r: 5.5 });
  const within = clipped(line, tangent, secant);
  const move = () => edited(store, store.state.parameter, range.valueAsNumber);
  const range = element("input", { type: "range", step: 0.01, oninput: move });
  const empty = element("p", { class: "note", hidden: true }, "There is no curve to draw: the loss is no finite number here, or the same everywhere.");
  let [seen, isClose, window] = [null, false, null];

  const frame = picture(HEIGHT, draw, axis.node, within.node, ...ends, here);
  const node = element(
    "figure",
    {},
    element("figcaption", {}, "L along the parameter, all else held"),
    frame.node,
    empty,
    element("div", { class: "under" }, range),
    legend([["curve", "L"], ["tangent", "tangent, exact slope"], ["secant", "slope measured between w − h and w + h (secant)"]]),
  );

  function draw(width, height) {
    const points = (isClose ? closeLook : wideLook)(seen, window);
    set(empty, { hidden: Boolean(points) });
    // Not its frame, which tells when it is in view.
    set(frame.drawing, { hidden: !points });
    if (!points) return;
    const places = inside(width, height, points.left);
    const [x, y] = [linear(points.across, places.x), linear(points.up, places.y)];
    axis.update(x, y, points.names[0], points.names[1]);
    within.update(x, y);
    const { origin: [w, loss], ends: chord } = points;
    const at = ([a, b]) => [x(a), y(b)];
    const straight = (slope) => through(points.across.map((value) => at([value, loss + slope * (value - w)])));
    set(line, { d: through(points.curve.map(at)) });
    set(tangent, { d: seen.exact === null ? "" : straight(seen.exact) });
    // The secant passes through its two ends; the tangent through the point itself.
    const middle = (chord[0][1] + chord[1][1]) / 2;
    set(secant, { d: through(points.across.map((value) => at([value, middle + seen.slope * (value - w)]))) });
    for (const [k, end] of ends.entries()) set(end, { cx: x(chord[k][0]), cy: y(chord[k][1]) });
    set(here, { cx: x(w), cy: y(loss) });
  }

  return {
    node,
    update(now, state, changed) {
      seen = now;
      isClose = state.close;
      const isOther = ["parameter", "sample", "seed", "epoch"].some((key) => changed.has(key));
      window = windowAt(now.value, isOther ? null : window);
      const [min, max] = window;
      set(range, { min, max, "aria-label": `${now.symbol}, from ${short(min)} to ${short(max)}`, hidden: isClose });
      if (range.valueAsNumber !== now.value) range.value = now.value;
      set(frame.drawing, { "aria-label": described(now) });
      frame.redraw();
    },
  };
}

const described = ({ whose, symbol, value, loss, exact, slope, h }) =>
  `L of ${whose} along ${symbol}. At ${symbol} = ${short(value)} it is ${short(loss)}; ` +
  `${exact === null ? "there is no tangent" : `the tangent has slope ${signed(exact)}`}, ` +
  `the secant with h = ${short(h)} has ${signed(slope)}.`;

// What the slice shows: it stays where it is while the parameter is within.
function windowAt(value, before) {
  if (!Number.isFinite(value)) return before ?? [-HALF, HALF];
  if (before && value >= before[0] && value <= before[1]) return before;
  const half = Math.max(HALF, Math.abs(value) / 4);
  const middle = Math.round(value);
  return [middle - half, middle + half];
}

function sampled(loss, [low, high]) {
  return Array.from({ length: POINTS + 1 }, (_, k) => {
    const at = low + ((high - low) * k) / POINTS;
    return [at, loss(at)];
  });
}

function wideLook(seen, window) {
  if (!isFinite(seen)) return null;
  const { slice, value, loss, h, above, below, symbol } = seen;
  const found = sampled((at) => slice.at(at), window);
  const heights = found.map(([, height]) => height).filter(Number.isFinite);
  const [low, high] = [Math.min(0, ...heights), Math.max(...heights, loss)];
  if (!(high > low) || !Number.isFinite(high - low)) return null;
  return {
    curve: found,
    across: window,
    up: [low, roundUp(high + (high - low) * HEADROOM)],
    origin: [value, loss],
    ends: [[value - h, below], [value + h, above]],
    names: [symbol, "L"],
  };
}

// Within three steps of the parameter, as float64 has it: offsets from the point.
function closeLook(seen) {
  if (!isFinite(seen)) return null;
  const { slice, value, loss, h, above, below, exact, symbol } = seen;
  // Where the parameter really is, once value + offset is rounded.
  const found = sampled((offset) => slice.at(value + offset) - loss, [-3 * h, 3 * h]);
  const heights = found.map(([, height]) => Math.abs(height)).filter(Number.isFinite);
  const most = Math.max(...heights, Math.abs(3 * h * (exact ?? 0)), 2 * ulp(loss));
  if (!(most > 1e-300)) return null; // no axis has ticks as close as that
  return {
    curve: found,
    across: [-3 * h, 3 * h],
    up: [-roundUp(most), roundUp(most)],
    origin: [0, 0],
    ends: [[-h, below - loss], [h, above - loss]],
    names: [`distance from ${symbol}`, "change of L"],
    left: 76,
  };
}

// To two digits, so that the axis keeps still while a number changes a little.
function roundUp(value) {
  const step = 10 ** (Math.floor(Math.log10(value)) - 1);
  return Math.ceil(value / step) * step;
}

// The relative error of the secant's slope for all steps.
function errors(store) {
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
  const empty = element("p", { class: "note", hidden: true }, "There is no relative error to draw: the exact slope is 0, or there is no one slope.");
  const node = element(
    "figure",
    {},
    element("figcaption", {}, "Relative error of the secant's slope, by step size h"),
    frame.node,
    empty,
    element("label", { class: "under" }, range),
    legend([["error", "error"], ["bend", "from the bend, ∝ h²"], ["rounding", "from rounding, u L / h"]]),
  );
  let seen = null;

  function draw(width, height) {
    const isMeasurable = isFinite(seen) && Boolean(seen.exact);
    set(empty, { hidden: isMeasurable });
    set(frame.drawing, { hidden: !isMeasurable });
    if (!isMeasurable) return;
    const places = inside(width, height);
    const [x, y] = [logarithmic(STEPS, places.x), logarithmic(ERRORS, places.y)];
    axis.update(x, y, "h", "error");
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
      set(frame.drawing, { "aria-label": `${what} ${part}` });
      set(range, { "aria-valuetext": `10 to the power of −${now.exponent}` });
      frame.redraw();
    },
  };
}

// Both losses digit under digit, and the slope that they give, beside the slopes that they should.
function numbers() {
  const losses = table("The two losses", ["above", "below", "difference"]);
  const slopes = table("The slope", ["secant", "by_hand", "autodiff", "exact"]);
  const node = element("div", { class: "tables" }, losses.node, slopes.node);
  function update(seen) {
    const { symbol, above, below, exact, text } = seen;
    const same = shared(above, below);
    losses.show("above", `L(${symbol} + h)`, same[0]);
    losses.show("below", `L(${symbol} − h)`, same[1]);
    const difference = above - below;
    const part = difference === 0 ? "right" : "differs";
    losses.show("difference", "difference", { [part]: Number.isFinite(difference) ? signed(difference, 4) : "–" });
    const ulps = exact === null ? null : Math.abs(seen.slope - exact) / ulp(exact);
    slope("secant", `secant, h = 10${raised(-seen.exponent)}`, seen.slope, ulps);
    slope("by_hand", "by hand", seen.sides.by_hand, seen.ulps.by_hand);
    slope("autodiff", "autodiff", seen.sides.autodiff, seen.ulps.autodiff);
    const right = text === null ? "no one value" : written(cut(text, 17));
    slopes.show("exact", "exact", { right }, seen.certified ? "certified" : "106 bits");

    function slope(key, name, value, distance) {
      if (!Number.isFinite(value)) return slopes.show(key, name, { right: "no finite number" });
      const error = exact ? `error ${share(relativeError(value, exact))}` : "";
      slopes.show(key, name, against(value, text, distance), error);
    }
  }
  return { node, update };
}

// Rows of a name, a number in parts that look different, and a note.
const PARTS = ["right", "differs", "lost", "rest"];

function table(caption, keys) {
  const rows = Object.fromEntries(keys.map((key) => [key, row(key)]));
  return {
    node: element(
      "table",
      { class: "witnesses" },
      element("caption", {}, caption),
      element("tbody", {}, Object.values(rows).map((of) => of.node)),
    ),
    show(key, name, parts, note = "") {
      const of = rows[key];
      say(of.name, name);
      for (const part of PARTS) say(of[part], parts[part] ?? "");
      say(of.note, note);
    },
  };
}

function row(key) {
  const name = element("th", { scope: "row" });
  const span = (part) => element(part === "lost" ? "del" : "span", { class: part });
  const parts = Object.fromEntries(PARTS.map((part) => [part, span(part)]));
  const note = element("td", { class: "ulps" });
  const value = element("td", { class: "value" }, Object.values(parts));
  return { name, ...parts, note, node: element("tr", { "data-row": key }, name, value, note) };
}

// Two numbers in as many digits as a float64 may need: what both have in front, and the rest.
function shared(...values) {
  if (!values.every(Number.isFinite)) return values.map(() => ({ right: "no finite number" }));
  const texts = values.map((value) => written(value.toPrecision(17)));
  let same = 0;
  while (same < texts[0].length && texts[0][same] === texts[1][same]) same += 1;
  return texts.map((text) => ({ right: text.slice(0, same), differs: text.slice(same) }));
}
