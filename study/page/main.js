// The page: read the study, open a store, and mount every view. A new view is one line here.

import { opened } from "./model/point.js";
import { Store } from "./model/store.js";
import { listen } from "./keys.js";
import { viewsOf } from "./model/state.js";
import { element, set } from "./parts/dom.js";
import { HEADINGS, layOut, list, turn } from "./views/list.js";
import { lesson } from "./views/lesson.js";
import { notice } from "./views/notice.js";
import { samples } from "./views/samples.js";
import { network } from "./views/network.js";
import { parameter } from "./views/parameter.js";
import { steps } from "./views/steps.js";
import { equation } from "./views/equation.js";
import { nudge } from "./views/nudge.js";
import { surface } from "./views/surface.js";
import { training } from "./views/training.js";
import { autodiff } from "./views/autodiff.js";
import { depth } from "./views/depth.js";
import { you } from "./views/you.js";
import { quiz } from "./views/quiz.js";
import { breakIt } from "./views/break.js";
import { settings } from "./views/settings.js";
import { errata } from "./views/errata.js";
import { derivation } from "./views/derivation.js";
import { check } from "./views/check.js";

// Parts that are always there, by the id of their place.
const PARTS = { notice, list, samples, network, steps, parameter, settings, lesson, turn, derivation, check };

// Views, of which one is shown beside the network, by their name in the address; a new one is a line here and one
// in the list of model/state.js. The pass itself stands with the network.
const BESIDE = { equation, nudge, surface, training, depth, autodiff, you, quiz, break: breakIt, errata };

// Of these a part stands elsewhere: the sign that a mistake is planted, and what a question hides.
const ALSO_ELSEWHERE = ["break", "quiz"];

function section(id) {
  const title = `${id}-title`;
  const node = element("section", { id, hidden: true, "aria-labelledby": title }, element("h2", { id: title }, HEADINGS[id]));
  document.querySelector(".views").append(node);
  return node;
}

// A view is made when it is first shown. While it is not, it is not updated; then it hears of all that has changed.
function whenShown(id, node, make) {
  const missed = new Set();
  let update = null;
  return (state, point, changed) => {
    changed.forEach((key) => missed.add(key));
    set(node, { hidden: state.view !== id });
    if (node.hidden && !ALSO_ELSEWHERE.includes(id)) return;
    update ??= make();
    update(state, point, new Set(missed));
    missed.clear();
  };
}

const study = opened(JSON.parse(document.getElementById("content").textContent));
export const store = new Store(study);
for (const [id, part] of Object.entries(PARTS)) store.add(part(document.getElementById(id), store));
for (const id of viewsOf(study).filter((view) => view in BESIDE)) {
  const node = section(id);
  store.add(whenShown(id, node, () => BESIDE[id](node, store)));
}
layOut(store);
listen(store);
