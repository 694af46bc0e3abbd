/** Show the faces of a photo on a small copy of it; clicking one translates it. */

const MAP_PX = 640; // of the longer side: sharp on a panel of twice its pixels

const corner = (share) => `${(100 * share).toFixed(2)}%`;

function faceButton({ box, translated }, number, photo, onChoose) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "face";
  button.setAttribute("aria-label", `Face ${number}`);
  button.setAttribute("aria-pressed", String(translated));
  button.title = translated ? "Translated" : "Translate this face";
  button.style.left = corner(box.x / photo.width);
  button.style.top = corner(box.y / photo.height);
  button.style.width = corner(box.width / photo.width);
  button.style.height = corner(box.height / photo.height);
  const centre = { x: (box.x + box.width / 2) / photo.width, y: (box.y + box.height / 2) / photo.height };
  button.addEventListener("click", () => onChoose(centre));
  return button;
}

function draw(canvas, bitmap) {
  const scale = Math.min(1, MAP_PX / Math.max(bitmap.width, bitmap.height));
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
}

/** `onChoose({x, y})` gets the centre of a clicked face, as shares of the photo's width and height. */
export function createFaces({ panel, map, onChoose }) {
  const canvas = map.querySelector("canvas");

  function hide() {
    panel.hidden = true;
  }

  /** Show the faces of an answer on the photo that was sent; only if there is a choice. */
  async function show(faces, blob) {
    hide();
    if (faces.length < 2) return;
    const bitmap = await createImageBitmap(blob).catch(() => null);
    if (!bitmap) return;
    draw(canvas, bitmap);
    map.replaceChildren(canvas, ...faces.map((face, index) => faceButton(face, index + 1, bitmap, onChoose)));
    bitmap.close();
    panel.hidden = false;
  }
  return { show, hide };
}
