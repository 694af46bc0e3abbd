/** The service's HTTP contract, and what it says when it says no. */

import { keyHeaders } from "./key.js";
import { post } from "./upload.js";

/** A refusal in words: the fields of the server's problem JSON, and the seconds it asks us to wait. */
export class Problem extends Error {
  constructor({ status = 0, code = "unknown", title, detail, request_id = null }, retryAfterSeconds = 0) {
    super(detail);
    Object.assign(this, { status, code, title, detail, requestId: request_id, retryAfterSeconds });
  }

  /** Whether the same request can succeed later, unchanged. */
  get passing() {
    if (OUT_OF_ORDER.includes(this.code)) return false;
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }

  /** Whether the same picture can succeed with fewer bytes or pixels: the upload was too slow or too large. */
  get wantsSmaller() {
    return this.status === 408 || this.status === 413 || this.code === "too_many_pixels";
  }
}

const OUT_OF_ORDER = ["direction_defunct", "network_defunct"]; // until an operator mends it

const UNREACHABLE = {
  code: "unreachable",
  title: "The server cannot be reached",
  detail: "The connection failed. Check that you are online and that the server is running, then try again.",
};

async function refusal(response) {
  const seconds = Number(response.headers.get("Retry-After")) || 0;
  // A proxy in between may answer with a page of its own instead of our problem JSON.
  const problem = await response.json().catch(() => ({}));
  const title = problem.title ?? `The server answered ${response.status}`;
  const detail = problem.detail ?? "It gave no reason. Try again in a moment.";
  return new Problem({ ...problem, status: response.status, title, detail }, seconds);
}

async function ask(url, read, { send = fetch, ...init } = {}) {
  try {
    const response = await send(url, { ...init, headers: { ...init.headers, ...keyHeaders() } });
    if (!response.ok) throw await refusal(response);
    return await read(response);
  } catch (error) {
    if (error instanceof Problem || error.name === "AbortError") throw error;
    throw new Problem(UNREACHABLE);
  }
}

const asJson = (response) => response.json();
const asBlob = (response) => response.blob();

/** The directions the server offers, ready or not. */
export async function fetchDirections() {
  return (await ask("directions", asJson)).directions;
}

/**
 * Translate a picture's blob; resolves to the JSON answer of POST /translate. `options` are its query's;
 * `onProgress(share)` is called while the picture is being sent, with 1 once it is.
 */
export function translate(blob, options, { signal, onProgress }) {
  const body = new FormData();
  body.append("file", blob, "photo"); // the file's own name may tell more than the person means to
  const headers = { Accept: "application/json" };
  return ask(`translate?${new URLSearchParams(options)}`, asJson, { send: post, headers, body, signal, onProgress });
}

/**
 * A picture of an attention map as a PNG blob; `href` is the answer's, `options` are GET /attention's.
 * Only its id is used: a proxy may serve the page below a path that the service does not know.
 */
export function fetchAttention(href, options, signal) {
  const id = new URL(href, location.href).searchParams.get("id");
  const url = `attention?${new URLSearchParams({ id, ...options })}`;
  return ask(url, asBlob, { headers: { Accept: "image/png" }, signal });
}

/** The blob of an encoded picture `{media_type, data}` (base64) in a JSON answer. */
export function pictureBlob({ media_type, data }) {
  const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
  return new Blob([bytes], { type: media_type });
}
