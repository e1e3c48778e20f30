// The lesson that is read, beside what it is about: its sentences, what to do, and what there is to see.

import { ROUTE } from "../model/route.js";
import { AT_POINT, evaluate } from "../model/point.js";
import { defaults, limits } from "../model/state.js";
import { element, replace, say, set } from "../parts/dom.js";
import { paths } from "./lesson/paths.js";
import { SEEN } from "./lesson/seen.js";

export function begin(store, number) {
  const { unit, you } = store.state; // the reader's own stay
  store.set({ ...defaults(store.study, number), unit, you });
  scrollTo({ top: 0, behavior: "instant" });
}

export function lesson(place, store) {
  const { study } = store;
  if (!study.people) {
    place.hidden = true;
    return () => {};
  }
  const button = (text, onclick, more = {}) => element("button", { type: "button", onclick, ...more }, text);
  const numbers = ROUTE.map(({ title }, k) => button(String(k + 1), () => begin(store, k + 1), { "aria-label": `Lesson ${k + 1}: ${title}`, title }));
  const title = element("h2", { tabindex: -1 });
  const [says, asks, acts, seen] = [element("div", {}), element("p", { class: "asks" }), element("div", { class: "bar" }), element("p", { class: "seen" })];
  const next = button("", () => {
    begin(store, (store.state.lesson % ROUTE.length) + 1);
    title.focus({ preventScroll: true });
  });
  const close = button("close", () => {
    store.set({ lesson: null });
    document.querySelector("#list .route").focus();
  }, { class: "quiet" });
  const pictures = { paths: paths() };
  place.append(element("div", { class: "lessons", role: "group", "aria-label": "The nine lessons" }, numbers), title, says, ...Object.values(pictures).map(({ node }) => node), asks, acts, seen, element("div", { class: "bar" }, next, close));
  const live = document.getElementById("live");
  let before = null; // the point without what the reader has set in this lesson

  return (state, point, changed) => {
    set(place, { hidden: state.lesson === null });
    if (place.hidden) return;
    const of = ROUTE[state.lesson - 1];
    if (changed.has("lesson")) {
      numbers.forEach((node, k) => set(node, { "aria-current": k + 1 === state.lesson ? "step" : null, "data-done": k + 1 < state.lesson }));
      say(title, `${state.lesson}. ${of.title}`);
      replace(says, of.says.map((text) => element("p", {}, text)));
      say(asks, of.asks);
      replace(acts, of.acts.map(([text, choose]) => button(text, () => store.set(choose(store.state, before, limits(study))))));
      for (const [key, { node }] of Object.entries(pictures)) set(node, { hidden: key !== of.key });
      set(acts, { hidden: of.acts.length === 0 });
      say(next, state.lesson < ROUTE.length ? `next: ${ROUTE[state.lesson].title} ▶` : "from the beginning");
    }
    if (changed.has("lesson") || AT_POINT.some((key) => key !== "edits" && changed.has(key))) {
      before = evaluate(study, { ...state, edits: of.at.edits });
      pictures[of.key]?.update(before);
    }
    const words = SEEN[of.key]({ study, state, point, before });
    if (words && words !== seen.textContent) say(live, words);
    say(seen, words ?? "");
    set(seen, { hidden: !words });
  };
}
