/** Save a picture with the browser's download, under a descriptive name. */

const EXTENSIONS = { "image/png": "png", "image/jpeg": "jpg", "image/webp": "webp", "image/gif": "gif" };

/** Return a file name: `holiday.JPG`, `selfie2anime` -> `holiday-selfie2anime.png`. */
export function pictureName(photoName, blob, ...parts) {
  const stem = photoName.replace(/\.[^.]*$/, "") || "photo";
  return `${[stem, ...parts].join("-")}.${EXTENSIONS[blob.type] ?? "png"}`;
}

/** Save a blob under a name. */
export function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // A started download keeps its blob; every browser starts it within a minute.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

const PAUSE_MS = 300; // browsers drop downloads that begin at the same moment

/** Save the results of all translated photos, one after another; `saveOne(item)` saves one. */
export async function saveAll(items, saveOne) {
  for (const item of items.filter(({ state }) => state === "done")) {
    saveOne(item);
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}
