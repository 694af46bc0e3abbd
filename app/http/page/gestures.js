/** Read moves and zooms of a picture from mouse, wheel, fingers and keys. */

const KEY_STEP = 0.04; // of the frame
const FINE_STEP = 0.004; // with Shift
const KEY_ZOOM = 1.1;
const WHEEL_ZOOM = 1.0015; // for each px that the wheel scrolls

const ARROWS = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

/**
 * Call `move(right, down)` and `enlarge(factor, at)` in shares of the element's box, and `reset()`, as a person drags
 * with one pointer, pinches with two, turns the wheel, or presses the arrows, +, − or 0. An arrow moves the frame.
 */
export function followGestures(element, { move, enlarge, reset }) {
  const pointers = new Map();

  const shareOf = ({ clientX, clientY }) => {
    const box = element.getBoundingClientRect();
    return { x: (clientX - box.left) / box.width, y: (clientY - box.top) / box.height };
  };
  const middle = ([one, other = one]) => ({ x: (one.x + other.x) / 2, y: (one.y + other.y) / 2 });
  const distance = ([one, other]) => (other ? Math.hypot(one.x - other.x, one.y - other.y) : 0);

  function drag(event) {
    if (!pointers.has(event.pointerId)) return;
    const before = [...pointers.values()];
    pointers.set(event.pointerId, shareOf(event));
    const after = [...pointers.values()];
    const [from, to] = [middle(before), middle(after)];
    move(to.x - from.x, to.y - from.y);
    if (distance(before) > 0 && distance(after) > 0) enlarge(distance(after) / distance(before), to);
  }

  element.addEventListener("pointerdown", (event) => {
    event.stopPropagation(); // the frame below moves its seam
    if (event.button !== 0 || pointers.size === 2) return;
    element.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, shareOf(event));
  });
  element.addEventListener("pointermove", drag);
  for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) {
    element.addEventListener(name, ({ pointerId }) => pointers.delete(pointerId));
  }
  element.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      enlarge(WHEEL_ZOOM ** -event.deltaY, shareOf(event));
    },
    { passive: false },
  );
  element.addEventListener("keydown", (event) => {
    const step = event.shiftKey ? FINE_STEP : KEY_STEP;
    const arrow = ARROWS[event.key];
    if (arrow) move(step * arrow[0], step * arrow[1]);
    else if (event.key === "+" || event.key === "=") enlarge(KEY_ZOOM);
    else if (event.key === "-") enlarge(1 / KEY_ZOOM);
    else if (event.key === "0" || event.key === "Home") reset();
    else return;
    event.preventDefault();
  });
}
