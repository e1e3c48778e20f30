// The loss over the plane as a field: its values on a grid, its colour, its contours and their numbers.

import { piecesAt } from "../../mathematics/contour.js";
import { element, say, set, svg } from "../../parts/dom.js";
import { linear } from "../../parts/scales.js";

// Points of the grid along one side, at least and at most.
const [FEWEST, MOST] = [11, 121];

// Pixels between two numbers of contours, at least.
const APART = 40;

// How dark the largest loss is, of 255: text on it stays readable.
const DARKEST = 190;

// The losses of a grid over the window, as fine as the operations allow.
export function fieldOf({ landscape, given, samples }, x, y, most) {
  const side = Math.floor(Math.sqrt(most / landscape.cost(samples)));
  const count = Math.min(MOST, Math.max(FEWEST, side));
  const spread = ([low, high]) => Array.from({ length: count }, (_, k) => low + ((high - low) * k) / (count - 1));
  const [acrosses, ups] = [spread(x.domain), spread(y.domain)];
  const values = landscape.grid(given, samples, acrosses, ups);
  let [low, high, lowest] = [Infinity, -Infinity, 0];
  for (let k = 0; k < values.length; k += 1) {
    if (values[k] < low) [low, lowest] = [values[k], k];
    if (values[k] > high && values[k] < Infinity) high = values[k];
  }
  const ticks = high > low ? linear([low, high], [0, 1]).ticks(8) : [];
  const levels = ticks.filter(([level]) => level > low && level < high);
  const pieces = levels.map(([level]) => piecesAt(values, count, level));
  // A power of 4, so that colours stay the same while the point moves a little; at least a quarter of the
  // range is used.
  const full = 4 ** Math.ceil(Math.log(high) / Math.log(4));
  const best = [acrosses[lowest % count], ups[Math.floor(lowest / count)]];
  return { values, count, low, levels, pieces, best, full };
}

// The field in one colour, the stronger the larger the loss, and its contours over it.
export function paint(canvas, { values, count, full, pieces }, x, y, colours) {
  const [width, height] = [x.range[1] - x.range[0], y.range[0] - y.range[1]];
  const dense = Math.min(2, devicePixelRatio || 1);
  const [columns, rows] = [Math.round(width * dense), Math.round(height * dense)];
  if (canvas.width !== columns || canvas.height !== rows) {
    [canvas.width, canvas.height] = [columns, rows];
    const box = { left: x.range[0], top: y.range[1], width, height };
    for (const [name, pixels] of Object.entries(box)) canvas.style[name] = `${pixels}px`;
  }
  const small = colours.small;
  [small.width, small.height] = [count, count];
  const picture = new ImageData(count, count);
  for (let k = 0; k < values.length; k += 1) {
    const at = 4 * ((count - 1 - Math.floor(k / count)) * count + (k % count));
    picture.data.set(colours.field, at);
    // Infinite losses are darkest; NaN becomes 0, a transparent pixel.
    picture.data[at + 3] = Math.round(DARKEST * Math.min(1, Math.max(0, values[k] / full)));
  }
  small.getContext("2d").putImageData(picture, 0, 0);
  const pen = canvas.getContext("2d");
  pen.setTransform(1, 0, 0, 1, 0, 0);
  pen.clearRect(0, 0, columns, rows);
  const step = [columns / (count - 1), rows / (count - 1)];
  // Values are at the middle of their pixels, and the first and last ones belong on the edge.
  pen.drawImage(small, -step[0] / 2, -step[1] / 2, columns + step[0], rows + step[1]);
  pen.strokeStyle = colours.line;
  pen.lineWidth = dense;
  pen.beginPath();
  for (const [x1, y1, x2, y2] of pieces.flat()) {
    pen.moveTo(x1 * step[0], rows - y1 * step[1]);
    pen.lineTo(x2 * step[0], rows - y2 * step[1]);
  }
  pen.stroke();
}

// Label each level where its line is closest to the diagonal, away from the edge and from other labels.
export function label(group, { count, levels, pieces }, x, y, occupied) {
  const place = (piece) => {
    const [u, v] = [(piece[0] + piece[2]) / 2 / (count - 1), (piece[1] + piece[3]) / 2 / (count - 1)];
    const at = [x.range[0] + u * (x.range[1] - x.range[0]), y.range[0] + v * (y.range[1] - y.range[0]) + 4];
    return { at, away: Math.abs(u - v) + (Math.min(u, v, 1 - u, 1 - v) < 0.06 ? 1 : 0) };
  };
  const taken = [];
  const isApart = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]) >= APART;
  const isFree = (at) => [...occupied, ...taken.map(([of]) => of)].every((of) => isApart(of, at));
  for (const [k, [, text]] of levels.entries()) {
    const spots = pieces[k].map(place).filter((of) => of.away < 1 && isFree(of.at));
    if (spots.length > 0) taken.push([spots.reduce((best, of) => (of.away < best.away ? of : best)).at, text]);
  }
  while (group.children.length < taken.length) group.append(svg("text", { "text-anchor": "middle" }));
  for (const [k, node] of [...group.children].entries()) {
    set(node, { x: taken[k]?.[0][0], y: taken[k]?.[0][1] });
    say(node, taken[k]?.[1] ?? "");
  }
}

// The colours of the page as a canvas needs them, read again when they change.
export function theme(node, changed) {
  const colours = { small: element("canvas") };
  const read = () => {
    const style = getComputedStyle(document.documentElement);
    const hex = style.getPropertyValue("--accent").trim();
    colours.field = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
    colours.line = style.getPropertyValue("--muted").trim();
  };
  read();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    read();
    changed();
  });
  return colours;
}
