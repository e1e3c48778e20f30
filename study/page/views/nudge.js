export function nudge() {
  return () => {};
}
