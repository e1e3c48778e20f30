export function training() {
  return () => {};
}
