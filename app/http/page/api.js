/** Calls of the service's HTTP API, and its problems as errors. */

import { keyHeaders } from "./key.js";
import { post } from "./upload.js";

/** An error with the fields of the server's problem JSON and the seconds of its Retry-After. */
export class Problem extends Error {
  constructor({ status = 0, code = "unknown", title, detail, request_id = null }, retryAfterSeconds = 0) {
    super(detail);
    Object.assign(this, { status, code, title, detail, requestId: request_id, retryAfterSeconds });
  }

  /** Whether the same request may succeed later. */
  get retryable() {
    if (OUT_OF_ORDER.includes(this.code)) return false;
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }

  /** Whether a smaller copy of the picture may succeed: the upload was too slow or too large. */
  get needsSmaller() {
    return this.status === 408 || this.status === 413 || ["too_many_pixels", "too_many_frames"].includes(this.code);
  }
}

const OUT_OF_ORDER = ["direction_defunct", "network_defunct", "style_encoder_defunct"]; // until an operator repairs it

const UNREACHABLE = {
  code: "unreachable",
  title: "The server cannot be reached",
  detail: "The connection failed. Check that you are online and that the server is running, then try again.",
};

async function problemOf(response) {
  const seconds = Number(response.headers.get("Retry-After")) || 0;
  // A proxy may answer with an HTML page instead of our problem JSON.
  const problem = await response.json().catch(() => ({}));
  const title = problem.title ?? `The server answered ${response.status}`;
  const detail = problem.detail ?? "It sent no explanation. Try again in a moment.";
  return new Problem({ ...problem, status: response.status, title, detail }, seconds);
}

async function call(url, read, { send = fetch, ...init } = {}) {
  try {
    const response = await send(url, { ...init, headers: { ...init.headers, ...keyHeaders() } });
    if (!response.ok) throw await problemOf(response);
    return await read(response);
  } catch (error) {
    if (error instanceof Problem || error.name === "AbortError") throw error;
    throw new Problem(UNREACHABLE);
  }
}

const asJson = (response) => response.json();
/** Return the blob and the values of its lowest and highest colour. */
async function asHeatMap(response) {
  const [low, high] = (response.headers.get("X-Value-Range") ?? "").split(" ").map(Number);
  return { blob: await response.blob(), low, high };
}

/** Return the server's directions, ready or not. */
export async function fetchDirections() {
  return (await call("directions", asJson)).directions;
}

/**
 * Translate a picture's blob; resolves to the JSON answer of POST /translate. `options` is its query, `reference` the
 * blob of a picture whose style is taken, or null. `onProgress(share)` is called during the upload, and with 1 at its end.
 */
export function translate(blob, options, { signal, onProgress, reference = null }) {
  const body = new FormData();
  body.append("file", blob, "photo"); // the file's own name may be private
  if (reference) body.append("reference", reference, "reference");
  const headers = { Accept: "application/json" };
  return call(`translate?${new URLSearchParams(options)}`, asJson, { send: post, headers, body, signal, onProgress });
}

/** Translate a picture's blob in several styles; resolves to `[{seed, image}]`. The service keeps nothing of it. */
export async function fetchStyles(blob, options, signal) {
  const query = new URLSearchParams({ ...options, keep: "false", format: "jpeg" });
  const headers = { Accept: "application/json", "Content-Type": blob.type || "application/octet-stream" };
  return (await call(`translate?${query}`, asJson, { method: "POST", headers, body: blob, signal })).styles;
}

/**
 * Translate a picture's blob and its translation back; resolves to `{image, l1}`. `options` and `reference` are as for
 * `translate`; of an animation it is the first frame. The service keeps nothing of it.
 */
export async function fetchReconstruction(blob, options, { signal, reference }) {
  const all = { ...options, cycle: "true", frames: "first", keep: "false" };
  return (await translate(blob, all, { signal, reference, onProgress: () => {} })).cycle;
}

const asPicture = async (response) => ({ picture: await response.blob(), overlay: null });

async function asPictures(response) {
  const { image, attention } = await response.json();
  return { picture: pictureBlob(image), overlay: attention && pictureBlob(attention.overlay) };
}

/**
 * Translate a frame of a camera, of which the service keeps nothing; resolves to `{picture, overlay}`, JPEG blobs.
 * With `overlay` it has the heat map over the frame, else null.
 */
export function translateFrame(blob, direction, { overlay, signal }) {
  const options = new URLSearchParams({ direction, face: "none", keep: "false", format: "jpeg" });
  const headers = { Accept: overlay ? "application/json" : "image/jpeg", "Content-Type": "image/jpeg" };
  const request = { method: "POST", headers, body: blob, signal };
  return call(`translate?${options}`, overlay ? asPictures : asPicture, request);
}

/**
 * Return a heat map: `{blob, low, high}`, a PNG and the values of its lowest and highest colour. `href` is from the answer, `options` is the query of GET /attention.
 * Only the id of `href` is used: a proxy may serve the page below a path that the service does not know.
 */
export function fetchAttention(href, options, signal) {
  const id = new URL(href, location.href).searchParams.get("id");
  const url = `attention?${new URLSearchParams({ id, ...options })}`;
  return call(url, asHeatMap, { headers: { Accept: "image/png" }, signal });
}

/** Return the blob of an encoded picture `{media_type, data}` (base64) in a JSON answer. */
export function pictureBlob({ media_type, data }) {
  const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
  return new Blob([bytes], { type: media_type });
}
