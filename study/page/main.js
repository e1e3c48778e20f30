// The page: read the study, open a store, and mount every view. A new view is one line here.

import { opened } from "./model/point.js";
import { Store } from "./model/store.js";
import { listen } from "./keys.js";
import { keepClear } from "./parts/clear.js";
import { element } from "./parts/dom.js";
import { notice } from "./views/notice.js";
import { samples } from "./views/samples.js";
import { network } from "./views/network.js";
import { parameter } from "./views/parameter.js";
import { steps } from "./views/steps.js";
import { equation } from "./views/equation.js";
import { nudge } from "./views/nudge.js";
import { surface } from "./views/surface.js";
import { training } from "./views/training.js";
import { depth } from "./views/depth.js";
import { you } from "./views/you.js";
import { quiz } from "./views/quiz.js";
import { breakIt } from "./views/break.js";
import { settings } from "./views/settings.js";
import { errata } from "./views/errata.js";
import { derivation } from "./views/derivation.js";
import { check } from "./views/check.js";

// Views by the id of their place. One with a heading gets its section below the network.
const VIEWS = {
  notice,
  samples,
  network,
  steps,
  parameter,
  settings,
  equation: ["Equation", equation],
  nudge: ["Nudge", nudge],
  surface: ["Surface", surface],
  training: ["Training", training],
  depth: ["Depth", depth],
  you: ["You", you],
  quiz: ["Quiz", quiz],
  break: ["Break it", breakIt],
  errata: ["Errata: what the article prints wrongly", errata],
  derivation,
  check,
};

function section(id, heading) {
  const title = `${id}-title`;
  const node = element("section", { id, "aria-labelledby": title }, element("h2", { id: title }, heading));
  document.querySelector(".views").append(node);
  return node;
}

const study = opened(JSON.parse(document.getElementById("content").textContent));
export const store = new Store(study);
for (const [id, row] of Object.entries(VIEWS)) {
  if (Array.isArray(row)) store.add(row[1](section(id, row[0]), store));
  else store.add(row(document.getElementById(id), store));
}
listen(store);
keepClear(document.querySelector(".always"));
