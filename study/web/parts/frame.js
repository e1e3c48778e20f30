// The frame of all views: where one is and can go, the picture with its handle, and the words beside it.

import { html } from "htm/preact";
import { written } from "../address.js";
import { PLACES, ROUTE, viewOf } from "../route.js";
import { Told } from "./lesson.js";

export const link = ({ key }, guesses, text, rest = {}) => html`<a href=${written({ view: key, guesses })} ...${rest}>${text}</a>`;

// A section of the derivation: a link where the page stands beside it, as on the site and in a checkout.
export const section = ({ derivation }, title) => (derivation ? html`<a href=${`${derivation}#${title.toLowerCase().replace(/[^\w\s-]/g, "").replace(/ /g, "-")}`}>${title}</a>` : html`${title} in <code>docs/derivation.md</code>`);

// Formulas are not broken at their signs.
export const whole = (text) => text.replace(/ ([=+−]) /g, "\u00a0$1\u00a0").replaceAll("/∂", "/\u2060∂");

export function View({ study, store: { state, visit, set } }) {
  const view = viewOf(state.view);
  const isLesson = ROUTE.includes(view);
  const seen = { study, state, set: (change) => set(change, visit), guessed: isLesson ? state.guesses[view.key] : undefined, ...view.seen(study, state) };
  const { Picture, Controls, Words = Told } = view;
  document.title = `${view.title}: backpropagation by hand`;
  return html`
    <${Header} view=${view} guesses=${state.guesses} />
    <main key=${view.key} class=${`${isLesson ? "lesson" : "place"} ${view.key}`}>
      <div class="stage">
        <div class="picture"><${Picture} ...${seen} /></div>
        <div class="controls"><${Controls} ...${seen} /></div>
      </div>
      <div class="words">
        <h1 id="view" tabindex="-1">${view.title}</h1>
        <${Words} view=${view} seen=${seen} />
      </div>
    </main>`;
}

// All views are in the list; on a wide screen the places stand beside it, too.
const Header = ({ view, guesses }) => html`<header>
  <a class="skip" href="#view" onClick=${skip}>Skip to ${ROUTE.includes(view) ? "the lesson" : view.title}</a>
  <p>Backpropagation <span class="more">by hand</span></p>
  <nav aria-label="Lessons and places">
    <select aria-label="Lesson or place" value=${view.key} onChange=${(event) => (location.hash = written({ view: event.target.value, guesses }))}>
      <optgroup label="Lessons">${ROUTE.map(({ key, title }, at) => html`<option value=${key}>${at + 1} of ${ROUTE.length}: ${title}</option>`)}</optgroup>
      <optgroup label="Places">${PLACES.map(({ key, title }) => html`<option value=${key}>${title}</option>`)}</optgroup>
    </select>
    <span class="places">${PLACES.filter(({ within }) => !within).map((place) => link(place, guesses, place.title.split(":")[0], [view.key, view.within].includes(place.key) ? { "aria-current": "page" } : {}))}</span>
  </nav>
</header>`;

function skip(event) {
  event.preventDefault(); // the address is the state
  document.querySelector("h1").focus();
}
