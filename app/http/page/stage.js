/** Show source and translation side by side under one slider, with the heat map over both. */

const SHARPEST_SOURCE = 1024; // px of the longer side: more than the page shows of it

function cropFor(bitmap, ratio, fit) {
  const { width, height } = bitmap;
  if (fit !== "cover") return { x: 0, y: 0, width, height };
  const w = Math.min(width, height * ratio);
  const h = Math.min(height, width / ratio);
  return { x: (width - w) / 2, y: (height - h) / 2, width: w, height: h };
}

function drawSource(canvas, bitmap, ratio, fit) {
  const crop = cropFor(bitmap, ratio, fit);
  const longest = Math.min(SHARPEST_SOURCE, Math.max(crop.width, crop.height));
  canvas.width = Math.round(ratio >= 1 ? longest : longest * ratio);
  canvas.height = Math.round(ratio >= 1 ? longest / ratio : longest);
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.fillStyle = "white"; // the service draws transparent pixels over white
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(bitmap, crop.x, crop.y, crop.width, crop.height, 0, 0, canvas.width, canvas.height);
}

/** Draw the part of a photo whose corners (left upper, right upper, right lower, left lower) are given. */
function drawTurned(canvas, bitmap, corners, { width, height }) {
  const [corner, right, , below] = corners;
  const across = Math.hypot(right.x - corner.x, right.y - corner.y);
  const longest = Math.min(SHARPEST_SOURCE, Math.max(across, across * (height / width), width, height));
  canvas.width = Math.round(width >= height ? longest : longest * (width / height));
  canvas.height = Math.round(width >= height ? longest * (height / width) : longest);
  const toPhoto = new DOMMatrix([
    (right.x - corner.x) / canvas.width, (right.y - corner.y) / canvas.width,
    (below.x - corner.x) / canvas.height, (below.y - corner.y) / canvas.height,
    corner.x, corner.y,
  ]);
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.fillStyle = "white";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.setTransform(toPhoto.inverse());
  context.drawImage(bitmap, 0, 0);
  context.setTransform(1, 0, 0, 1, 0, 0);
}

/** Draw a picture at its own size. */
function drawWhole(canvas, picture) {
  if (canvas.width !== picture.width || canvas.height !== picture.height) {
    Object.assign(canvas, { width: picture.width, height: picture.height });
  }
  canvas.getContext("2d").drawImage(picture, 0, 0);
}

/** Replace an image's blob and release the one before. */
function showBlob(image, blob) {
  if (image.src) URL.revokeObjectURL(image.src);
  if (blob) image.src = URL.createObjectURL(blob);
  else image.removeAttribute("src");
  return blob ? image.decode() : undefined;
}

function followPointer(frame, setSplit) {
  const move = (event) => {
    const box = frame.getBoundingClientRect();
    setSplit(((event.clientX - box.left) / box.width) * 100, { glide: false });
  };
  frame.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || event.target.closest("button")) return;
    frame.setPointerCapture(event.pointerId);
    move(event);
  });
  frame.addEventListener("pointermove", (event) => frame.hasPointerCapture(event.pointerId) && move(event));
}

export function createStage(frame) {
  const [source, translation, heat, frames] = ["source", "translation", "heat", "frames"].map((id) => frame.querySelector(`#${id}`));
  const split = frame.querySelector("#split");
  const chips = { source: frame.querySelector("#show-source"), translation: frame.querySelector("#show-translation") };
  let names = { source: "source", target: "translation" };
  let photo = null; // the bitmap of the upload
  let shownBlob = null; // the upload

  function setSplit(percent, { glide = true } = {}) {
    const value = Math.min(100, Math.max(0, percent));
    frame.classList.toggle("glide", glide);
    frame.style.setProperty("--split", `${value}%`);
    split.value = value;
    const shown = Math.round(value);
    split.setAttribute("aria-valuetext", `${shown} % ${names.source}, ${100 - shown} % ${names.target}`);
  }

  function setRatio(ratio) {
    frame.style.setProperty("--ratio", ratio);
  }

  function nameSides(direction) {
    names = direction;
    chips.source.textContent = direction.source;
    chips.translation.textContent = direction.target;
  }

  /** Show the upload, cropped as for the network; blank if the browser cannot decode it. */
  async function showSource(blob, direction, fit, signal) {
    nameSides(direction);
    source.width = source.height = 1;
    shownBlob = blob;
    const bitmap = await createImageBitmap(blob).catch(() => null);
    if (signal.aborted) return bitmap?.close();
    photo?.close();
    photo = bitmap;
    const square = direction.image.width / direction.image.height;
    const ratio = bitmap && fit === "contain" ? bitmap.width / bitmap.height : square;
    setRatio(ratio);
    setSplit(100, { glide: false });
    if (bitmap) drawSource(source, bitmap, ratio, fit);
  }

  /** Show only the part of the upload that was translated, by its four corners in the upload, if they are known. */
  function frameSource(corners, picture) {
    if (photo && corners) drawTurned(source, photo, corners, picture);
  }

  /** Show the translation beside it, and move the seam so that it appears. */
  async function showTranslation(blob, { width, height }) {
    await showBlob(translation, blob);
    translation.alt = `The translation: ${names.target}`;
    setRatio(width / height);
    setSplit(50);
  }

  /** Show one frame of an animation: its source and its translation. */
  async function showStill(sourceBlob, translationBlob) {
    const bitmap = await createImageBitmap(sourceBlob);
    drawWhole(source, bitmap);
    bitmap.close();
    await showBlob(translation, translationBlob);
  }

  /** Show a translation without moving the seam. */
  const showAgain = (blob) => showBlob(translation, blob);

  /** Prepare for the frames of a camera. */
  function startFrames(direction) {
    shownBlob = null;
    nameSides(direction);
    setRatio(direction.image.width / direction.image.height);
    for (const canvas of [source, frames]) canvas.width = canvas.height = 1; // no picture of before
    setSplit(50, { glide: false });
  }

  /** Show a frame and its translation. */
  function showFrame(shown, picture) {
    drawWhole(source, shown);
    drawWhole(frames, picture);
  }

  function showHeat(blob) {
    heat.hidden = !blob;
    return showBlob(heat, blob);
  }

  split.addEventListener("input", () => setSplit(Number(split.value), { glide: false }));
  chips.source.addEventListener("click", () => setSplit(100));
  chips.translation.addEventListener("click", () => setSplit(0));
  followPointer(frame, setSplit);
  return {
    showSource, frameSource, showTranslation, showStill, showAgain, showHeat, startFrames, showFrame, setSplit, setRatio,
    shows: (blob) => blob === shownBlob,
    setOpacity: (value) => (heat.style.opacity = value),
  };
}
