// Keyboard shortcuts that step through the pass, except while a field has the focus.

import { playSteps } from "./views/steps.js";

const MOVES = {
  ArrowRight: (step, last) => Math.min(step + 1, last),
  ArrowLeft: (step) => Math.max(step - 1, 0),
  Home: () => 0,
  End: (_, last) => last,
};

export function listen(store) {
  document.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey || ownsKeys(event.target)) return;
    const move = MOVES[event.key];
    if (move) store.set({ step: move(store.state.step, store.study.steps.length) });
    else if (event.key === " " && !pressable(event.target)) playSteps(store);
    else return;
    event.preventDefault();
  });
}

// Fields, sliders, lists and scrollable elements use these keys themselves.
const ownsKeys = (target) =>
  target.closest?.("input, select, textarea, [role=slider], [role=radiogroup]") !== null ||
  target.matches?.("[role=region]");

// Space activates the focused element.
const pressable = (target) => target.closest?.("button, a, summary, [role=button]") !== null;
