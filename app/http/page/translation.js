/** Translate one photo as the controls of the page say. */

import { pictureBlob, translate } from "./api.js";
import { prepare } from "./prepare.js";

/** Return the options of POST /translate for an upload. */
function optionsFor(item, upload, { direction, framing, size }) {
  const part = framing.options(upload, item);
  const sizes = framing.whole(item) || part.fit === "native" ? { format: "jpeg" } : size.options(upload, direction.image, part.fit);
  const moving = upload.animated ? { format: "webp" } : {};
  const style = direction.styles && item.style != null ? { style: item.style } : {};
  return { direction: direction.name, ...part, ...sizes, ...moving, ...style };
}

/** Return the picture whose style is taken, made ready as a photo is; null without one. */
async function referenceOf({ reference = null }, direction) {
  return reference && direction.styles?.reference ? (await prepare(reference, { direction })).blob : null;
}

/**
 * Resolve to the result of a photo: `{answer, picture, upload, direction, whole, part, fit, framed}`. `onUpload(upload, framed)` is called
 * before it is sent, `onProgress(share)` while it is sent. `item.upload` and `item.sent` tell how far it came.
 */
export async function translateItem(item, { signal, onUpload, onProgress, ...controls }) {
  const { direction, framing } = controls;
  const whole = framing.whole(item);
  Object.assign(item, { upload: null, sent: 0 });
  item.upload = await prepare(item.file, { direction, small: item.small, whole, view: item.view });
  const reference = await referenceOf(item, direction);
  signal.throwIfAborted();
  const options = optionsFor(item, item.upload, controls);
  const all = whole || options.fit === "native" || (options.face && options.face !== "none");
  const framed = all ? "contain" : options.fit; // until its frame is known
  const progress = (share) => {
    item.sent = share;
    if (!signal.aborted) onProgress(share);
  };
  const part = framing.options(item.upload, item);
  const sending = translate(item.upload.blob, options, { signal, onProgress: progress, reference });
  const [answer] = await Promise.all([sending, onUpload(item.upload, framed)]);
  return { answer, picture: pictureBlob(answer.image), upload: item.upload, direction, whole, part, fit: part.fit, framed };
}
