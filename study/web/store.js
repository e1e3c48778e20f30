// The state of the page, which is also its address.

import { read, written } from "./address.js";

// Safari allows a hundred changes of the address in thirty seconds.
const PAUSE_MS = 300;

// `changed(isAnother)` is called after each change; isAnother says that another view is shown. What a view sets when it has been
// left, as by a motion that has not ended, is dropped.
export function storeOf(window) {
  let waiting = null;
  const store = {
    state: read(window.location.hash),
    changed: () => {},
    set(change, view = store.state.view) {
      if (view !== store.state.view) return;
      store.state = { ...store.state, ...change };
      store.changed(false);
      clearTimeout(waiting);
      waiting = setTimeout(() => window.history.replaceState(null, "", written(store.state)), PAUSE_MS);
    },
  };
  window.addEventListener("hashchange", () => {
    clearTimeout(waiting);
    const { view } = store.state;
    store.state = read(window.location.hash);
    store.changed(store.state.view !== view);
  });
  return store;
}
