/** Translate a translation back by the opposite direction, and show what is left of the photo. */

import { fetchReconstruction, pictureBlob } from "./api.js";

const LEVELS = 255;

/** Return how far the way back leads from the photo; `l1` is in levels. */
function distanceWords(l1, { source, target }) {
  const percent = ((100 * l1) / LEVELS).toFixed(1);
  return `From ${target} back to ${source}, it differs from your photo by ${percent} % on average (${l1.toFixed(1)} of ${LEVELS} levels). At 0 %, nothing of your photo would be lost.`;
}

/** Return the options for one face, not put back into the photo: of several faces only the largest is translated back. */
const ofOneFace = ({ paste, ...options }) => (options.face === "all" ? { ...options, face: "largest" } : options);

/**
 * Return the way back. `show(item, possible)` offers it for a translated photo, or hides it where it is not possible,
 * as without the opposite direction; a new translation is asked for anew.
 */
export function createWayBack({ panel }) {
  const [button, picture, words] = ["button", "img", "[role=status]"].map((selector) => panel.querySelector(selector));
  let result = null; // the shown one
  let asking = new AbortController();

  function clear() {
    asking.abort();
    asking = new AbortController();
    URL.revokeObjectURL(picture.src);
    picture.hidden = true;
    button.hidden = button.disabled = false;
    words.textContent = "";
  }

  function display({ image, l1 }) {
    const { direction } = result;
    picture.src = URL.createObjectURL(pictureBlob(image));
    picture.alt = `Your photo, translated to ${direction.target} and back to ${direction.source}`;
    picture.hidden = false;
    words.textContent = distanceWords(l1, direction);
    button.hidden = true;
  }

  async function ask() {
    const { signal } = asking;
    const { upload, choices, reference } = result;
    button.disabled = true;
    words.textContent = "Translating back …";
    try {
      display(await fetchReconstruction(upload.blob, ofOneFace(choices), { signal, reference }));
    } catch (error) {
      if (!signal.aborted) words.textContent = `It could not be translated back. ${error.message}`;
    }
    if (signal.aborted) return;
    button.disabled = false;
    // A disabled button loses the focus.
    if (document.activeElement === document.body) (button.hidden ? picture : button).focus({ preventScroll: true });
  }

  function show(item, possible) {
    panel.hidden = !possible;
    if (item.result === result) return;
    clear();
    result = item.result;
  }

  button.addEventListener("click", ask);
  return { show };
}
