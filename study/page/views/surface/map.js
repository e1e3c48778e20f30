// The picture of the surface: contours, the training's path, the point, and the direction of the next update.

import { short } from "../../mathematics/numbers.js";
import { named } from "../../model/people.js";
import { path } from "../../model/point.js";
import { element, set, svg } from "../../parts/dom.js";
import { refined } from "../../parts/picture.js";
import { axes, clipped, inside, legend, through } from "../../parts/plot.js";
import { linear } from "../../parts/scales.js";
import { fieldOf, label, paint, theme } from "./field.js";

const HEIGHT = 400;

// The operations that a picture may take while something is dragged, and at rest.
const [QUICK, SLOW] = [80_000, 1_500_000];

// The smallest range of a parameter that is shown, and how far the map follows a training that runs away.
const [SPAN, REACH] = [4, 12];

// Pixels of the arrow: it shows a direction only.
const ARROW = 52;

// Half the width of its name.
const HALF = 44;

// Pixels of the square where the training ends; the point shows inside it.
const END = 19;

const LEGEND = [
  ["way", "the training"],
  ["mark start", "its start"],
  ["mark end square", "its end"],
  ["mark here", "you are here"],
  ["arrow", "next update"],
];

// `update` takes what the view has found at the point.
export function drawnMap(store) {
  const { study } = store;
  const canvas = element("canvas", { "aria-hidden": "true" });
  const [axis, line, start, end, here] = [
    axes(),
    svg("path", { class: "way" }),
    svg("circle", { class: "mark start", r: 4.5 }),
    svg("rect", { class: "mark end", width: END, height: END }),
    svg("circle", { class: "mark here", r: 6 }),
  ];
  const arrow = svg("path", { class: "arrow" });
  const name = svg("text", { class: "down", "text-anchor": "middle" }, "next update");
  const levels = svg("g", { class: "levels", "aria-hidden": "true" });
  const ground = svg("rect", { class: "ground" });
  const within = clipped(ground, line, start, levels, arrow, name, here, end);
  const frame = refined(HEIGHT, draw, axis.node, within.node);
  const empty = element("p", { class: "note", hidden: true }, "There is nothing to draw: this point is too far away for a picture.");
  frame.node.prepend(canvas);
  const node = element("div", { class: "map" }, frame.node, empty, legend(LEGEND));
  let [seen, window, grip, way] = [null, null, false, { of: null }];
  const symbols = () => seen.names.map((of) => study.quantity[of].symbol);
  const colours = theme(node, () => frame.redraw());

  function draw(width, height, isFine) {
    if (!isNear(seen)) return;
    const places = inside(width, height);
    const updates = path(study, seen.state);
    if (!grip || !window) window = windowAround(seen, updates, places);
    const [x, y] = [linear(window[0], places.x), linear(window[1], places.y)];
    axis.update(x, y, ...seen.names.map((of) => named(study, study.quantity[of].symbol, of)));
    within.update(x, y);
    const field = fieldOf(seen, x, y, isFine ? SLOW : QUICK);
    paint(canvas, field, x, y, colours);
    follow(updates, x, y);
    label(levels, field, x, y, mark(x, y));
    set(frame.drawing, { "aria-label": described(seen, symbols(), field) });
  }

  // Draw the path of the training; it is kept until the training or the scales change.
  function follow(updates, x, y) {
    const key = [...seen.names, ...x.domain, ...y.domain, ...x.range].join();
    if (way.of === updates && way.key === key) return;
    way = { of: updates, key };
    const [a, b] = seen.names;
    const at = (params) => [x(params[a]), y(params[b])];
    const epoch = study.samples.length;
    // Every update at first, where the path turns at each; later one point for each epoch.
    const kept = updates.filter((_, k) => k < 20 * epoch || k % epoch === 0);
    set(line, { d: through(kept.map(at)) });
    const [[x1, y1], [x2, y2]] = [at(updates[0]), at(updates.at(-1))];
    set(start, { cx: x1, cy: y1 });
    set(end, { x: x2 - END / 2, y: y2 - END / 2 });
  }

  // Draw the point and the arrow; returns the places that they occupy.
  function mark(x, y) {
    const [cx, cy] = [x(seen.at[0]), y(seen.at[1])];
    set(here, { cx, cy });
    // Both axes have one scale, so that directions are true.
    const moved = seen.names.map((of) => seen.next?.moved[of] ?? 0);
    const size = Math.hypot(...moved);
    const isArrow = Number.isFinite(size) && size > 0;
    set(arrow, { visibility: isArrow ? null : "hidden" });
    set(name, { visibility: isArrow ? null : "hidden" });
    if (!isArrow) return [[cx, cy]];
    const [dx, dy] = [moved[0] / size, -moved[1] / size];
    const to = (along, beside) =>
      `${(cx + dx * along - dy * beside).toFixed(1)} ${(cy + dy * along + dx * beside).toFixed(1)}`;
    set(arrow, { d: `M${to(0, 0)}L${to(ARROW, 0)}M${to(ARROW - 9, -5)}L${to(ARROW, 0)}L${to(ARROW - 9, 5)}` });
    // The label stays in the picture even where the arrow leaves it.
    const within = (at, ends, half) => Math.min(Math.max(at, Math.min(...ends) + half), Math.max(...ends) - half);
    const tip = [within(cx + dx * (ARROW + HALF), x.range, HALF), within(cy + dy * (ARROW + 14), y.range, 14) + 4];
    set(name, { x: tip[0], y: tip[1] });
    return [[cx, cy], tip];
  }

  // Move the point to the pointer.
  function move(event) {
    const box = frame.drawing.getBoundingClientRect();
    const places = inside(box.width, HEIGHT);
    const at = [
      linear(window[0], places.x).invert(event.clientX - box.left),
      linear(window[1], places.y).invert(event.clientY - box.top),
    ];
    const [a, b] = seen.names;
    const rounded = at.map((value, k) => Math.round(Math.min(Math.max(value, window[k][0]), window[k][1]) * 100) / 100);
    store.set({ edits: { ...store.state.edits, [a]: rounded[0], [b]: rounded[1] } });
  }

  set(ground, {
    onpointerdown: (event) => {
      if (event.button !== 0) return;
      grip = event.pointerType !== "touch"; // a finger that moves scrolls the page
      if (grip) ground.setPointerCapture(event.pointerId);
      if (grip) move(event);
    },
    onpointermove: (event) => grip && move(event),
    onpointerup: () => release(),
    onpointercancel: () => release(),
    onclick: (event) => event.pointerType === "touch" && move(event),
  });

  function release() {
    grip = false;
    frame.redraw();
  }

  return {
    node,
    update(now) {
      seen = now;
      set(empty, { hidden: isNear(seen) });
      set(frame.drawing, { visibility: isNear(seen) ? null : "hidden" });
      canvas.hidden = !isNear(seen);
      if (!frame.isSeen()) set(frame.drawing, { "aria-label": described(seen, symbols()) });
      frame.redraw();
    },
  };
}

// Whether a window around the point is finite: twice a larger number overflows.
const isNear = ({ at }) => at.every((value) => Number.isFinite(2 * value));

// Around the point and the training, in one scale for both axes.
function windowAround({ names, at }, updates, places) {
  const boxes = names.map((name, k) => {
    let [low, high] = [at[k], at[k]];
    for (const params of updates) {
      low = Math.min(low, Math.max(params[name], at[k] - REACH));
      high = Math.max(high, Math.min(params[name], at[k] + REACH));
    }
    const span = Math.max(SPAN, Math.abs(at[k]) / 4, (high - low) * 1.25);
    // In steps of one half, so that it stays while the point moves a little.
    return [Math.round(low + high) / 2, span];
  });
  const sizes = [places.x[1] - places.x[0], places.y[0] - places.y[1]];
  const scale = Math.max(...boxes.map(([, span], k) => span / sizes[k]));
  return boxes.map(([middle], k) => [middle - (scale * sizes[k]) / 2, middle + (scale * sizes[k]) / 2]);
}

function described({ at, loss, samples }, [x, y], field = null) {
  const what = samples.length > 1 ? `Mean loss of ${samples.length} samples` : "Loss";
  const here =
    `${what} over ${x} across and ${y} up, as contours. ` +
    `At ${x} = ${short(at[0])}, ${y} = ${short(at[1])} it is ${short(loss)}.`;
  const { low, best } = field ?? {};
  if (!Number.isFinite(low)) return here;
  return `${here} The lowest in the picture is ${short(low)}, near ${x} = ${short(best[0], 2)}, ${y} = ${short(best[1], 2)}.`;
}
