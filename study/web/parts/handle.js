// The handle of a lesson, and the number that it moves.

import { html } from "htm/preact";
import { fixed } from "../math/numbers.js";

export const Quantity = ({ symbol, value, decimals = 3 }) => html`<span class="quantity"><i>${symbol}</i> <b>${fixed(value, decimals)}</b></span>`;

// A number to drag, between the ends of its field. `text` says it to those who do not see it; `shown` is what stands beside
// it, the number itself if nothing else is given.
export const Handle = ({ symbol, field, value, step, text, decimals = 2, shown = fixed(value, decimals), onInput }) => html`<label class="handle">
  <i>${symbol}</i>
  <input type="range" min=${field.low} max=${field.high} step=${step} value=${value} aria-label=${symbol} aria-valuetext=${text} onInput=${(event) => onInput(event.target.valueAsNumber)} />
  <b>${shown}</b>
</label>`;
