// The frame of a lesson: a picture with its handle, a few sentences, one guess, and the way on.

import { html } from "htm/preact";
import { written } from "../address.js";
import { lessonOf, ROUTE } from "../route.js";

const link = (lesson, guesses, text, rest = {}) => html`<a href=${written({ lesson: lesson.key, guesses })} ...${rest}>${text}</a>`;

export function Lesson({ study, state, set }) {
  const lesson = lessonOf(state.lesson);
  const at = ROUTE.indexOf(lesson);
  const [before, after] = [ROUTE[at - 1], ROUTE[at + 1]];
  const guessed = state.guesses[lesson.key];
  const seen = { study, state, set, guessed, ...lesson.seen(study, state) };
  const { Picture, Controls } = lesson;
  document.title = `${lesson.title}: backpropagation by hand`;
  return html`
    <header>
      <a class="skip" href="#lesson" onClick=${skip}>Skip to the lesson</a>
      <p>Backpropagation <span class="more">by hand</span></p>
      <nav aria-label="Lessons">
        ${before && link(before, state.guesses, "‹", { "aria-label": `Lesson before: ${before.title}`, class: "turn" })}
        <span>Lesson ${at + 1} of ${ROUTE.length}</span>
        ${after && link(after, state.guesses, "›", { "aria-label": `Next lesson: ${after.title}`, class: "turn" })}
      </nav>
    </header>
    <main key=${lesson.key} class=${lesson.key}>
      <div class="stage">
        <div class="picture"><${Picture} ...${seen} /></div>
        <div class="controls"><${Controls} ...${seen} /></div>
      </div>
      <div class="words">
        <h1 id="lesson" tabindex="-1">${lesson.title}</h1>
        ${lesson.says(seen).map((text) => html`<p>${whole(text)}</p>`)}
        <${Guess} ...${lesson.guess} guessed=${guessed} right=${lesson.guess.right(seen)} choose=${(key) => choose(lesson, key, state, set)} />
        <${Answer} lesson=${lesson} seen=${seen} />
        ${guessed && (after ? link(after, state.guesses, `Next: ${after.title} ›`, { class: "on" }) : html`<${Score} study=${study} guesses=${state.guesses} />`)}
      </div>
    </main>`;
}

// Formulas are not broken at their signs.
const whole = (text) => text.replace(/ ([=+−]) /g, "\u00a0$1\u00a0").replaceAll("/∂", "/\u2060∂");

function skip(event) {
  event.preventDefault(); // the address is the state
  document.querySelector("h1").focus();
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
  const { reason, where } = study.quantity[lesson.about];
  return html`
    <p role="status">${guessed && html`<strong>${guessed === lesson.guess.right(seen) ? "Yes." : "No."}</strong> ${first}`}</p>
    ${rest.map((text) => html`<p class="answer">${whole(text)}</p>`)}
    ${act && html`<button type="button" class="act" onClick=${act[1]}>${act[0]}</button>`}
    ${guessed && html`<details><summary>In the code</summary><p>${reason} <code>${where}</code></p><p>More in <code>docs/derivation.md</code>, “${lesson.section}”.</p></details>`}`;
}

// How many guesses of the route were right.
function Score({ study, guesses }) {
  const made = ROUTE.filter(({ key }) => guesses[key]);
  const right = made.filter((lesson) => guesses[lesson.key] === lesson.guess.right(lesson.seen(study, begun(lesson))));
  return html`<p class="score">You guessed ${right.length} of ${made.length} right. ${link(ROUTE[0], {}, "From the beginning", { class: "on" })}</p>`;
}

const begun = ({ fields }) => Object.fromEntries(Object.entries(fields).map(([name, { otherwise }]) => [name, otherwise]));
