"""How long the page takes from a movement of the pointer to new numbers everywhere."""

from playwright.sync_api import Page

#: Draws the handle of a parameter to and fro; each movement is answered, laid out, and timed.
_DRAG = """
([parameter, count]) => {
  const handle = document.querySelector(`#network [role=button][data-parameter="${parameter}"]`);
  const box = handle.getBoundingClientRect();
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  const event = (type, dx) => {
    const at = { clientX: x + dx, clientY: y, pointerId: 1, bubbles: true };
    handle.dispatchEvent(new PointerEvent(type, at));
  };
  handle.setPointerCapture = () => {};
  event("pointerdown", 0);
  const times = [];
  for (let k = 1; k <= count; k += 1) {
    const start = performance.now();
    event("pointermove", 4 * k);
    document.body.getBoundingClientRect();
    times.push(performance.now() - start);
  }
  event("pointerup", 0);
  return times;
}
"""


def drag(page: Page, parameter: str = "w1", count: int = 60) -> list[float]:
    """Draw a weight in the network; milliseconds of script and layout for each movement."""
    return page.evaluate(_DRAG, [parameter, count])
