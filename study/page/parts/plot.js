// Parts of plots: axes, lines, a legend, and clipping.

import { element, replace, set, svg } from "./dom.js";

// Pixels that tick texts and the names of the axes need around a plot.
const MARGIN = { left: 52, right: 16, top: 24, bottom: 36 };

// The pixel ranges of x and y in a picture; tick labels with powers need more room at the left.
export const inside = (width, height, left = MARGIN.left) => ({
  x: [left, Math.max(left + 1, width - MARGIN.right)],
  y: [height - MARGIN.bottom, MARGIN.top],
});

// Both axes with their names, x below and y at the left; rebuilt only when they change.
export function axes() {
  const node = svg("g", { class: "axes", "aria-hidden": "true" });
  let drawn = null;
  function update(x, y, across, up) {
    const wanted = JSON.stringify([x.domain, x.range, y.domain, y.range, across, up]);
    if (wanted === drawn) return;
    drawn = wanted;
    const [[left, right], [bottom, top]] = [x.range, y.range];
    replace(
      node,
      x.ticks(Math.max(2, Math.floor((right - left) / 70))).flatMap(([value, text]) => [
        svg("line", { class: "grid", x1: x(value), x2: x(value), y1: bottom, y2: top }),
        svg("text", { class: "tick", x: x(value), y: bottom + 16, "text-anchor": "middle" }, text),
      ]),
      y.ticks(Math.max(2, Math.floor((bottom - top) / 40))).flatMap(([value, text]) => [
        svg("line", { class: "grid", x1: left, x2: right, y1: y(value), y2: y(value) }),
        svg("text", { class: "tick", x: left - 6, y: y(value) + 4, "text-anchor": "end" }, text),
      ]),
      svg("path", { class: "frame", d: `M${left} ${top}V${bottom}H${right}` }),
      svg("text", { class: "axis", x: right, y: bottom + 31, "text-anchor": "end" }, across),
      svg("text", { class: "axis", x: 2, y: top - 10, "text-anchor": "start" }, up),
    );
  }
  return { node, update };
}

// SVG path data of a line through points [[x, y], ...], with a gap where a coordinate is not finite.
export function through(points) {
  let words = "";
  let open = false;
  for (const [x, y] of points) {
    const isPlace = Number.isFinite(x) && Number.isFinite(y);
    if (isPlace) words += `${open ? "L" : "M"}${near(x)} ${near(y)}`;
    open = isPlace;
  }
  return words;
}

// Browsers reject huge coordinates, and nothing is visible so far out.
const FARTHEST = 1e5;
const near = (at) => Math.max(-FARTHEST, Math.min(FARTHEST, at)).toFixed(1);

// A legend of [[class, text], ...], each text beside a sample of its line or mark; the class also names the
// shape, unless it is a circle.
export function legend(entries) {
  const sample = (name) =>
    svg("svg", { class: "plot", width: 26, height: 12, "aria-hidden": "true" },
      svg("path", { class: name, d: shapeOf(name.split(" ")) }),
    );
  return element("ul", { class: "legend" }, entries.map(([name, text]) => element("li", {}, sample(name), text)));
}

const SHAPES = {
  square: "M8 1H18V11H8Z",
  diamond: "M13 0.5L18.5 6L13 11.5L7.5 6Z",
  circle: "M8.5 6a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0 -9 0Z",
  area: "M1 1H25V11H1Z",
  line: "M1 6H25",
};

function shapeOf(words) {
  return SHAPES[words.find((word) => word in SHAPES) ?? (words.includes("mark") ? "circle" : "line")];
}

// The part of a picture between the axes, in the picture's coordinates, clipped at them.
export function clipped(...content) {
  const node = svg("svg", {}, content);
  function update({ range: [left, right] }, { range: [bottom, top] }) {
    const [width, height] = [right - left, bottom - top];
    set(node, { x: left, y: top, width, height, viewBox: `${left} ${top} ${width} ${height}` });
  }
  return { node, update };
}
