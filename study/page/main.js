// The page: read the study, open a store, and mount every view. A new view is one line here.

import { opened } from "./model/point.js";
import { Store } from "./model/store.js";
import { listen } from "./keys.js";
import { keepClear } from "./parts/clear.js";
import { notice } from "./views/notice.js";
import { samples } from "./views/samples.js";
import { network } from "./views/network.js";
import { parameter } from "./views/parameter.js";
import { steps } from "./views/steps.js";
import { equation } from "./views/equation.js";
import { nudge } from "./views/nudge.js";
import { surface } from "./views/surface.js";
import { training } from "./views/training.js";
import { you } from "./views/you.js";
import { quiz } from "./views/quiz.js";
import { breakIt } from "./views/break.js";
import { errata } from "./views/errata.js";
import { derivation } from "./views/derivation.js";
import { check } from "./views/check.js";

// Views by the id of their element.
const VIEWS = { notice, samples, network, steps, parameter, equation, nudge, surface, training, you, quiz, break: breakIt, errata, derivation, check };

const study = opened(JSON.parse(document.getElementById("content").textContent));
export const store = new Store(study);
for (const [id, view] of Object.entries(VIEWS)) store.add(view(document.getElementById(id), store));
listen(store);
keepClear(document.querySelector(".always"));
