// Pictures of functions: scales, round ticks, axes, lines, and a frame that draws only what is seen.
//
// A scale is a function from a number to a place, with
//   domain, range   as given
//   invert          from a place back to the number
//   ticks(count)    about so many round numbers within, as [number, text]

import { element, replace, set, svg } from "./dom.js";
import { raised, short } from "../mathematics/numbers.js";

export function linear(domain, range) {
  const [low, high] = domain;
  const factor = (range[1] - range[0]) / (high - low);
  return Object.assign((value) => range[0] + (value - low) * factor, {
    domain,
    range,
    invert: (at) => low + (at - range[0]) / factor,
    ticks: (count) => roundNumbers(low, high, count),
  });
}

// Of numbers above 0.
export function logarithmic(domain, range) {
  const [low, high] = domain.map(Math.log10);
  const factor = (range[1] - range[0]) / (high - low);
  return Object.assign((value) => range[0] + (Math.log10(value) - low) * factor, {
    domain,
    range,
    invert: (at) => 10 ** (low + (at - range[0]) / factor),
    ticks: (count) => roundPowers(low, high, count),
  });
}

// Multiples of 1, 2 or 5 times a power of ten.
function roundNumbers(low, high, count) {
  const rough = Math.abs(high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((of) => of * power).find((of) => of >= rough * (1 - 1e-9)) ?? rough;
  const digits = Math.min(17, 6 + Math.max(0, Math.ceil(Math.log10(Math.max(Math.abs(low), Math.abs(high)) / step))));
  const found = [];
  const [first, last] = [Math.ceil(Math.min(low, high) / step - 1e-9), Math.floor(Math.max(low, high) / step + 1e-9)];
  // So close together that whole numbers of steps are no longer told apart: no ticks lie between.
  if (!(step > 0 && Math.max(Math.abs(first), Math.abs(last)) < Number.MAX_SAFE_INTEGER)) return [];
  for (let k = first; k <= last; k += 1) found.push([k * step, short(k * step, digits)]);
  // One number alone tells no scale.
  return found.length < 2 && count < 9 ? roundNumbers(low, high, count + 1) : found;
}

function roundPowers(low, high, count) {
  const [first, last] = [Math.ceil(Math.min(low, high) - 1e-9), Math.floor(Math.max(low, high) + 1e-9)];
  const step = Math.max(1, Math.ceil((last - first) / count));
  const found = [];
  for (let k = Math.ceil(first / step) * step; k <= last; k += step) {
    // Powers near 1 are read more easily as they are.
    found.push([10 ** k, Math.abs(k) < 3 ? short(10 ** k) : `10${raised(k)}`]);
  }
  return found;
}

// Pixels that tick texts and the names of the axes need around a plot.
const MARGIN = { left: 52, right: 16, top: 24, bottom: 36 };

// The ranges of x and y in a picture of so many pixels; numbers with powers need more at the left.
export const inside = (width, height, left = MARGIN.left) => ({
  x: [left, Math.max(left + 1, width - MARGIN.right)],
  y: [height - MARGIN.bottom, MARGIN.top],
});

// Both axes with their names, x below and y at the left; made anew only when they change.
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

// A line through points [[x, y], ...] of the picture, in SVG's words. It has a gap where a place is
// no finite number.
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

// Far outside of any picture no more is to be seen, and no browser reads such numbers.
const FARTHEST = 1e5;
const near = (at) => Math.max(-FARTHEST, Math.min(FARTHEST, at)).toFixed(1);

// A picture as wide as its place, drawn at its size in pixels, and only while it is in view.
//
//   draw     (width, height): draws; called at once by redraw(), or as soon as it can be seen
//   content  the nodes within
// Returns {node, drawing, redraw, isSeen}; `drawing` is the svg.
export function picture(height, draw, ...content) {
  const name = "A picture, drawn as it comes into view"; // until draw() or its view knows better
  const drawing = svg("svg", { class: "plot", role: "img", "aria-label": name, height, width: "100%" }, content);
  const node = element("div", { class: "picture" }, drawing);
  const now = { width: 0, isSeen: false, isAsked: false, isStale: false };
  function redraw() {
    now.isAsked = true;
    now.isStale = !now.isSeen || now.width === 0;
    if (!now.isStale) draw(now.width, height);
  }
  new ResizeObserver(([{ contentRect }]) => {
    const isNew = Math.abs(contentRect.width - now.width) >= 1;
    now.width = contentRect.width;
    if (isNew && now.isAsked) redraw();
  }).observe(node);
  const seen = (entries) => {
    now.isSeen = entries.at(-1).isIntersecting;
    if (now.isSeen && now.isStale) redraw();
  };
  // A little before it comes into view, so that nobody sees it empty.
  new IntersectionObserver(seen, { rootMargin: "200px" }).observe(node);
  return { node, drawing, redraw, isSeen: () => now.isSeen };
}

// Milliseconds without a change after which a picture is drawn finely.
const REST = 150;

// A picture that is dear: drawn coarsely while something changes, and finely once it rests.
//
//   draw   (width, height, isFine)
export function refined(height, draw, ...content) {
  let resting = null;
  const shown = picture(height, coarse, ...content);
  function coarse(width) {
    clearTimeout(resting);
    draw(width, height, false);
    // Out of view it is drawn anew when it comes back.
    resting = setTimeout(() => (shown.isSeen() ? draw(width, height, true) : shown.redraw()), REST);
  }
  return shown;
}

// What is drawn how: [[class, text], ...], each beside a short piece of such a line or such a mark; the
// class says its shape too, if it is no circle.
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

// The part of a picture between the axes, in the picture's own places: what leaves it is cut off.
export function clipped(...content) {
  const node = svg("svg", {}, content);
  function update({ range: [left, right] }, { range: [bottom, top] }) {
    const [width, height] = [right - left, bottom - top];
    set(node, { x: left, y: top, width, height, viewBox: `${left} ${top} ${width} ${height}` });
  }
  return { node, update };
}
