/** Frame a part of a photo by hand: move and enlarge it under the frame with mouse, fingers or keys. */

import { decode } from "./decode.js";
import { followGestures } from "./gestures.js";
import { CENTRE, MOST_ZOOM, shownPart } from "./view.js";

const SHARPEST = 1024; // px of the longer side of the canvas

const bounded = (value, least, most) => Math.min(most, Math.max(least, value));

/**
 * Return the editor. `open(item, direction)` resolves to whether this browser can show the photo; `onDone(item, view)`
 * gets the chosen part, `onCancel(item)` is called without one.
 */
export function createCrop({ canvas, panel, onDone, onCancel }) {
  const zoom = panel.querySelector("#crop-zoom");
  const words = panel.querySelector("#crop-words");
  let photo = null; // {picture, width, height}
  let item = null;
  let view = CENTRE;
  let ratio = 1;

  function draw() {
    const part = shownPart(photo, ratio, view);
    const context = canvas.getContext("2d");
    context.imageSmoothingQuality = "high";
    context.fillStyle = "white";
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.drawImage(photo.picture, part.x, part.y, part.width, part.height, 0, 0, canvas.width, canvas.height);
    words.textContent = `${Math.round(part.width)} × ${Math.round(part.height)} px of the photo.`;
  }

  /** Show a view; its centre is moved so that the frame is filled. */
  function set(wanted) {
    const next = { ...wanted, zoom: bounded(wanted.zoom, 1, MOST_ZOOM) };
    const { x, y, width, height } = shownPart(photo, ratio, next);
    view = { x: (x + width / 2) / photo.width, y: (y + height / 2) / photo.height, zoom: next.zoom };
    zoom.value = Math.log2(view.zoom);
    draw();
  }

  /** Move the photo by shares of the frame. */
  function move(right, down) {
    const part = shownPart(photo, ratio, view);
    set({ ...view, x: view.x - (right * part.width) / photo.width, y: view.y - (down * part.height) / photo.height });
  }

  /** Enlarge the photo by a factor around a point of the frame, in shares of the frame. */
  function enlarge(factor, at = { x: 0.5, y: 0.5 }) {
    const before = shownPart(photo, ratio, view);
    const next = bounded(view.zoom * factor, 1, MOST_ZOOM);
    const shrink = view.zoom / next;
    const shift = (share, side) => (share - 0.5) * side * (1 - shrink);
    set({
      x: view.x + shift(at.x, before.width) / photo.width,
      y: view.y + shift(at.y, before.height) / photo.height,
      zoom: next,
    });
  }

  function close() {
    photo?.picture.close?.();
    photo = null;
  }

  /** Open the editor at a view, by default at the photo's own or its centre. */
  async function open(edited, direction, start) {
    const decoded = await decode(edited.file);
    if (!decoded) return false;
    close();
    [item, photo, ratio] = [edited, decoded, direction.image.width / direction.image.height];
    canvas.width = ratio >= 1 ? SHARPEST : SHARPEST * ratio;
    canvas.height = ratio >= 1 ? SHARPEST / ratio : SHARPEST;
    set(edited.view ?? start ?? CENTRE);
    return true;
  }

  followGestures(canvas, { move, enlarge, reset: () => set(CENTRE) });
  zoom.max = Math.log2(MOST_ZOOM);
  zoom.addEventListener("input", () => set({ ...view, zoom: 2 ** Number(zoom.value) }));
  panel.querySelector("#crop-reset").addEventListener("click", () => set(CENTRE));
  panel.querySelector("#crop-done").addEventListener("click", () => onDone(item, view));
  panel.querySelector("#crop-cancel").addEventListener("click", () => onCancel(item));
  return { open, close };
}
