/** POST with upload progress, which `fetch` does not report. */

const HEADERS = ["Content-Type", "Retry-After"];

function responseOf(request) {
  const headers = new Headers();
  for (const name of HEADERS) {
    const value = request.getResponseHeader(name);
    if (value !== null) headers.set(name, value);
  }
  return new Response(request.response, { status: request.status, headers });
}

/**
 * Send a form; resolves to the Response, rejects as `fetch` does. `onProgress(share)` gets the sent share of the
 * bytes, 0 to 1; exactly 1 once all are sent.
 */
export function post(url, { headers, body, signal, onProgress }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const fail = () => reject(new TypeError("The connection failed."));
    const abort = () => request.abort();
    request.open("POST", url);
    request.responseType = "blob";
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.addEventListener("progress", ({ lengthComputable, loaded, total }) => {
      if (lengthComputable) onProgress(Math.min(0.99, loaded / total)); // 1 is for the event below
    });
    request.upload.addEventListener("load", () => onProgress(1));
    request.addEventListener("load", () => resolve(responseOf(request)));
    request.addEventListener("error", fail);
    request.addEventListener("timeout", fail);
    request.addEventListener("abort", () => reject(new DOMException("The request was stopped.", "AbortError")));
    request.addEventListener("loadend", () => signal.removeEventListener("abort", abort));
    signal.addEventListener("abort", abort);
    if (signal.aborted) return reject(signal.reason);
    request.send(body);
  });
}
