/** Choose what of a photo is translated: its faces, its centre, a part framed by hand, or all of it; and whether it is put back. */

const WORDS = {
  face: "The largest face, turned upright and framed as the network knows it; the centre if there is none.",
  faces: "Every face, put back into the whole photo.",
  cover: "The centre of the photo, cut to the network's shape.",
  contain: "The whole photo; the padding is removed afterwards.",
  stretch: "The whole photo, squeezed to the network's shape, as in the original software.",
  native: "The whole photo at its own shape, up to a million pixels. This takes longer.",
};
const PLACE = "The face that you chose.";
const VIEW = "The part of this photo that you framed.";
const PUT_BACK = " The translation is put back into the whole photo.";

/**
 * Return the choice of a framing. `offer(direction)` shows what suits a direction and chooses its default.
 * `options(upload, item)` returns the options of POST /translate for an upload `{width, height}` of a photo: its own
 * `place` (of a face) or `view` comes before the choice for all. `onChange()` is called after a choice for all photos,
 * `onPaste()` after one to put them back or not, `onHand()` if a part is to be framed by hand.
 */
export function createFraming({ fieldset, pasteRow, paste, note, onChange, onPaste, onHand }) {
  let common = "cover"; // the choice for all photos
  let displayed = "cover"; // that of the shown photo, which may have its own

  const radio = (value) => fieldset.querySelector(`[value=${value}]`);
  const checked = () => fieldset.querySelector("input:checked").value;
  const chosen = () => (checked() === displayed || checked() === "hand" ? common : checked());
  const canPaste = (item) => !item?.view && (item?.place != null || chosen() === "face" || chosen() === "cover");
  const whole = (item) => (!item?.view && !item?.place && chosen() === "faces") || (canPaste(item) && paste.checked);

  /** Show the framing of a photo. */
  function show(item) {
    common = chosen();
    displayed = item?.view ? "hand" : item?.place ? "face" : common;
    radio(displayed).checked = true;
    pasteRow.hidden = !canPaste(item);
    const words = item?.view ? VIEW : item?.place ? PLACE : WORDS[common];
    note.textContent = words + (canPaste(item) && paste.checked ? PUT_BACK : "");
  }

  function choose(value) {
    [common, displayed] = [value, value];
    radio(value).checked = true;
    show(null);
  }

  function offer(direction) {
    for (const value of ["face", "faces"]) radio(value).parentElement.hidden = direction.framing === "picture";
    radio("native").parentElement.hidden = direction.image.fixed;
    choose(direction.framing === "face" ? "face" : "cover");
  }

  function faceOptions(photo, { place }) {
    if (!place && chosen() === "faces") return { face: "all" };
    if (!place && chosen() !== "face") return { face: "none" };
    if (!place || !photo.width) return { face: "auto" };
    return { face: "at", x: Math.round(place.x * photo.width), y: Math.round(place.y * photo.height) };
  }

  function options(photo, item) {
    if (item.view) return { fit: "cover", face: "none" };
    const searched = item.place || chosen() === "face" || chosen() === "faces";
    const fit = searched ? "cover" : chosen();
    return { fit, ...faceOptions(photo, item), ...(whole(item) ? { paste: true } : {}) };
  }

  fieldset.addEventListener("change", () => {
    if (checked() === "hand") return onHand();
    choose(checked());
    onChange();
  });
  paste.addEventListener("change", onPaste);
  show(null);
  return { offer, options, choose, chosen, show, whole, canPaste };
}
