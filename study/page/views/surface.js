export function surface() {
  return () => {};
}
