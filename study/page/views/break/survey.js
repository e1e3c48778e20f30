// Which checks see which mistakes at the point of the page: all of them, one after the other, while nothing else is to
// be done and the cards are in view. What was found at another point is thrown away.

import { checksOfPoint, checksOfTraining, judged } from "../../model/breaking.js";
import { AT_POINT, givenAt, path } from "../../model/point.js";

// The checks ask all people, and every mistake has its turn.
const DEPENDS_ON = AT_POINT.filter((key) => key !== "sample" && key !== "mistake");

// Milliseconds without a change before it begins.
const REST = 200;

// Returns {found, count, update, watch}: `found` has the checks by slug, of those that are done, `count` is how many
// there are; `tell` is called after each.
export function surveyed(store, tell) {
  const { study } = store;
  const runnable = study.mistakes.filter((mistake) => mistake.changes);
  const found = new Map();
  let at = null;
  let waiting = null;
  let isSeen = false;
  let right = null;

  function later(time) {
    clearTimeout(waiting);
    waiting = isSeen && found.size < runnable.length ? setTimeout(next, time) : null;
  }

  function next() {
    const mistake = runnable.find(({ slug }) => !found.has(slug));
    const state = { ...store.state, mistake: mistake.slug };
    right ??= path(study, { ...state, mistake: null });
    const people = judged(study, state, givenAt(study, state), mistake);
    found.set(mistake.slug, { ...checksOfTraining(study, state, right), ...checksOfPoint(study, people) });
    later(0);
    tell();
  }

  return {
    found,
    count: runnable.length,
    update(state) {
      const now = JSON.stringify(DEPENDS_ON.map((key) => state[key]));
      if (now === at) return;
      at = now;
      right = null;
      found.clear();
      later(REST);
    },
    watch(node) {
      const seen = (entries) => {
        isSeen = entries.at(-1).isIntersecting;
        later(REST);
      };
      new IntersectionObserver(seen).observe(node);
    },
  };
}
