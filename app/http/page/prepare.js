/** Make a small copy of a photo for the upload: upright, without metadata, as JPEG or PNG. */

import { isAnimated } from "./animated.js";
import { decode } from "./decode.js";
import { shownPart } from "./view.js";

const LONGER_SIDE = 1600; // px: more than the networks need, at a tenth of a phone photo's bytes
const WHOLE_SIDE = 4096; // px, where the translation is put back into the photo: most phones' photos unchanged
const SMALL_SIDE = 512; // px, for slow connections
const LOSSLESS_BYTES = 500_000; // the PNG of a drawing is smaller; that of a photo is larger, and is sent as JPEG
const JPEG_QUALITY = 0.92;
const HEAD_BYTES = 4096; // enough for the service to name the format

const SIGNATURES = [
  { bytes: [0xff, 0xd8, 0xff], served: true, lossy: true }, // JPEG
  { bytes: [0x89, 0x50, 0x4e, 0x47], served: true, lossy: false }, // PNG
  { bytes: [0x52, 0x49, 0x46, 0x46, null, null, null, null, 0x57, 0x45, 0x42, 0x50], served: true, lossy: false }, // WebP
  { bytes: [0x47, 0x49, 0x46, 0x38], served: true, lossy: false }, // GIF
  { bytes: [null, null, null, null, 0x66, 0x74, 0x79, 0x70], served: false, lossy: true }, // AVIF, HEIC
];
const UNKNOWN = { served: false, lossy: false };

/** Return for a file's format, from its first bytes: whether the service reads it, and whether it is lossy. */
async function signature(file) {
  const head = new Uint8Array(await file.slice(0, 12).arrayBuffer());
  const fits = ({ bytes }) => bytes.every((byte, at) => byte === null || byte === head[at]);
  return SIGNATURES.find(fits) ?? UNKNOWN;
}

/** Return the scale, at most 1, for a longer side of `longer` px and a shorter side of at least `needed` px. */
function shrinkage({ width, height }, longer, needed) {
  return Math.min(1, Math.max(longer / Math.max(width, height), needed / Math.min(width, height)));
}

function draw(picture, { x, y, width, height }, scale) {
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, x, y, width, height, 0, 0, canvas.width, canvas.height);
  return canvas;
}

/** Draw transparent pixels over white, as the service does before it translates. */
function flatten(canvas) {
  const context = canvas.getContext("2d");
  context.globalCompositeOperation = "destination-over";
  context.fillStyle = "white";
  context.fillRect(0, 0, canvas.width, canvas.height);
}

const encode = (canvas, type) => new Promise((resolve) => canvas.toBlob(resolve, type, JPEG_QUALITY));

/** Encode as PNG if the file was lossless and the PNG is small, else as JPEG; without metadata. */
async function encodeSmall(canvas, lossy) {
  const png = lossy ? null : await encode(canvas, "image/png");
  if (png && png.size <= LOSSLESS_BYTES) return png;
  flatten(canvas);
  return encode(canvas, "image/jpeg");
}

/** Return the part of a decoded photo that is sent: what a view shows in a frame of the network's shape, or all. */
function partOf(decoded, { image }, view) {
  if (view) return shownPart(decoded, image.width / image.height, view);
  return { x: 0, y: 0, width: decoded.width, height: decoded.height };
}

/**
 * Return the upload for a photo: `{blob, width, height, smaller}`. With `whole` it has more pixels. `smaller`: whether a smaller copy is possible.
 * With a `view` only the part that it shows is sent, of an animation that of the first frame.
 * A file that this browser cannot decode is sent unchanged, with width and height null, so that the service can
 * say what is wrong with it. If the service does not read its format, only the first bytes are sent.
 * An animated file is sent unchanged, and `animated` is true; its smaller copy is its first frame.
 */
export async function prepare(file, { direction, small = false, whole = false, view = null }) {
  const { served, lossy } = await signature(file);
  const unchanged = { blob: served ? file : file.slice(0, HEAD_BYTES), width: null, height: null, smaller: false };
  const decoded = await decode(file);
  if (!decoded) return unchanged;
  if (!small && !view && served && (await isAnimated(file))) {
    decoded.picture.close?.();
    return { blob: file, width: decoded.width, height: decoded.height, smaller: true, animated: true };
  }
  const part = partOf(decoded, direction, view);
  const needed = Math.max(direction.image.width, direction.image.height);
  const smallest = shrinkage(part, SMALL_SIDE, needed);
  const scale = small ? smallest : shrinkage(part, whole ? WHOLE_SIDE : LONGER_SIDE, needed);
  const canvas = draw(decoded.picture, part, scale);
  decoded.picture.close?.();
  const blob = await encodeSmall(canvas, lossy);
  if (!blob) return unchanged; // too many pixels for this browser's canvas
  return { blob, width: canvas.width, height: canvas.height, smaller: smallest < scale };
}
