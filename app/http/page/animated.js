/** Tell animated files from still ones, by their first bytes. */

const HEAD_BYTES = 262_144; // holds the first two frames' headers of a usual GIF

const text = (bytes) => Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");

/** Return whether a GIF has a second frame, or a number of repeats, which only animations have. */
const gifMoves = (head) => head.includes("NETSCAPE2.0") || head.split("\x21\xf9\x04").length > 2;

/** Return whether a file is an animated GIF, WebP or PNG. */
export async function isAnimated(file) {
  const head = text(new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer()));
  if (head.startsWith("GIF8")) return gifMoves(head);
  if (head.startsWith("RIFF")) return head.slice(12, 16) === "VP8X" && (head.charCodeAt(20) & 2) !== 0;
  const control = head.indexOf("acTL");
  return head.startsWith("\x89PNG") && control > 0 && control < head.indexOf("IDAT");
}
