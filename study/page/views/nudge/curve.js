// The loss along one parameter, with its tangent and the secant that a step draws.

import { short, signed, ulp } from "../../mathematics/numbers.js";
import { named } from "../../model/people.js";
import { edited } from "../../model/store.js";
import { element, set, svg } from "../../parts/dom.js";
import { picture } from "../../parts/picture.js";
import { axes, clipped, inside, legend, through } from "../../parts/plot.js";
import { linear } from "../../parts/scales.js";
import { areNumbers } from "./measured.js";

// Of this picture and of the one beside it.
export const HEIGHT = 270;

// How far the slice extends to both sides of the parameter.
const HALF = 4;

// The part of its height that stays free above a curve.
const HEADROOM = 0.05;

// Points of a curve, and so the most steps that a magnified one can show.
const POINTS = 240;

export function curve(store) {
  const axis = axes();
  const [line, tangent, secant] = ["curve", "tangent", "secant"].map((name) => svg("path", { class: name }));
  const ends = [0, 1].map(() => svg("circle", { class: "mark end", r: 4 }));
  const here = svg("circle", { class: "mark here", r: 5.5 });
  const within = clipped(line, tangent, secant);
  const move = () => edited(store, store.state.parameter, range.valueAsNumber);
  const range = element("input", { type: "range", step: 0.01, oninput: move });
  const empty = element("p", { class: "note", hidden: true }, "There is no curve to draw: the loss is no finite number here, or the same everywhere.");
  let [seen, points, window] = [null, null, null];

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
    if (!points) return;
    const places = inside(width, height, points.left);
    const [x, y] = [linear(points.across, places.x), linear(points.up, places.y)];
    const { study } = store;
    const names = [store.state.parameter, study.loss];
    axis.update(x, y, ...points.names.map((text, k) => named(study, text, names[k])));
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
      const isOther = ["parameter", "sample", "seed", "epoch"].some((key) => changed.has(key));
      window = windowAt(now.value, isOther ? null : window);
      const [min, max] = window;
      set(range, { min, max, "aria-label": `${now.symbol}, from ${short(min)} to ${short(max)}`, hidden: state.close });
      if (range.valueAsNumber !== now.value) range.value = now.value;
      points = (state.close ? closeLook : wideLook)(now, window);
      set(empty, { hidden: Boolean(points) });
      // Not its frame, which observes whether it is in view.
      set(frame.drawing, { hidden: !points, "aria-label": described(now) });
      frame.redraw();
    },
  };
}

const described = ({ whose, symbol, value, loss, exact, slope, h }) =>
  `L of ${whose} along ${symbol}. At ${symbol} = ${short(value)} it is ${short(loss)}; ` +
  `${exact === null ? "there is no tangent" : `the tangent has slope ${signed(exact)}`}, ` +
  `the secant with h = ${short(h)} has ${signed(slope)}.`;

// The range of the slice, which stays the same while the parameter is inside.
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
  if (!areNumbers(seen)) return null;
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

// Within three steps of the parameter, in float64, as offsets from the point.
function closeLook(seen) {
  if (!areNumbers(seen)) return null;
  const { slice, value, loss, h, above, below, exact, symbol } = seen;
  // The loss is taken where the parameter is after value + offset has been rounded.
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

// To two digits, so that the axis does not move when a number changes a little.
function roundUp(value) {
  const step = 10 ** (Math.floor(Math.log10(value)) - 1);
  return Math.ceil(value / step) * step;
}
