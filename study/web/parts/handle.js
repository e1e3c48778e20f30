// The handle of a lesson, and the number that it moves.

import { html } from "htm/preact";
import { fixed } from "../math/numbers.js";
import { halt } from "./motion.js";

export const Quantity = ({ symbol, value, decimals = 3 }) => html`<span class="quantity"><i>${symbol}</i> <b>${fixed(value, decimals)}</b></span>`;

// A number to drag, between the ends of its field, of which what lies beyond `until` is locked. `text` says it to those who do
// not see it; `shown` is what stands beside it, the number itself if nothing else is given.
export const Handle = ({ symbol, field, until = field.high, value, step, text, decimals = 2, shown = fixed(value, decimals), onInput }) => html`<label class="handle">
  <i>${symbol}</i>
  <span class="track">
    <input type="range" min=${field.low} max=${field.high} step=${step} value=${value} aria-label=${symbol} aria-valuetext=${text} onInput=${({ target }) => (halt(), onInput((target.valueAsNumber = Math.min(target.valueAsNumber, until))))} />
    ${until < field.high && html`<span class="locked" style=${{ left: `calc(26px + (100% - 26px) * ${(until - field.low) / (field.high - field.low)})` }}>?</span>`}
  </span>
  <b>${shown}</b>
</label>`;
