// The store: one state, its point, and the views, which are updated from both: data flows one way.

import { AT_POINT, evaluate } from "./point.js";
import { fromAddress, isInAddress, toAddress } from "./state.js";

export class Store {
  constructor(study) {
    this.study = study;
    this.views = [];
    const { state, unread } = fromAddress(study, location.hash);
    this.unread = unread; // invalid parts of the address
    this.state = state;
    this.point = evaluate(study, state);
    addEventListener("hashchange", () => this.#fromAddress());
  }

  // A view is a function of (state, point, set of changed keys).
  add(view) {
    this.views.push(view);
    view(this.state, this.point, new Set(Object.keys(this.state)));
  }

  // Change the state; all views are updated at once.
  set(choice) {
    const changed = new Set(Object.keys(choice).filter((key) => choice[key] !== this.state[key]));
    if (changed.size === 0) return;
    this.state = { ...this.state, ...choice };
    if ([...changed].some((key) => isInAddress(this.study, key))) this.unread = []; // it is written anew
    this.#tell(changed);
    this.#toAddress();
  }

  #tell(changed) {
    if (AT_POINT.some((key) => changed.has(key))) this.point = evaluate(this.study, this.state);
    for (const view of this.views) view(this.state, this.point, changed);
  }

  // Deferred: browsers limit the rate of history updates.
  #toAddress() {
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => {
      const address = toAddress(this.study, this.state);
      if (location.hash.slice(1) !== address) history.replaceState(null, "", `#${address}`);
    }, 200);
  }

  #fromAddress() {
    const { state, unread } = fromAddress(this.study, location.hash);
    this.unread = unread;
    this.state = state;
    this.#tell(new Set(Object.keys(state)));
  }
}

// Set a parameter or an input, as a reader does.
export function edited(store, name, value) {
  store.set({ edits: { ...store.state.edits, [name]: value } });
}
