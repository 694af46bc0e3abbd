/** Make a small upload of a photo: shrunk, upright, without metadata, in a format that every service reads. */

const LONGER_SIDE = 1600; // px: more than any network takes, at a tenth of a phone photo's bytes
const SMALL_SIDE = 512; // px, for a connection that cannot carry more
const LOSSLESS_BYTES = 500_000; // a drawing's PNG stays below it; a photo's is sent as JPEG instead
const JPEG_QUALITY = 0.92;
const HEAD_BYTES = 4096; // enough for the service to name the format

const SIGNATURES = [
  { bytes: [0xff, 0xd8, 0xff], served: true, lossy: true }, // JPEG
  { bytes: [0x89, 0x50, 0x4e, 0x47], served: true, lossy: false }, // PNG
  { bytes: [0x52, 0x49, 0x46, 0x46, null, null, null, null, 0x57, 0x45, 0x42, 0x50], served: true, lossy: false }, // WebP
  { bytes: [null, null, null, null, 0x66, 0x74, 0x79, 0x70], served: false, lossy: true }, // AVIF, HEIC
];
const UNKNOWN = { served: false, lossy: false };

/** Of the file's format by its own bytes: whether the service reads it, and whether it holds photos. */
async function signature(file) {
  const head = new Uint8Array(await file.slice(0, 12).arrayBuffer());
  const fits = ({ bytes }) => bytes.every((byte, at) => byte === null || byte === head[at]);
  return SIGNATURES.find(fits) ?? UNKNOWN;
}

/** What `<img>` can show and createImageBitmap refuses, as SVG. */
async function decodeAsImage(file) {
  const image = new Image();
  image.src = URL.createObjectURL(file);
  try {
    await image.decode();
    if (!image.naturalWidth || !image.naturalHeight) return null;
    return { picture: image, width: image.naturalWidth, height: image.naturalHeight };
  } catch {
    return null;
  } finally {
    URL.revokeObjectURL(image.src);
  }
}

/** The picture, upright and of an animation its first frame, or null if this browser cannot decode it. */
async function decode(file) {
  const bitmap = await createImageBitmap(file, { imageOrientation: "from-image" }).catch(() => null);
  if (bitmap) return { picture: bitmap, width: bitmap.width, height: bitmap.height };
  return decodeAsImage(file);
}

/** The factor that makes the longer side `longer`, but leaves the shorter one what the network needs; at most 1. */
function shrinkage({ width, height }, longer, needed) {
  return Math.min(1, Math.max(longer / Math.max(width, height), needed / Math.min(width, height)));
}

function draw({ picture, width, height }, scale) {
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, 0, 0, canvas.width, canvas.height);
  return canvas;
}

/** Lay what is transparent over white, as the service does before it translates. */
function flatten(canvas) {
  const context = canvas.getContext("2d");
  context.globalCompositeOperation = "destination-over";
  context.fillStyle = "white";
  context.fillRect(0, 0, canvas.width, canvas.height);
}

const encode = (canvas, type) => new Promise((resolve) => canvas.toBlob(resolve, type, JPEG_QUALITY));

/** PNG where nothing was lost yet and it is small, else JPEG; neither holds the file's metadata. */
async function encodeSmall(canvas, lossy) {
  const png = lossy ? null : await encode(canvas, "image/png");
  if (png && png.size <= LOSSLESS_BYTES) return png;
  flatten(canvas);
  return encode(canvas, "image/jpeg");
}

/**
 * The upload for a photo: `{blob, width, height, smaller}`. `smaller` says whether a smaller copy can be made.
 * What this browser cannot decode goes as it is, with width and height null: the service says what is wrong
 * with it. Of a format that the service does not read, the first bytes are enough for that.
 */
export async function prepare(file, { direction, small = false }) {
  const { served, lossy } = await signature(file);
  const asItIs = { blob: served ? file : file.slice(0, HEAD_BYTES), width: null, height: null, smaller: false };
  const decoded = await decode(file);
  if (!decoded) return asItIs;
  const needed = Math.max(direction.image.width, direction.image.height);
  const smallest = shrinkage(decoded, SMALL_SIDE, needed);
  const scale = small ? smallest : shrinkage(decoded, LONGER_SIDE, needed);
  const canvas = draw(decoded, scale);
  decoded.picture.close?.();
  const blob = await encodeSmall(canvas, lossy);
  if (!blob) return asItIs; // more pixels than this browser's canvas holds
  return { blob, width: canvas.width, height: canvas.height, smaller: smallest < scale };
}
