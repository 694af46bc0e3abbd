/** The chosen photos as small pictures with their states; pressing one shows it large. */

const SIDE = 144; // px: sharp at twice the shown pixels
const STATES = { waiting: "waits", working: "is being translated", done: "is translated", failed: "could not be translated", held: "is being framed" };

/** Draw the centre square of a picture over a canvas; `from` is the share of the width at which it begins. */
function drawSquare(canvas, bitmap, from = 0) {
  const side = Math.min(bitmap.width, bitmap.height);
  const [left, top] = [(bitmap.width - side) / 2, (bitmap.height - side) / 2];
  const context = canvas.getContext("2d");
  context.drawImage(bitmap, left + from * side, top, (1 - from) * side, side, from * SIDE, 0, (1 - from) * SIDE, SIDE);
}

async function drawBlob(canvas, blob, from) {
  const bitmap = await createImageBitmap(blob).catch(() => null); // a file that the browser cannot decode stays blank
  if (!bitmap) return;
  drawSquare(canvas, bitmap, from);
  bitmap.close();
}

function thumbnail(item, onSelect) {
  const button = Object.assign(document.createElement("button"), { type: "button", className: "thumbnail" });
  const canvas = Object.assign(document.createElement("canvas"), { width: SIDE, height: SIDE });
  canvas.setAttribute("aria-hidden", "true");
  button.append(canvas);
  button.addEventListener("click", () => onSelect(item));
  const place = document.createElement("li");
  place.append(button);
  return { item, button, canvas, place, drawn: null };
}

/** Return the strip. `show(items, shown)` shows the photos, none if there is only one; `onSelect(item)` gets the pressed one. */
export function createStrip({ panel, onSelect }) {
  const [list, words, saveAll] = ["#thumbnails", "#strip-words", "#save-all"].map((id) => panel.querySelector(id));
  let thumbnails = [];

  function rebuild(items) {
    thumbnails = items.map((item) => thumbnail(item, onSelect));
    list.replaceChildren(...thumbnails.map(({ place }) => place));
  }

  /** Draw the photo, and over its right half the translation once there is one. */
  async function draw(each) {
    const { file, result } = each.item;
    const wanted = result?.picture ?? file;
    if (each.drawn === wanted) return;
    const first = each.drawn === null;
    each.drawn = wanted;
    if (first || !result) await drawBlob(each.canvas, file, 0);
    if (result) await drawBlob(each.canvas, result.picture, 0.5);
  }

  function label(each, number, count, shown) {
    const { item, button } = each;
    button.dataset.state = item.state;
    button.setAttribute("aria-current", String(item === shown));
    button.setAttribute("aria-label", `Photo ${number} of ${count}, ${item.file.name}, ${STATES[item.state]}`);
  }

  function show(items, shown) {
    const count = items.length;
    if (count !== thumbnails.length || items.some((item, index) => thumbnails[index].item !== item)) rebuild(items);
    panel.hidden = count < 2;
    if (panel.hidden) return;
    const done = items.filter(({ state }) => state === "done").length;
    words.textContent = `${done} of ${count} photos are translated.`;
    saveAll.hidden = done < 2;
    thumbnails.forEach((each, index) => {
      label(each, index + 1, count, shown);
      draw(each);
    });
  }

  return { show };
}
