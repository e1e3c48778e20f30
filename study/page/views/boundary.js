// What the network says of everybody: its output over the plane of weight and height, and a table.

import { lineAt, regionAbove } from "../mathematics/contour.js";
import { predictor } from "../mathematics/mathematics.js";
import { short } from "../mathematics/numbers.js";
import { meant } from "../model/outputs.js";
import { UNITS, inUnit, inputsOf, label, measuresOf, probability } from "../model/people.js";
import { element, replace, say, set, svg } from "../parts/dom.js";
import { axes, clipped, inside, legend, linear, picture } from "../parts/plot.js";

const HEIGHT = 320;

// The output is computed at so many points across and up: while something is dragged, and once it
// rests. A trained network is nearly a step, which a coarse grid shows as a stair.
const [QUICK, FINE] = [
  [49, 37],
  [145, 109],
];

// Milliseconds without a change after which the picture is drawn finely.
const REST = 150;

// Lines that are drawn, and levels that the shade changes at.
const LINES = [0.1, 0.5, 0.9];
const SHADES = [0.5, 0.6, 0.7, 0.8, 0.9];

// A plane that nobody trained on is far from.
const PLANE = [
  [112, 168],
  [56, 76],
];
const WIDEST = [
  [40, 440],
  [24, 96],
]; // and not beyond this, where the reader is

// A network has a boundary to show if it makes a probability of two numbers.
export function hasBoundary(study) {
  const { output, loss } = study.about;
  const { inputs } = study.drawing;
  return (
    inputs.length === 2 &&
    study.outputs.length === 1 &&
    (study.people !== null || output === "sigmoid" || loss === "bce")
  );
}

export function boundary(store) {
  const { study } = store;
  const whom = study.people ? people(study) : theSample(study);
  const networks = {};
  for (const [form, program] of Object.entries(study.programs)) networks[form] = network(study, program);
  const plane = planeOf(study, whom);
  const frame = axes();
  const above = SHADES.map(() => svg("path", { class: "side female" }));
  const below = SHADES.map(() => svg("path", { class: "side male" }));
  const lines = LINES.map((level) => svg("path", { class: "level", "data-level": level }));
  const within = clipped(...above, ...below, ...lines);
  const marks = svg("g", { "aria-hidden": "true" });
  const shown = picture(HEIGHT, draw, frame.node, within.node, marks);
  const symbol = study.quantity[study.outputs[0]].symbol;
  const named = study.about.loss === "bce" ? `σ(${symbol})` : symbol;
  const table = predictions(study, named);
  const note = element("p", { class: "note" });
  const node = element(
    "figure",
    { class: "boundary" },
    element("figcaption", {}, `What the network says: ${named} over the plane`),
    element(
      "div",
      { class: "sides" },
      element(
        "div",
        {},
        shown.node,
        legend(LINES.map((level) => [`level level-${String(level).replace(".", "")}`, `${named} = ${level}`])),
        legend(marksOf(study)),
        note,
      ),
      table.node,
    ),
  );
  let now = null;
  let resting = null;

  function draw(width, height, grid = QUICK) {
    clearTimeout(resting);
    const { state, chance } = now;
    const [across, up] = plane.around(state);
    const places = inside(width, height);
    const [x, y] = [linear(across, places.x), linear(up, places.y)];
    const [columns, rows] = grid;
    const at = (of, k, count) => of.domain[0] + ((of.domain[1] - of.domain[0]) * k) / (count - 1);
    const values = new Float64Array(columns * rows);
    for (let row = 0; row < rows; row += 1) {
      for (let column = 0; column < columns; column += 1) {
        values[row * columns + column] = logOdds(chance([at(x, column, columns), at(y, row, rows)]));
      }
    }
    const place = (column, row) => [x(at(x, column, columns)), y(at(y, row, rows))];
    const others = values.map((value) => -value);
    SHADES.forEach((level, k) => {
      set(above[k], { d: regionAbove(values, columns, logOdds(level), place) });
      set(below[k], { d: regionAbove(others, columns, logOdds(level), place) });
    });
    LINES.forEach((level, k) => set(lines[k], { d: lineAt(values, columns, logOdds(level), place) }));
    const names = plane.names(state);
    frame.update(unitScale(x, 0, state, plane), unitScale(y, 1, state, plane), names[0], names[1]);
    within.update(x, y);
    const all = now.all.filter(({ measured }) => inDomain(x, measured[0]) && inDomain(y, measured[1]));
    say(note, remarks(study, values, now.all, all));
    replace(
      marks,
      all.map((of) => mark(of, x(of.measured[0]), y(of.measured[1]))),
    );
    set(shown.drawing, { "data-fine": grid === FINE });
    if (grid === QUICK) resting = setTimeout(() => shown.isSeen() && draw(width, height, FINE), REST);
  }

  return {
    node,
    update(state, point) {
      const chance = networks[state.form](point.given);
      const all = whom(state).map((of) => ({ ...of, chance: chance(of.measured) }));
      now = { state, chance, all };
      table.update(state, all);
      set(shown.drawing, { "aria-label": described(named, all) });
      if (!shown.isSeen()) say(note, ""); // what it says is known when the plane has been computed
      shown.redraw();
    },
  };
}

// (parameters) -> (two numbers as they are measured) -> the probability that the network gives.
function network(study, program) {
  const predict = predictor(study, program);
  return (params) => {
    const answer = predict(params);
    return (measured) => meant(study, answer(study.people ? inputsOf(study, measured) : measured))[0];
  };
}

// log p / (1 - p): between the points of the grid it is closer to a straight line than p.
const logOdds = (chance) => Math.min(FARTHEST, Math.max(-FARTHEST, Math.log(chance / (1 - chance))));

// Where p is rounded to 0 or 1.
const FARTHEST = 40;

const inDomain = ({ domain: [low, high] }, value) => low <= value && value <= high;

// What the picture cannot show: a side that is all there is, and a reader who lies beyond.
function remarks(study, values, everybody, shown) {
  const [most, least] = study.people ? ["F", "M"] : ["0.5 or above", "below 0.5"];
  const isYou = (all) => all.some((of) => of.isYou);
  return [
    values.every((value) => value >= 0) && `Everywhere in this picture the network says ${most}.`,
    values.every((value) => value < 0) && `Everywhere in this picture the network says ${least}.`,
    isYou(everybody) && !isYou(shown) && "You are outside this picture.",
  ]
    .filter(Boolean)
    .join(" ");
}

// The same scale with ticks at round numbers of the reader's unit.
function unitScale(scale, k, state, plane) {
  const size = plane.sizes(state)[k];
  return size === 1
    ? scale
    : Object.assign(
        (value) => scale(value * size),
        linear(
          scale.domain.map((of) => of / size),
          scale.range,
        ),
      );
}

// Everybody that is shown: the four, those who are predicted, and the reader.
function people(study) {
  const { trained, newcomers } = study.people;
  const person = (of, isNew) => ({
    name: of.name,
    letter: of.name[0],
    measured: measuresOf(of),
    truth: of.gender,
    isNew,
  });
  const known = [...trained.map((of) => person(of, false)), ...newcomers.map((of) => person(of, true))];
  return ({ you }) =>
    you && you.every((of) => of > 0)
      ? [...known, { name: "you", letter: "you", measured: you, truth: null, isNew: true, isYou: true }]
      : known;
}

function theSample(study) {
  const [{ name, given }] = study.samples;
  const [target] = Object.keys(given).filter((of) => !study.drawing.inputs.includes(of));
  return ({ edits }) => {
    const values = { ...given, ...edits };
    const measured = study.drawing.inputs.map((of) => values[of]);
    return [{ name, letter: "x", measured, truth: short(values[target]), isNew: false }];
  };
}

// The plane of the two inputs: how far it is drawn, and how its axes are called.
function planeOf(study, whom) {
  if (study.people) {
    return {
      names: ({ unit }) => UNITS[unit].names.map((of, k) => `${["weight", "height"][k]} (${of})`),
      sizes: ({ unit }) => UNITS[unit].sizes,
      around: ({ you }) =>
        PLANE.map(([low, high], k) => {
          if (!you || !(you[k] >= WIDEST[k][0] && you[k] <= WIDEST[k][1])) return [low, high];
          const room = (high - low) / 20;
          return [Math.min(low, you[k] - room), Math.max(high, you[k] + room)];
        }),
    };
  }
  const names = study.drawing.inputs;
  return {
    names: () => names.map((of) => study.quantity[of].symbol),
    sizes: () => [1, 1],
    around: (state) => whom(state)[0].measured.map((of) => [of - 3, of + 3]),
  };
}

// What the colours and the marks say.
function marksOf(study) {
  const [most, least] = study.people ? ["the network says F", "it says M"] : ["0.5 or above", "below 0.5"];
  const sides = [
    ["side female area", `blue: ${most}`],
    ["side male area", `orange: ${least}`],
  ];
  return study.people
    ? [
        ...sides,
        ["person circle", "is F"],
        ["person square", "is M"],
        ["person diamond", "not known"],
      ]
    : sides;
}

// F a circle, M a square, unknown a diamond; the letter says who it is.
function mark({ letter, truth, isNew, isYou }, x, y) {
  const shape = isNew
    ? svg("path", { class: "person unknown", d: `M${x} ${y - 12}L${x + 12} ${y}L${x} ${y + 12}L${x - 12} ${y}Z` })
    : truth === "M"
      ? svg("rect", { class: "person male", x: x - 9, y: y - 9, width: 18, height: 18 })
      : svg("circle", { class: "person female", cx: x, cy: y, r: 10 });
  const text = isYou
    ? svg("text", { class: "you", x, y: y + 25, "text-anchor": "middle" }, letter)
    : svg("text", { x, y: y + 4.5, "text-anchor": "middle" }, letter);
  return svg("g", {}, shape, text);
}

// A row for each.
function predictions(study, named) {
  const { people: isPeople, drawing } = study;
  const columns = isPeople ? 6 : 5;
  const heads = Array.from({ length: columns - 1 }, () => element("th", { scope: "col" }));
  const body = element("tbody");
  const node = element(
    "table",
    { class: "predictions" },
    element("caption", { class: "visually-hidden" }, "What the network says of each"),
    element("thead", {}, element("tr", {}, element("td"), heads)),
    body,
  );
  const row = () =>
    element(
      "tr",
      {},
      element("th", { scope: "row" }),
      Array.from({ length: columns - 1 }, () => element("td")),
    );

  function update(state, all) {
    const measures = isPeople ? UNITS[state.unit].names : drawing.inputs.map((of) => study.quantity[of].symbol);
    const titles = [...measures, named, ...(isPeople ? ["says", "is"] : ["y"])];
    heads.forEach((head, k) => say(head, titles[k]));
    while (body.children.length > all.length) body.lastElementChild.remove();
    while (body.children.length < all.length) body.append(row());
    all.forEach((of, k) => {
      const measured = isPeople ? inUnit(of.measured, state.unit) : of.measured;
      const says = isPeople ? [Number.isFinite(of.chance) ? label(of.chance) : "–"] : [];
      const texts = [
        of.name,
        ...measured.map((value) => short(value)),
        probability(of.chance),
        ...says,
        of.truth ?? "–",
      ];
      texts.forEach((text, column) => say(body.children[k].children[column], text));
      const isWrong = isPeople && of.truth !== null && label(of.chance) !== of.truth;
      set(body.children[k], { "data-person": of.name.toLowerCase(), "data-wrong": isWrong });
    });
  }

  return { node, update };
}

// Who lies on which side of the line.
function described(named, all) {
  const side = (isAbove) =>
    all
      .filter(({ chance }) => chance >= 0.5 === isAbove)
      .map(({ name }) => name)
      .join(", ") || "nobody";
  return `Plane with the lines ${named} = ${LINES.join(", ")}. At or above 0.5: ${side(true)}. Below: ${side(false)}.`;
}
