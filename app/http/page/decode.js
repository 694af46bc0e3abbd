/** Decode a file to a picture that can be drawn. */

/** Decode a file that `<img>` can show but createImageBitmap cannot, such as SVG. */
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

/** Return `{picture, width, height}`, upright (of an animation the first frame), or null if this browser cannot decode it. */
export async function decode(file) {
  const bitmap = await createImageBitmap(file, { imageOrientation: "from-image" }).catch(() => null);
  if (bitmap) return { picture: bitmap, width: bitmap.width, height: bitmap.height };
  return decodeAsImage(file);
}
