// The words of a lesson: a few sentences, one guess, what answers it, and the way on.

import { html } from "htm/preact";
import { ROUTE } from "../route.js";
import { Formula } from "./formula.js";
import { link, section, whole } from "./frame.js";

export function Told({ view: lesson, seen }) {
  const { study, state, set, guessed } = seen;
  const after = ROUTE[ROUTE.indexOf(lesson) + 1];
  return html`
    ${lesson.says(seen).map((text) => html`<p>${whole(text)}</p>`)}
    <${Guess} ...${lesson.guess} guessed=${guessed} right=${lesson.guess.right(seen)} choose=${(key) => choose(lesson, key, state, set)} />
    <${Answer} lesson=${lesson} seen=${seen} />
    ${guessed && (after ? link(after, state.guesses, `Next: ${after.title} ›`, { class: "on" }) : html`<${Score} study=${study} guesses=${state.guesses} />`)}`;
}

// The picture answers; where it moves by itself, `lesson.guess.plays` starts it.
function choose(lesson, key, state, set) {
  set({ guesses: { ...state.guesses, [lesson.key]: key } });
  lesson.guess.plays?.(state, set);
}

const Guess = ({ asks, options, guessed, right, choose }) => html`<fieldset class="guess">
  <legend>${asks}</legend>
  ${Object.entries(options).map(([key, text]) => html`<button type="button" disabled=${Boolean(guessed) && key !== guessed && key !== right} aria-pressed=${String(key === guessed)}
    class=${guessed && key === right ? "right" : guessed === key ? "wrong" : ""} onClick=${() => guessed || choose(key)}>${text}</button>`)}
</fieldset>`;

// What is said aloud is the first sentence; the others change as the handle moves.
function Answer({ lesson, seen }) {
  const { guessed, study } = seen;
  const [first, ...rest] = guessed ? lesson.answer(seen) : [];
  const act = guessed && lesson.act?.(seen);
  const { reason, where, mathml } = study.quantity[lesson.about];
  return html`
    <p role="status">${guessed && html`<strong>${guessed === lesson.guess.right(seen) ? "Right." : "Not so."}</strong> ${first}`}</p>
    ${rest.filter(Boolean).map((text) => html`<p class="answer">${whole(text)}</p>`)}
    ${act && html`<button type="button" class="act" onClick=${act[1]}>${act[0]}</button>`}
    ${guessed && html`<details><summary>In the code</summary><p>${reason} <code>${where}</code></p><p><${Formula} markup=${mathml.symbol} /> = <${Formula} markup=${mathml.formula} /></p>${lesson.more && html`<p>${lesson.more(seen)}</p>`}<p>More: ${section(study, lesson.section)}.</p></details>`}`;
}

// How many guesses of the route were right.
function Score({ study, guesses }) {
  const made = ROUTE.filter(({ key }) => guesses[key]);
  const right = made.filter((lesson) => guesses[lesson.key] === lesson.guess.right(lesson.seen(study, begun(lesson))));
  return html`<p class="score">You guessed ${right.length} of ${made.length} right. That is backpropagation: slopes that are multiplied along a path and added where paths meet, from L back, each worked out once.</p>
    <p>${link(ROUTE[0], {}, "From the beginning", { class: "on" })}</p>`;
}

const begun = ({ fields }) => Object.fromEntries(Object.entries(fields).map(([name, { otherwise }]) => [name, otherwise]));
