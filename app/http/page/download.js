/** Handing a picture to the person: a file name that says what it is, and the browser's own download. */

const EXTENSIONS = { "image/png": "png", "image/jpeg": "jpg", "image/webp": "webp" };

/** `holiday.JPG`, `selfie2anime` -> `holiday-selfie2anime.png`; `parts` follow the direction. */
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
  // The download has its own hold on the blob once started; a minute is ample for every browser.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
