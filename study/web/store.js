// The state of the page, which is also its address.

import { read, written } from "./address.js";

// Safari allows a hundred changes of the address in thirty seconds.
const PAUSE_MS = 300;

// `changed(isAnother)` is called after each change; isAnother says that another view is shown. Each address that is gone to is a
// visit: what an earlier one still sets, as by a motion that has not ended, is dropped.
export function storeOf(window) {
  let waiting = null;
  const write = () => {
    waiting = clearTimeout(waiting);
    window.history.replaceState(null, "", written(store.state));
  };
  const store = {
    state: read(window.location.hash),
    visit: 0,
    changed: () => {},
    set(change, visit = store.visit) {
      if (visit !== store.visit) return;
      store.state = { ...store.state, ...change };
      store.changed(false);
      if (change.guesses) write(); // a guess is kept, however soon one goes on
      else waiting ??= setTimeout(write, PAUSE_MS);
    },
  };
  window.addEventListener("hashchange", () => {
    waiting = clearTimeout(waiting);
    const { view, guesses } = store.state;
    store.visit += 1;
    store.state = read(window.location.hash, guesses);
    store.changed(store.state.view !== view);
  });
  return store;
}
