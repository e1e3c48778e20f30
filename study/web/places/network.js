// Network: a pass forwards and back in one picture, where each weight, bias and unit opens its equation.

import { html } from "htm/preact";
import { choice, count, number, whole } from "../fields.js";
import { DECIMALS, digitsOf } from "../math/decimal.js";
import { givenFor, passAt } from "../math/network.js";
import { short, written } from "../math/numbers.js";
import { run } from "../math/program.js";
import { Arrow, between, Drawing, Node, Pulse } from "../parts/figure.js";
import { Formula } from "../parts/formula.js";
import { Handle } from "../parts/handle.js";
import { section } from "../parts/frame.js";
import { useMotion } from "../parts/motion.js";
import { EDGES, OF_UNIT, PARAMETERS, PEOPLE, trimmed, UNITS } from "../parts/network.js";

const STARTS = { ones: "all 1", random: "random" };
const VALUE = number(-6, 6, null);

const PLAY_MS = 8000;
// The share of it in which numbers come forward; then they come back as many links.
const FORWARD = 0.3;
const HOPS = 3;

// What opens at a unit: how its number comes about, and the slopes that pass through it.
const OF_UNITS = {
  h1: [["z1", "h1"], ["dh1_dz1", "dypred_dh1"]],
  h2: [["z2", "h2"], ["dh2_dz2", "dypred_dh2"]],
  ypred: [["z3", "ypred"], ["dypred_dz3", "dL_dypred"]],
  L: [["L"], ["dL_dypred"]],
};
const Z = { h1: "z1", h2: "z2", ypred: "z3" };
// Where the units stand, 0 to 1 by column; the links by their parameter, and where this stands, 0 to 1 of the way.
const COLUMNS = [0, 0.42, 0.78, 1];
const LINKS = Object.entries({ ...EDGES, "": ["ypred", "L"] });
const ALONG = { w1: 0.5, w2: 0.3, w3: 0.3, w4: 0.5, w5: 0.45, w6: 0.45 };

const plus = (value, told = short) => (value > 0 ? "+" : "") + told(value);

function seen(study, { person, start, open, value, factor }) {
  const isParameter = PARAMETERS.includes(open);
  const given = givenFor(study, person, start, isParameter && value !== null ? { [open]: value } : {});
  const [told, slopes] = isParameter ? [[`dL_d${open}`], study.quantity[`dL_d${open}`].factors] : (OF_UNITS[open] ?? [[], []]);
  const lit = (factor ? [slopes[factor - 1]] : slopes).flatMap((name) => (name ? [study.quantity[name].derivative] : []));
  return { isParameter, given, told, slopes, lit, values: { ...given, ...passAt({ forward: study.program }, given) } };
}

// When what comes back begins to go through a link, of as many hops there and back, and when it has come to a parameter.
const begins = (unit) => 2 * HOPS - UNITS[unit][0];
const reaches = (name) => (OF_UNIT[name] ? begins(OF_UNIT[name]) + 0.3 : EDGES[name][0][0] === "x" ? 2 * HOPS : begins(EDGES[name][1]) + 1 - ALONG[name]);

// All places in a picture of some size.
function laid(width, height) {
  const isSmall = width < 480;
  const [radius, wide, deep] = isSmall ? [width / 13.5, width / 6, 32] : [Math.min(48, height / 8), 104, 46];
  const [top, bottom] = [deep + radius + 6, height - deep - radius - 6];
  const place = (unit) => [radius + 2 + (width - 2 * radius - 4) * COLUMNS[UNITS[unit][0]], top + (bottom - top) * UNITS[unit][1]];
  const chip = (name) => {
    if (EDGES[name]) return between(...EDGES[name].map(place), ALONG[name]);
    const [x, y] = place(OF_UNIT[name]);
    return [x, y + (OF_UNIT[name] === "h2" ? 1 : -1) * (radius + deep / 2 + 3)];
  };
  return { isSmall, radius, wide, deep, place, chip };
}

const Sent = ({ at: [x, y] }) => html`<circle class="sent" cx=${x} cy=${y} r="7" />`;

// What a link does to what comes back through it: beside the parameter, or below L.
function Product({ name, link: [from, to], values, told, width, laid: { isSmall, radius, wide, deep, place, chip } }) {
  const isFirst = from[0] === "x";
  const arrived = values.dL_dypred * (isFirst ? values[`dypred_d${to}`] : 1);
  const slope = values[`d${to}_d${isFirst ? name : from}`];
  if (!name) return html`<text class="back" x=${width} y=${place("L")[1] + radius + 42} text-anchor="end">${isSmall ? "" : "∂L/∂ypred = "}${told(slope)}</text>`;
  const [x, y] = chip(name);
  const [isMiddle, side] = [isFirst && UNITS[from][1] === UNITS[to][1], UNITS[from][1] ? 1 : -1];
  const text = `${told(arrived)} × ${slope < 0 ? `(${told(slope)})` : told(slope)}${isSmall ? "" : ` = ${told(arrived * slope)}`}`;
  return (!isSmall || !isFirst) && html`<text class="back" x=${isMiddle ? x : x + wide / 2 + 6} y=${y + 5 + side * (isMiddle ? deep / 2 + 14 : deep / 2 - 5)} text-anchor=${isMiddle ? "middle" : "start"}>${text}</text>`;
}

function Network({ state: { open, sent }, values, lit, width, height }) {
  const done = useMotion(sent, PLAY_MS);
  const come = !sent ? HOPS : done < FORWARD ? (done / FORWARD) * HOPS : HOPS + ((done - FORWARD) / (1 - FORWARD)) * HOPS;
  const of = laid(width, height);
  const { isSmall, radius, wide, deep, place, chip } = of;
  const told = (value) => short(value, !isSmall ? 3 : Math.abs(value) < 0.001 ? 1 : 2);
  const isLit = (name, [from, to]) => lit.some(([of, by]) => of === to && (by === from || by === name));
  const isBack = ([, to]) => come > begins(to);
  const moving = LINKS.filter(([, [, to]]) => come > begins(to) && come < begins(to) + 1);
  return html`<g class=${isSmall ? "narrow" : ""}>
    ${LINKS.map(([name, link]) => {
      const [from, to] = trimmed(link, place, radius + 4);
      const kind = `${isBack(link) ? "back" : "forward"} ${isLit(name, link) ? "now" : open ? "quiet" : ""}`;
      return html`<${Arrow} name=${kind} from=${isBack(link) ? to : from} to=${isBack(link) ? from : to} />`;
    })}
    ${Object.entries(UNITS).map(([unit, [column]]) => {
      const [x, y] = place(unit);
      const rows = [[unit, "name"], ...(column <= come ? [[told(values[unit]), "forward"]] : []), ...(Z[unit] && column <= come && !isSmall ? [[`${Z[unit]} = ${told(values[Z[unit]])}`, "of"]] : [])];
      const step = isSmall ? 15 : 18;
      return html`<g class=${unit === open ? "unit now" : "unit"}><${Node} at=${[x, y]} radius=${radius} text="" />
        ${rows.map(([text, kind], k) => html`<text class=${kind} x=${x} y=${y + 5 + (k - (rows.length - 1) / 2) * step} text-anchor="middle">${text}</text>`)}</g>
        ${unit === "L" && html`<text class="of" x=${x} y=${y + radius + 20} text-anchor="middle">y = ${values.y}</text>`}`;
    })}
    ${LINKS.map(([, [from, to]]) => come > UNITS[from][0] && come < UNITS[from][0] + 1 && html`<${Sent} at=${between(place(from), place(to), come - UNITS[from][0])} />`)}
    ${moving.map(([name, [from, to]]) => html`<${Pulse} at=${between(place(to), from[0] === "x" ? chip(name) : place(from), come - begins(to))} />`)}
    ${PARAMETERS.map((name) => {
      const [x, y] = chip(name);
      const isReached = come >= reaches(name);
      const isNow = name === open || lit.some(([, by]) => by === name);
      return html`<g class=${isNow ? "chip now" : "chip"}>
        <rect x=${x - wide / 2} y=${y - deep / 2} width=${wide} height=${deep} rx="6" />
        <text x=${x} y=${y + (isReached ? -deep / 4 : 0) + 5} text-anchor="middle"><tspan class="name">${name}</tspan> <tspan class="forward">${told(values[name])}</tspan></text>
        ${isReached && html`<text class="back" x=${x} y=${y + deep / 4 + 3} text-anchor="middle">${plus(values[`dL_d${name}`], told)}</text>`}
      </g>`;
    })}
    ${moving.map(([name, link]) => html`<${Product} ...${{ name, link, values, told, width, laid: of }} />`)}</g>`;
}

// What can be pressed, as it is called.
const targets = ({ state: { open, sent }, set, values }, { radius, wide, deep, place, chip }) =>
  [...PARAMETERS, ...Object.keys(OF_UNITS)].map((name) => {
    const isUnit = name in OF_UNITS;
    const [x, y] = isUnit ? place(name) : chip(name);
    const [w, h] = isUnit ? [2 * radius, 2 * radius] : [wide, deep];
    const called = `${name} is ${short(values[name])}${sent && !isUnit ? `, ∂L/∂${name} is ${plus(values[`dL_d${name}`])}` : ""}`;
    return html`<button type="button" class="target" aria-label=${called} aria-pressed=${String(name === open)} style=${{ left: `${x - w / 2}px`, top: `${y - h / 2}px`, width: `${w}px`, height: `${h}px`, borderRadius: isUnit ? "50%" : "6px" }}
      onClick=${() => set({ open: name === open ? null : name, value: null, factor: 0 })} />`;
  });

const described = ({ study, state, values }) => `The network for ${study.sample[state.person].name}: ${Object.keys(OF_UNITS).map((unit) => `${unit} is ${short(values[unit])}`).join(", ")}${state.sent ? "; and all nine slopes of L" : ""}.`;

const Picture = (of) => html`<${Drawing} name="pass" label=${described(of)} over=${(width, height) => targets(of, laid(width, height))}>${(width, height) => html`<${Network} ...${of} width=${width} height=${height} />`}</${Drawing}>`;

const Controls = ({ study, state: { person, start, open, sent }, set, isParameter, given, values }) => html`
  <button type="button" class="act" onClick=${() => set({ sent: sent + 1 })}>Play</button>
  <select aria-label="Person" value=${person} onChange=${(event) => set({ person: event.target.value })}>${study.samples.map(({ key, name }) => html`<option value=${key}>${name}</option>`)}</select>
  <span role="group" aria-label="Weights">${Object.entries(STARTS).map(([key, name]) => html`<button type="button" class="of-few" aria-pressed=${String(key === start)} onClick=${() => set({ start: key, value: null })}>${name}</button>`)}</span>
  ${isParameter && html`<${Handle} symbol=${open} field=${VALUE} step="0.01" value=${given[open]} text=${`${short(given[open])}, L is ${short(values.L)}`} onInput=${(value) => set({ value })} />`}`;

// How a number comes about: in signs, in numbers, and the number.
const Equation = ({ of: { name, mathml }, values }) => html`<p class="equation">${[mathml.symbol, mathml.formula, mathml.places, mathml.worked].filter(Boolean).map((markup, k) => html`<span class="piece">${k > 0 && "= "}<${Formula} markup=${markup} values=${values} /></span> `)}<span class="piece">= <b>${short(values[name], 5)}</b></span></p>`;

const Source = ({ of }) => html`<p class="source"><code>${of.statement}</code> ${of.where}</p>`;

function Words({ view, seen: of }) {
  const { study, state, set, told, slopes, values } = of;
  const [first, ...more] = told.map((name) => study.quantity[name]);
  return html`
    <p role="status">${first ? first.reason : "Blue goes forward: each weight multiplies, each unit adds up and presses the sum between 0 and 1. ◆ goes back from L, times one slope at each link: what arrives at a weight is the slope of L by it. Press any of them for its equation."}</p>
    ${first && html`
      <${Equation} of=${first} values=${values} />
      ${slopes.length > 0 && first.name.startsWith("d") && html`<${Slopes} ...${{ study, state, set, slopes, values }} />`}
      <${Source} of=${first} />
      ${more.map((quantity) => html`<p>${quantity.reason}</p><${Equation} of=${quantity} values=${values} /><${Source} of=${quantity} />`)}
      ${!first.name.startsWith("d") && html`<p>And on the way back:</p><${Slopes} ...${{ study, state, set, slopes, values }} />`}
      <${Digits} ...${of} name=${told.at(-1)} />
      <p class="source">More: ${section(study, view.section)}; in the article, “Backpropagation”.</p>`}`;
}

// Each slope with its number; the one that is pressed lights its link, and says where it is from.
const Slopes = ({ study, state, set, slopes, values }) =>
  slopes.map((name, k) => {
    const of = study.quantity[name];
    const isNow = state.factor === k + 1;
    return html`<button type="button" class="slope-of" aria-expanded=${String(isNow)} onClick=${() => set({ factor: isNow ? 0 : k + 1 })}><i>${of.symbol}</i> <b>${short(values[name], 5)}</b></button>
      ${isNow && html`<div class="why"><p>${of.reason}</p><${Equation} of=${of} values=${values} /><${Source} of=${of} /></div>`}`;
  });

// How far a float is from a number of 40 digits, in gaps between floats.
const off = (float, exact) => Math.abs(DECIMALS.value(DECIMALS["-"](DECIMALS.from(float), exact))) / 2 ** (Math.floor(Math.log2(Math.abs(DECIMALS.value(exact)))) - 52);

// All digits: as Python certified them, where the pass is one of its own.
function Digits({ study, given, values, name }) {
  const [pass, other] = ["stable", "article"].map((form) => study.passes.find((of) => of.form === form && Object.entries(of.given).every(([key, value]) => given[key] === value)));
  const exact = pass ? pass.exact[name] : run(study.program, given, DECIMALS)[study.program.at[name]];
  const rows = pass
    ? [["by hand", pass.by_hand[name], pass.ulps_by_hand[name]], ["by hand, the article’s σ′", other.by_hand[name], other.ulps_by_hand[name]], ["autodiff", pass.autodiff[name], pass.ulps_autodiff[name]]]
    : [["by hand", values[name], off(values[name], exact)]];
  rows.push([pass ? "exact" : "computed", exact === null ? "none" : digitsOf(exact, 20)]);
  return html`<details><summary>Digits</summary>
    <dl>${rows.map(([side, value, gaps]) => html`<dt>${side}${gaps === undefined ? "" : `, ${short(gaps, 2)} gaps off`}</dt><dd>${written(String(value))}</dd>`)}</dl>
    <p>A computer’s numbers have gaps between them, of about a 10¹⁶th of their size. A few gaps off is rounding; thousands of gaps are lost digits. ${pass ? "The exact number lies between bounds that Python has proved." : "The last row is computed here, with 40 digits."}</p>
  </details>`;
}

export const network = {
  key: "network",
  title: "Network",
  section: "Backwards",
  fields: { person: choice(PEOPLE, "alice"), start: choice(Object.keys(STARTS), "ones"), open: choice([...PARAMETERS, ...Object.keys(OF_UNITS)], null), value: VALUE, factor: whole(0, 3, 0), sent: count() },
  seen,
  Picture,
  Controls,
  Words,
};
