// The page: what Python computed is opened, and what the address names is shown.

import { render } from "preact";
import { html } from "htm/preact";
import { opened } from "./math/network.js";
import { View } from "./parts/frame.js";
import { storeOf } from "./store.js";

// Tests look into the page by these.
export { DECIMALS } from "./math/decimal.js";
export { FLOATS } from "./math/floats.js";
export { run, slopes } from "./math/program.js";
export { PLACES, ROUTE } from "./route.js";
export const study = opened(JSON.parse(document.getElementById("content").textContent));
export const store = storeOf(window);

const show = () => render(html`<${View} study=${study} store=${store} />`, document.getElementById("page"));

store.changed = (isAnother) => {
  show();
  if (!isAnother) return;
  scrollTo(0, 0);
  // Who goes through the list by its arrows goes on there.
  if (document.activeElement.tagName !== "SELECT") document.querySelector("h1").focus({ preventScroll: true });
};
show();
