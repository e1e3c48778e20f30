// The lessons in their order. What a lesson is made of is said in lessons/README.md.

import { chain } from "./lessons/chain.js";
import { paths } from "./lessons/paths.js";
import { slope } from "./lessons/slope.js";

export const ROUTE = [slope, chain, paths];

export const lessonOf = (key) => ROUTE.find((lesson) => lesson.key === key) ?? null;
