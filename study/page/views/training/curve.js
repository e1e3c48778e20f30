// The mean loss after each epoch, as a curve.

import { short } from "../../mathematics/numbers.js";
import { named } from "../../model/people.js";
import { EPOCHS } from "../../model/state.js";
import { element, say, set, svg } from "../../parts/dom.js";
import { picture } from "../../parts/picture.js";
import { axes, clipped, inside, through } from "../../parts/plot.js";
import { linear } from "../../parts/scales.js";
import { counted } from "../../parts/words.js";

const HEIGHT = 230;

// Losses beyond this multiple of the first one are cut off.
const MOST = 4;

// Pointing at the curve reads it, and dragging along it goes to an epoch.
//
//   go   what to do with the epoch that a reader chooses
export function curve(store, go) {
  const { study } = store;
  const frame = axes();
  const line = svg("path", { class: "curve" });
  const within = clipped(line);
  const [here, pointed] = [marker("here"), marker("pointed")];
  const shown = picture(HEIGHT, draw, frame.node, within.node, pointed.node, here.node);
  const reading = element("p", { class: "note reading" });
  const node = element(
    "figure",
    { class: "curve-of-losses" },
    element("figcaption", {}, "Mean loss after each epoch"),
    shown.node,
    reading,
  );
  let now = null;
  let scales = null;
  let drawn = null;
  let hovered = null;

  function draw(width, height) {
    const { of, epoch, loss } = now;
    if (drawn?.of !== of || drawn.width !== width) {
      const places = inside(width, height);
      scales = { x: linear([0, EPOCHS], places.x), y: linear([0, top(of.means, MOST)], places.y) };
      frame.update(scales.x, scales.y, "epochs", named(study, "mean loss", study.loss));
      within.update(scales.x, scales.y);
      set(line, { d: through(of.means.map((value, k) => [scales.x(k), scales.y(value)])) });
      drawn = { of, width };
    }
    here.put(scales, epoch, loss);
    point();
  }

  // The epoch that is pointed at, on the curve and in words.
  function point() {
    const { of } = now;
    const epoch = hovered === null ? null : Math.min(hovered, of.epochs);
    if (scales) pointed.put(scales, epoch, epoch === null ? null : of.means[epoch]);
    say(
      reading,
      epoch === null
        ? "Point at the curve to read it, drag along it to go there."
        : `After ${counted(epoch, "epoch")}: mean loss ${short(of.means[epoch], 5)}.`,
    );
  }

  const at = (event) => {
    const [left, right] = scales.x.range;
    const x = event.clientX - shown.drawing.getBoundingClientRect().left;
    return Math.round(scales.x.invert(Math.min(right, Math.max(left, x))));
  };
  set(shown.drawing, {
    onpointermove: (event) => {
      if (!scales) return;
      hovered = at(event);
      point();
      if (shown.drawing.hasPointerCapture(event.pointerId)) go(hovered);
    },
    onpointerdown: (event) => {
      if (!scales || event.button !== 0) return;
      shown.drawing.setPointerCapture(event.pointerId);
      go(at(event));
    },
    onpointerleave: () => {
      hovered = null;
      point();
    },
  });

  return {
    node,
    // `of` is the course of the training, `loss` the mean where the reader stands.
    update({ epoch }, of, loss) {
      now = { of, epoch: Math.min(epoch, of.epochs), loss };
      set(shown.drawing, { "aria-label": described(of) });
      point();
      shown.redraw();
    },
  };
}

function described({ means, epochs: done }) {
  const parts = [0, 1, 10, 100, EPOCHS]
    .filter((epoch) => epoch <= done)
    .map((epoch) => `${short(means[epoch])} after ${counted(epoch, "epoch")}`);
  return `Curve of the mean loss: ${parts.join(", ")}.`;
}

// The upper end of an axis of losses.
export function top(values, most = Infinity) {
  const largest = Math.max(...values.filter(Number.isFinite), 0);
  const end = Math.min(largest, most * (values[0] || largest)) * 1.05;
  return end > 0 ? end : 1;
}

// A point on a curve with a vertical line through it, hidden while there is no value.
function marker(name) {
  const line = svg("line", { class: `upright ${name}` });
  const dot = svg("circle", { class: `mark ${name}`, r: 4.5 });
  const node = svg("g", { hidden: true }, line, dot);
  function put({ x, y }, across, up) {
    const isThere = up !== null && Number.isFinite(up);
    set(node, { hidden: !isThere });
    if (!isThere) return;
    const [bottom, end] = y.range;
    set(line, { x1: x(across), x2: x(across), y1: bottom, y2: end });
    set(dot, { cx: x(across), cy: Math.max(end, y(up)) });
  }
  return { node, put };
}
