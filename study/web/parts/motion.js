// Motion: none where the reader asks for none, or prints.

import { useEffect, useRef, useState } from "preact/hooks";

const isStill = () => matchMedia("(prefers-reduced-motion: reduce), print").matches;

// Calls `step` with 0 to 1 in so many milliseconds; returns what stops it.
function run(ms, step) {
  if (isStill()) return step(1);
  const began = performance.now();
  let frame = null;
  const next = (now) => {
    const done = Math.min(1, Math.max(0, (now - began) / ms));
    step(done);
    if (done < 1) frame = requestAnimationFrame(next);
  };
  frame = requestAnimationFrame(next);
  return () => cancelAnimationFrame(frame);
}

// One motion at a time: each ends the one before, and so does who takes the handle.
let stop = null;

export function halt() {
  stop?.();
  stop = null;
}

export function play(ms, step) {
  halt();
  stop = run(ms, step);
}

export const smooth = (t) => t * t * (3 - 2 * t);

// How far a motion has come, 0 to 1. It plays whenever `times` grows, and is at its end where it was played before the
// lesson was opened.
export function useMotion(times, ms) {
  const [done, setDone] = useState(times > 0 ? 1 : 0);
  const before = useRef(times);
  useEffect(() => {
    const isNew = times > before.current;
    before.current = times;
    if (!isNew) return setDone(times > 0 ? 1 : 0);
    setDone(0);
    return run(ms, setDone);
  }, [times]);
  return done;
}
