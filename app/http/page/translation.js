/** Translate one photo as the controls of the page say. */

import { pictureBlob, translate } from "./api.js";
import { prepare } from "./prepare.js";

/** Return what of a photo is translated, by which direction and in which style, as options of POST /translate. */
function choicesFor(item, part, direction) {
  const style = direction.styles && item.style != null ? { style: item.style } : {};
  return { direction: direction.name, ...part, ...style };
}

/** Return the options for the size and format of an answer. */
function pictureOptions(item, upload, part, { direction, framing, size }) {
  const sizes = framing.whole(item) || part.fit === "native" ? { format: "jpeg" } : size.options(upload, direction.image, part.fit);
  const moving = upload.animated ? { format: "webp" } : {};
  return { ...sizes, ...moving };
}

/** Return the picture whose style is taken, made ready as a photo is; null without one. */
async function referenceOf({ reference = null }, direction) {
  return reference && direction.styles?.reference ? (await prepare(reference, { direction })).blob : null;
}

/**
 * Resolve to the result of a photo: `{answer, picture, upload, direction, whole, part, choices, reference, fit, framed}`.
 * `onUpload(upload, framed)` is called before it is sent, `onProgress(share)` while it is sent. `item.upload` is the picture once it is ready,
 * `item.sent` the share of it that was sent.
 */
export async function translateItem(item, { signal, onUpload, onProgress, ...controls }) {
  const { direction, framing } = controls;
  const whole = framing.whole(item);
  Object.assign(item, { upload: null, sent: 0 });
  item.upload = await prepare(item.file, { direction, small: item.small, whole, view: item.view });
  const reference = await referenceOf(item, direction);
  signal.throwIfAborted();
  const part = framing.options(item.upload, item);
  const choices = choicesFor(item, part, direction);
  const options = { ...choices, ...pictureOptions(item, item.upload, part, controls) };
  const all = whole || part.fit === "native" || (part.face && part.face !== "none");
  const framed = all ? "contain" : part.fit; // until its frame is known
  const progress = (share) => {
    item.sent = share;
    if (!signal.aborted) onProgress(share);
  };
  const sending = translate(item.upload.blob, options, { signal, onProgress: progress, reference });
  const [answer] = await Promise.all([sending, onUpload(item.upload, framed)]);
  return { answer, picture: pictureBlob(answer.image), upload: item.upload, direction, whole, part, choices, reference, fit: part.fit, framed };
}
