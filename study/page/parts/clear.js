// Keep sticky elements of a narrow screen from covering the focused or scrolled-to element.

export function keepClear(always) {
  const root = document.documentElement;
  const measure = () => {
    const isSticky = getComputedStyle(always).position === "sticky";
    root.style.scrollPaddingTop = isSticky ? `${always.offsetHeight + 8}px` : "";
  };
  new ResizeObserver(measure).observe(always);
  addEventListener("resize", measure);
}
