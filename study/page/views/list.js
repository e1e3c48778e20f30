// The list of views, always in reach, the neighbours of the one that is shown, and what belongs to each screen.

import { VIEWS, viewsOf } from "../model/state.js";
import { element, say, set } from "../parts/dom.js";
import { begin } from "./lesson.js";

// The heading above a view may say more than the list.
export const HEADINGS = {
  ...VIEWS,
  autodiff: "What autodiff does",
  errata: "Errata: what the article prints wrongly",
};

export function list(place, store) {
  const views = viewsOf(store.study);
  const button = (text, choose) => element("button", { type: "button", onclick: choose }, text);
  const route = store.study.people && button("Lessons", () => (store.state.lesson ? store.set({ lesson: null }) : begin(store, 1)));
  const buttons = views.map((view) => button(VIEWS[view], () => go(store, view)));
  if (route) set(route, { class: "route" });
  place.append(...(route ? [route] : []), ...buttons);
  return (state, _, changed) => {
    if (!changed.has("view") && !changed.has("lesson")) return;
    buttons.forEach((node, k) => set(node, { "aria-current": views[k] === state.view ? "true" : null }));
    if (route) set(route, { "aria-pressed": state.lesson !== null });
    // Only the list itself scrolls, sideways, to the one that is shown.
    const shown = buttons[views.indexOf(state.view)];
    place.scrollLeft = shown.offsetLeft - (place.clientWidth - shown.offsetWidth) / 2;
  };
}

// The view before and the one after, below the one that is shown.
export function turn(place, store) {
  const views = viewsOf(store.study);
  const links = [-1, 1].map((by) => {
    const follow = () => {
      go(store, views[views.indexOf(store.state.view) + by]);
      const heading = document.getElementById(`${store.state.view}-title`) ?? document.querySelector("h1");
      set(heading, { tabindex: -1 }).focus({ preventScroll: true });
    };
    return element("button", { type: "button", onclick: follow });
  });
  place.append(...links);
  return ({ view }) =>
    [-1, 1].forEach((by, k) => {
      const neighbour = VIEWS[views[views.indexOf(view) + by]];
      set(links[k], { hidden: !neighbour });
      say(links[k], neighbour ? (by < 0 ? `◀ ${neighbour}` : `${neighbour} ▶`) : "");
    });
}

// Show a view from its beginning.
function go(store, view) {
  store.set({ view });
  scrollTo({ top: 0, behavior: "instant" });
}

// Tell the style what is shown, and keep the focused element clear of what is sticky.
export function layOut(store) {
  store.add(({ view, lesson }) => set(document.body, { "data-view": view, "data-beside": view !== "pass" || lesson !== null }));
  const root = document.documentElement;
  const fixed = [document.querySelector("header"), document.querySelector(".always")];
  const measure = () => {
    const heights = fixed.map((of) => (getComputedStyle(of).position === "sticky" ? of.offsetHeight : 0));
    root.style.setProperty("--head", `${fixed[0].offsetHeight}px`);
    root.style.scrollPaddingTop = `${heights[0] + heights[1] + 8}px`;
  };
  const watch = new ResizeObserver(measure);
  for (const of of fixed) watch.observe(of);
  addEventListener("resize", measure);
}
