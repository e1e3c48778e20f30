// The mean loss over two of the parameters: contours, the way of the training, and the way down.

import { piecesAt } from "../mathematics/contour.js";
import { element, say, set, svg } from "../parts/dom.js";
import { Landscape } from "../mathematics/landscape.js";
import { short, signed } from "../mathematics/numbers.js";
import { AT_POINT, path, samplesOf } from "../model/point.js";
import { edited } from "../model/store.js";
import { axes, clipped, inside, legend, linear, picture, through } from "../parts/plot.js";

const HEIGHT = 400;

// Operations that a picture may cost while something is dragged, and once it rests.
const [QUICK, SLOW] = [80_000, 1_500_000];

// Points of the grid along one side, at least and at most.
const [FEWEST, MOST] = [11, 121];

// Milliseconds without a change after which the picture is drawn finely.
const REST = 150;

// The least that is seen of a parameter, and the most of a training that runs away.
const [SPAN, REACH] = [4, 12];

// Pixels of the arrow: it shows a direction only.
const ARROW = 52;

// Pixels of the square where the training ends: the point within is seen.
const END = 19;

// Pixels between two numbers of contours, at least.
const APART = 40;

// What is listed of the parameters that are held.
const LISTED = 12;

// What the picture depends on.
const SHOWN = new Set([...AT_POINT, "axes"]);

export function surface(place, store) {
  const { study } = store;
  if (study.parameters.length < 2) {
    place.hidden = true; // there is no plane to draw
    return () => {};
  }
  const picks = [0, 1].map((k) => axisPick(store, k));
  const [held, says] = [element("p", { class: "note held" }), element("p", { class: "says" })];
  const map = drawnMap(store);
  const sliders = [0, 1].map((k) => axisSlider(store, k));
  place.append(
    element("div", { class: "bar" }, picks.map((pick) => pick.node)),
    map.node,
    element("div", { class: "sliders" }, sliders.map((slider) => slider.node)),
    says,
    held,
    element("p", { class: "note" }, "The stronger the colour, the larger the loss. Click or drag to move the point. The path is that of the training, seen from above. On it the other parameters change too, so its loss equals the map's only where the others have these values."),
  );
  let landscape = null;
  let made = null;

  return (state, point, changed) => {
    if (![...changed].some((key) => SHOWN.has(key))) return;
    const names = pair(study, state.axes);
    const wanted = [state.form, ...names].join();
    if (made !== wanted) landscape = new Landscape(study, study.programs[state.form], names);
    made = wanted;
    const samples = samplesOf(study, state);
    const [loss, slope] = [landscape.at(point.given, samples), landscape.slope(point.given, samples)];
    const { given } = point;
    const seen = { landscape, names, samples, given, at: names.map((name) => given[name]), loss, slope, state };
    for (const part of [...picks, ...sliders]) part.update(seen);
    say(says, sentence(study, seen));
    say(held, holding(study, seen));
    map.update(seen);
  };
}

// Two different parameters, also where the address has one twice.
function pair(study, [across, up]) {
  return across === up ? [across, study.parameters.find((name) => name !== across)] : [across, up];
}

function axisPick(store, k) {
  const { study } = store;
  const pick = element(
    "select",
    {
      onchange: () => {
        const axes = pair(study, store.state.axes);
        // The one that is there already changes places.
        const isSwap = pick.value === axes[1 - k];
        store.set({ axes: axes.map((name, at) => (isSwap ? axes[1 - at] : at === k ? pick.value : name)) });
      },
    },
    study.parameters.map((name) => element("option", { value: name }, study.quantity[name].symbol)),
  );
  return {
    node: element("label", {}, ["Across ", "Up "][k], pick),
    update({ names }) {
      if (pick.value !== names[k]) pick.value = names[k];
    },
  };
}

function axisSlider(store, k) {
  const name = element("span", { class: "name" });
  const move = () => edited(store, pair(store.study, store.state.axes)[k], range.valueAsNumber);
  const range = element("input", { type: "range", step: 0.05, min: -5, max: 5, oninput: move });
  const value = element("output", {});
  return {
    node: element("label", { class: "parameter" }, name, range, value),
    update({ names, at }) {
      say(name, store.study.quantity[names[k]].symbol);
      if (document.activeElement !== range || range.valueAsNumber !== at[k]) range.value = at[k];
      say(value, short(at[k]));
    },
  };
}

const isFinite = ({ loss, slope, at }) => [loss, ...slope, ...at].every(Number.isFinite);

function sentence(study, seen) {
  const { names, loss, slope, samples } = seen;
  const [x, y] = names.map((name) => study.quantity[name].symbol);
  if (!isFinite(seen)) return "The loss or its slope is no finite number at this point.";
  const what = samples.length > 1 ? `The mean loss of all ${samples.length} samples` : "The loss";
  const slopes = `its slopes are ∂L/∂${x} = ${signed(slope[0])} and ∂L/∂${y} = ${signed(slope[1])}`;
  const end = slope.some((of) => of !== 0)
    ? "The arrow −∇ points the steepest way down in this picture; its length says nothing."
    : "To first order no way in this picture leads down.";
  return `${what} here is ${short(loss)}; ${slopes}. ${end}`;
}

function holding(study, { names, given }) {
  const others = study.parameters.filter((name) => !names.includes(name));
  if (others.length === 0) return "No other parameter is held.";
  const value = (name) => `${study.quantity[name].symbol}\u00a0=\u00a0${short(given[name], 3)}`;
  const listed = others.slice(0, LISTED).map(value);
  const rest = others.length > LISTED ? `, and ${others.length - LISTED} more` : "";
  const who = others.length > 1 ? `The other ${others.length} are` : "The other one is";
  return `${who} held at ${listed.join(", ")}${rest}.`;
}

const LEGEND = [
  ["way", "the training"],
  ["mark start", "its start"],
  ["mark end square", "its end"],
  ["mark here", "you are here"],
  ["arrow", "−∇"],
];

// The picture, with all that lies on it.
function drawnMap(store) {
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
  const name = svg("text", { class: "down", "text-anchor": "middle" }, "−∇");
  const levels = svg("g", { class: "levels", "aria-hidden": "true" });
  const ground = svg("rect", { class: "ground" });
  const within = clipped(ground, line, start, levels, arrow, name, here, end);
  const frame = picture(HEIGHT, draw, axis.node, within.node);
  const empty = element("p", { class: "note", hidden: true }, "There is nothing to draw: the loss is no finite number anywhere near.");
  frame.node.prepend(canvas);
  const node = element("div", { class: "map" }, frame.node, empty, legend(LEGEND));
  let [seen, window, grip, resting, way] = [null, null, false, null, { of: null }];
  const symbols = () => seen.names.map((of) => study.quantity[of].symbol);
  const colours = theme(node, () => frame.redraw());

  function draw(width, height, most = QUICK) {
    clearTimeout(resting);
    const places = inside(width, height);
    const updates = path(study, seen.state);
    if (!grip || !window) window = windowAround(seen, updates, places);
    set(empty, { hidden: Boolean(window) });
    set(frame.drawing, { visibility: window ? null : "hidden" });
    canvas.hidden = !window;
    if (!window) return;
    const [x, y] = [linear(window[0], places.x), linear(window[1], places.y)];
    axis.update(x, y, ...symbols());
    within.update(x, y);
    const field = fieldOf(seen, x, y, most);
    paint(canvas, field, x, y, colours);
    follow(updates, x, y);
    label(levels, field, x, y, mark(x, y));
    set(frame.drawing, { "aria-label": described(seen, symbols(), field) });
    if (most === QUICK) resting = setTimeout(() => frame.isSeen() && draw(width, height, SLOW), REST);
  }

  // The way of the training; its words are kept as long as it and the scales are.
  function follow(updates, x, y) {
    const key = [...seen.names, ...x.domain, ...y.domain, ...x.range].join();
    if (way.of === updates && way.key === key) return;
    way = { of: updates, key };
    const [a, b] = seen.names;
    const at = (params) => [x(params[a]), y(params[b])];
    const epoch = study.samples.length;
    // Update by update at first, where it still turns at each; later a point for each epoch.
    const kept = updates.filter((_, k) => k < 20 * epoch || k % epoch === 0);
    set(line, { d: through(kept.map(at)) });
    const [[x1, y1], [x2, y2]] = [at(updates[0]), at(updates.at(-1))];
    set(start, { cx: x1, cy: y1 });
    set(end, { x: x2 - END / 2, y: y2 - END / 2 });
  }

  // The point and the arrow; returns the places that they need.
  function mark(x, y) {
    const [cx, cy] = [x(seen.at[0]), y(seen.at[1])];
    set(here, { cx, cy });
    // Both axes have one scale, so that a direction is what it looks like.
    const size = Math.hypot(...seen.slope);
    const isArrow = Number.isFinite(size) && size > 0;
    set(arrow, { visibility: isArrow ? null : "hidden" });
    set(name, { visibility: isArrow ? null : "hidden" });
    if (!isArrow) return [[cx, cy]];
    const [dx, dy] = [-seen.slope[0] / size, seen.slope[1] / size];
    const to = (along, beside) =>
      `${(cx + dx * along - dy * beside).toFixed(1)} ${(cy + dy * along + dx * beside).toFixed(1)}`;
    set(arrow, { d: `M${to(0, 0)}L${to(ARROW, 0)}M${to(ARROW - 9, -5)}L${to(ARROW, 0)}L${to(ARROW - 9, 5)}` });
    // Within the picture, also where the arrow leaves it.
    const within = (at, ends) => Math.min(Math.max(at, Math.min(...ends) + 14), Math.max(...ends) - 14);
    const tip = [within(cx + dx * (ARROW + 14), x.range), within(cy + dy * (ARROW + 14), y.range) + 4];
    set(name, { x: tip[0], y: tip[1] });
    return [[cx, cy], tip];
  }

  // Where a pointer is put, there is the point.
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
      if (!frame.isSeen()) set(frame.drawing, { "aria-label": described(seen, symbols()) });
      frame.redraw();
    },
  };
}

// Around the point and the training, in one scale for both axes.
function windowAround({ names, at }, updates, places) {
  const boxes = names.map((name, k) => {
    let [low, high] = [at[k], at[k]];
    for (const params of updates) {
      low = Math.min(low, Math.max(params[name], at[k] - REACH));
      high = Math.max(high, Math.min(params[name], at[k] + REACH));
    }
    const span = Math.max(SPAN, Math.abs(at[k]) / 4, (high - low) * 1.25);
    // In halves, so that it stays while the point moves a little.
    return [Math.round(low + high) / 2, span];
  });
  const sizes = [places.x[1] - places.x[0], places.y[0] - places.y[1]];
  const scale = Math.max(...boxes.map(([, span], k) => span / sizes[k]));
  const window = boxes.map(([middle], k) => [middle - (scale * sizes[k]) / 2, middle + (scale * sizes[k]) / 2]);
  return window.flat().every(Number.isFinite) ? window : null;
}

// The losses of a grid over the window, as fine as the operations allow.
function fieldOf({ landscape, given, samples }, x, y, most) {
  const side = Math.floor(Math.sqrt(most / landscape.cost(1, samples.length)));
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
  const best = [acrosses[lowest % count], ups[Math.floor(lowest / count)]];
  return { values, count, low, high, levels, pieces, best };
}

// The field in one colour, the stronger the larger the loss, and its contours over it.
function paint(canvas, { values, count, high, pieces }, x, y, colours) {
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
  // The loss of the article lies between 0 and 1: one scale for all its pictures that show much.
  const top = high <= 1 && high > 0.2 ? 1 : high;
  for (let k = 0; k < values.length; k += 1) {
    const at = 4 * ((count - 1 - Math.floor(k / count)) * count + (k % count));
    picture.data.set(colours.field, at);
    picture.data[at + 3] = Number.isFinite(values[k]) ? Math.round(190 * Math.min(1, Math.max(0, values[k] / top))) : 0;
  }
  small.getContext("2d").putImageData(picture, 0, 0);
  const pen = canvas.getContext("2d");
  pen.setTransform(1, 0, 0, 1, 0, 0);
  pen.clearRect(0, 0, columns, rows);
  const step = [columns / (count - 1), rows / (count - 1)];
  // A value is the middle of its pixel, and the first and the last lie on the edge.
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

// Each level by its number, where its line comes closest to the diagonal; not at the edge, and not
// where something is already.
function label(group, { count, levels, pieces }, x, y, occupied) {
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

function described({ at, loss, samples }, [x, y], field = null) {
  const what = samples.length > 1 ? `Mean loss of ${samples.length} samples` : "Loss";
  const here =
    `${what} over ${x} across and ${y} up, as contours. ` +
    `At ${x} = ${short(at[0])}, ${y} = ${short(at[1])} it is ${short(loss)}.`;
  if (!field) return here;
  const { low, best } = field;
  return `${here} The lowest in the picture is ${short(low)}, near ${x} = ${short(best[0], 2)}, ${y} = ${short(best[1], 2)}.`;
}

// The colours of the page as a canvas needs them, read anew when they change.
function theme(node, changed) {
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
