// Appendix, mistakes: planted ones, which checks are blind to each, and those of the article itself.

import { html } from "htm/preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { choice } from "../fields.js";
import { givenFor, slopesAt } from "../math/network.js";
import { short } from "../math/numbers.js";
import { train } from "../math/training.js";
import { Bars } from "../parts/bars.js";
import { Drawing } from "../parts/figure.js";
import { Parts } from "./digits.js";

const STARTS = { random: "random start", ones: "all ones" };
// From the weakest evidence to the strongest.
const CHECKS = {
  outcome: "answers after training",
  training: "loss after training",
  nudge: "a nudge of 10⁻⁵",
  autodiff: "autodiff, at the start",
  updates: "autodiff, each step",
  judge: "handgrad’s judge",
};
const counted = (sees) => Object.values(sees).filter(Boolean).length;
// Beyond rounding, as a share of the larger one.
const APART = 1e-13;

const withMinus = (text) => text.replace(/(^|\W)-(?=[\d(∂ ])/g, "$1−");
const capital = (text) => text[0].toUpperCase() + text.slice(1);

// How far a round over all four moves each of the nine.
function round(study, start) {
  const [, after] = train(study, start, study.eta, 1);
  return Object.fromEntries(Object.entries(start).map(([name, before]) => [name, after[name] - before]));
}

function seen(study, { mistake: key, start }) {
  const mistake = [...study.planted, ...study.errata].find((of) => of.key === key) ?? study.planted[0];
  if (mistake.table) return { mistake };
  const names = Object.keys(study.starts[start]);
  const { person, numbers, ...found } = mistake.at[start];
  const right = person ? slopesAt(study, givenFor(study, person, start)) : round(study, study.starts[start]);
  const rows = names.map((name, k) => ({ name, is: numbers[k], right: right[name], isOff: !(Math.abs(numbers[k] - right[name]) <= APART * Math.abs(right[name])) || numbers[k] === null }));
  return { mistake, rows, what: person ? `∂L, ${study.sample[person].name}` : "moved by a round of four", ...found };
}

function Nine({ rows, what, width, height }) {
  const [names, numbers, top] = [44, width < 480 ? 76 : 96, 22];
  const largest = Math.max(...rows.map(({ right }) => Math.abs(right)));
  // What is wrong by more than this is cut off.
  const most = Math.min(3 * largest, Math.max(...rows.flatMap(({ is, right }) => [Math.abs(is), Math.abs(right)])));
  const bars = (of, share, room) => html`<${Bars} rows=${rows.map(of)} most=${most} share=${share} names=${names} numbers=${room} top=${top} width=${width - 2 * numbers + room} height=${height - top} />`;
  const cut = (value) => Math.max(-most, Math.min(most, value ?? 0));
  return html`
    <text class="what" x="0" y="13">${what}</text>
    <text class="what" x=${width - numbers - 2} y="13" text-anchor="end">mistake</text>
    <text class="back" x=${width - 2} y="13" text-anchor="end">right</text>
    ${bars(({ name, right, isOff }) => [`${isOff ? "✗" : "\u2007"} ${name}`, right, "returned", short(right)], 0.62, 2 * numbers)}
    ${bars(({ is }) => ["", cut(is), "planted", is === null ? "no number" : short(is)], 0.22, numbers)}`;
}

const Form = ({ of: { formulas, text }, name }) => html`<div class="form" tabindex="0" role="region" aria-label=${name}><p class="what">${name}</p>
  ${formulas.map((of) => html`<div dangerouslySetInnerHTML=${{ __html: of }} />`)}${text && html`<p>${text}</p>`}</div>`;

const Slip = ({ printed, right, table: [columns, ...rows] }) => html`<div class="slip">
  <${Form} of=${printed} name="as printed" /><${Form} of=${right} name="right" />
  <div class="scroll" tabindex="0" role="region" aria-label="Its run"><table><tr>${columns.map((of) => (of ? html`<th scope="col">${of}</th>` : html`<td></td>`))}</tr>${rows.map((row) => html`<tr>${row.map((cell) => html`<td>${cell}</td>`)}</tr>`)}</table></div>
</div>`;

function Picture({ mistake, rows, what }) {
  if (mistake.table) return html`<${Slip} ...${mistake} />`;
  const wrong = rows.filter(({ isOff }) => isOff).map(({ name }) => name);
  return html`<${Drawing} name="nine" label=${`Nine numbers (${what}) with the mistake, and right. ${wrong.length ? `Wrong: ${wrong.join(", ")}` : "None is wrong"}.`}>${(width, height) => html`<${Nine} ...${{ rows, what, width, height }} />`}</${Drawing}>`;
}

// A list of all; beside each how many checks see it.
function Controls({ study, state, set, mistake }) {
  const { start } = state;
  const all = [...study.planted, ...study.errata];
  const box = useRef(null);
  useLayoutEffect(() => {
    box.current.scrollTop = box.current.querySelector("[aria-pressed=true]").offsetTop - box.current.clientHeight / 2;
  }, []);
  const one = ({ key, says, at }) => html`<button type="button" aria-pressed=${String(key === mistake.key)} onClick=${() => set({ mistake: key })}>
    <span>${at ? key.replaceAll("-", " ") : says}</span>${at && html` <small>${counted(at[start].sees)}/6</small>`}</button>`;
  return html`
    <div class="gallery" role="group" aria-label="Mistakes" ref=${box}>${[...new Set(all.map(({ group }) => group))].map((group) => html`<div role="group" aria-label=${group}><p>${group}</p>${all.filter((of) => of.group === group).map(one)}</div>`)}</div>
    ${!mistake.table && html`<div class="starts" role="group" aria-label="Start">${Object.entries(STARTS).map(([key, says]) => html`<button type="button" aria-pressed=${String(key === start)} onClick=${() => set({ start: key })}>${says}</button>`)}</div>`}`;
}

function Planted({ mistake: { key, says, edits, at }, sees, judge, rows }) {
  const count = counted(sees);
  return html`
    <p>${capital(withMinus(says))}.</p>
    ${edits.map(([right, wrong]) => html`<pre>${right && html`<del>${right}</del>\n`}<ins>${wrong}</ins></pre>`)}
    <table class="sees"><caption>Who sees it: ${count} of 6 here</caption>
      <tr><td></td>${Object.values(STARTS).map((of) => html`<th scope="col">${of}</th>`)}</tr>
      ${Object.entries(CHECKS).map(([check, name]) => html`<tr><th scope="row">${name}</th>${Object.keys(STARTS).map((start) => html`<td class=${at[start].sees[check] ? "" : "blind"}>${at[start].sees[check] ? "✓ sees it" : "○ blind"}</td>`)}</tr>`)}
    </table>
    ${count === 0 && html`<p>Nobody sees it from here: what it mixes up is equal. So check from a random start, too.</p>`}
    <p>The judge: “${withMinus(judge)}”.</p>
    <details><summary>All digits, and in the terminal</summary>
      <div class="scroll" tabindex="0" role="region" aria-label="All digits"><table><tr><td></td><th scope="col">mistake</th><th scope="col">right</th></tr>${rows.map(({ name, is, right }) => html`<tr><th scope="row">${name}</th><td>${is ?? "no number"}</td><td>${right}</td></tr>`)}</table></div>
      <p><code>python -m compare break ${key}</code></p>
    </details>`;
}

const Words = ({ view, seen: of }) => html`
  <${Parts} view=${view} state=${of.state} />
  ${of.mistake.table
    ? html`<p><strong>${of.mistake.says}.</strong> ${of.mistake.why}</p><p>${of.mistake.found}</p><p class="what">In the article: “${of.mistake.section}”.</p>`
    : html`<${Planted} ...${of} />`}`;

export const mistakes = {
  key: "mistakes",
  title: "Appendix: mistakes",
  part: "Mistakes",
  within: "digits",
  // What there is to choose from is Python's to say.
  fields: { mistake: { otherwise: "missing-square", read: (text) => text }, start: choice(Object.keys(STARTS), "random") },
  seen,
  Picture,
  Controls,
  Words,
};
