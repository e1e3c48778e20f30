// The lessons in their order, and the places. What they are made of is said in README.md.

import { agreement } from "./lessons/agreement.js";
import { autodiff } from "./lessons/autodiff.js";
import { backwards } from "./lessons/backwards.js";
import { chain } from "./lessons/chain.js";
import { depth } from "./lessons/depth.js";
import { descent } from "./lessons/descent.js";
import { paths } from "./lessons/paths.js";
import { saturation } from "./lessons/saturation.js";
import { slope } from "./lessons/slope.js";
import { symmetry } from "./lessons/symmetry.js";
import { digits } from "./places/digits.js";
import { mistakes } from "./places/mistakes.js";
import { network } from "./places/network.js";
import { train } from "./places/train.js";

export const ROUTE = [slope, chain, paths, backwards, descent, saturation, symmetry, autodiff, agreement, depth];

export const PLACES = [network, train, digits, mistakes];

export const viewOf = (key) => [...ROUTE, ...PLACES].find((view) => view.key === key) ?? null;
