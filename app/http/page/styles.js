/** Choose the style of a photo: one of a row of small translations by their seeds, or that of another picture. */

import { fetchStyles, pictureBlob } from "./api.js";

const ROW = 4; // styles that are asked for together
const SIDE = 192; // px: sharp at twice the shown pixels
const DROP = " Drop a picture here to take its style instead.";
const MOST_SEED = 2 ** 53 - 17; // the service's largest

const keyOf = ({ view, result: { direction, part } }) => JSON.stringify([direction.name, direction.model.version, part, view]);

function thumbnail({ seed, image }, onChoose) {
  const url = URL.createObjectURL(pictureBlob(image));
  const button = Object.assign(document.createElement("button"), { type: "button", className: "thumbnail style" });
  const picture = Object.assign(document.createElement("img"), { src: url, alt: "" });
  picture.addEventListener("load", () => URL.revokeObjectURL(url), { once: true });
  const number = Object.assign(document.createElement("span"), { textContent: seed });
  button.append(picture, number);
  button.setAttribute("aria-label", `Style ${seed}`);
  button.addEventListener("click", () => onChoose({ style: seed, reference: null }));
  const place = document.createElement("li");
  place.append(button);
  return { seed, button, place };
}

/**
 * Return the choice of styles. `show(item, signal)` shows those of a translated photo, nothing for a direction that has
 * only one. `onChoose({style, reference})` gets the chosen seed or the file of a picture, `onMistake(sentence)` a mistake.
 */
export function createStyles({ panel, onChoose, onMistake }) {
  const $ = (id) => panel.querySelector(`#${id}`);
  const [list, more, words] = [$("style-row"), $("more-styles"), $("style-words")];
  let [item, key, row] = [null, "", []];
  let fetching = new AbortController();

  function mark() {
    const seed = item.result.answer.style?.seed ?? null;
    for (const each of row) each.button.setAttribute("aria-current", String(each.seed === seed));
    const drop = item.result.direction.styles.reference ? DROP : "";
    words.textContent = seed === null ? `In the style of ${item.reference.name}.` : `Style ${seed}.${drop}`;
  }

  function clear(next = "") {
    fetching.abort();
    fetching = new AbortController();
    [key, row] = [next, []];
    list.replaceChildren();
    more.disabled = false;
  }

  /** Add the translations in the next styles to the row. */
  async function extend() {
    const { signal } = fetching;
    const { upload, direction, part } = item.result;
    const first = row.length ? row.at(-1).seed + 1 : 0;
    const styles = Math.min(ROW, direction.styles.most, MOST_SEED - first + 1);
    more.disabled = true;
    try {
      const options = { direction: direction.name, ...part, style: first, styles, size: SIDE };
      const added = (await fetchStyles(upload.blob, options, signal)).map((each) => thumbnail(each, onChoose));
      row.push(...added);
      list.append(...added.map(({ place }) => place));
      mark();
      if (first) added[0].place.scrollIntoView({ block: "nearest", inline: "start" });
    } catch (error) {
      if (!signal.aborted) words.textContent = `More styles could not be made. ${error.message}`;
    } finally {
      if (!signal.aborted) more.disabled = false;
    }
  }

  function show(shown) {
    const { direction } = shown.result;
    const same = shown === item && key === keyOf(shown);
    item = shown;
    panel.hidden = !direction.styles;
    if (panel.hidden) return clear();
    $("pick-reference").hidden = !direction.styles.reference;
    if (!same) clear(keyOf(shown));
    mark();
    if (!row.length && !more.disabled) extend();
  }

  function hide() {
    panel.hidden = true;
    item = null;
    clear();
  }

  function takeReference(files) {
    const file = [...files].find(({ type }) => type.startsWith("image/"));
    if (file) onChoose({ style: null, reference: file });
    else onMistake("That was not a picture. Choose a picture whose style the translation should have.");
  }

  more.addEventListener("click", extend);
  $("pick-reference").addEventListener("click", () => $("reference").click());
  $("reference").addEventListener("change", ({ target }) => {
    const files = [...target.files];
    target.value = ""; // so that choosing the same file again fires `change`
    if (files.length) takeReference(files);
  });
  panel.addEventListener("drop", (event) => {
    if ($("pick-reference").hidden) return; // then it is a photo, as anywhere on the page
    event.preventDefault();
    event.stopPropagation();
    document.body.classList.remove("dragging");
    takeReference(event.dataTransfer.files);
  });
  return { show, hide };
}
