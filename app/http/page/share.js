/** Share a picture with another app, if the browser can. */

/** Return whether this browser shares files of this picture's type. */
export function canShare(blob) {
  const file = new File([blob], "picture", { type: blob.type });
  return Boolean(navigator.canShare?.({ files: [file] }));
}

/** Open the share sheet; resolves once it is closed, shared or not. Throws if the browser refuses. */
export async function share(blob, name, title) {
  const files = [new File([blob], name, { type: blob.type })];
  try {
    await navigator.share({ files, title });
  } catch (error) {
    if (error.name !== "AbortError") throw error; // AbortError: the share sheet was closed
  }
}
