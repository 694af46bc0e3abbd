/** Choose what of a photo is translated: its faces, its centre, or all of it; and whether it is put back. */

const WORDS = {
  face: "The largest face, turned upright and framed as the network knows it; the centre if there is none.",
  faces: "Every face, put back into the whole photo.",
  cover: "The centre of the photo, cut to the network's shape.",
  contain: "The whole photo; the padding is removed afterwards.",
  stretch: "The whole photo, squeezed to the network's shape, as in the original software.",
};
const PUT_BACK = " The translation is put back into the whole photo.";

/**
 * Return the choice of a framing. `offer(direction)` shows what suits a direction and chooses its default.
 * `options(photo)` returns the options of POST /translate for an upload `{width, height}`.
 */
export function createFraming({ fieldset, pasteRow, paste, note, onChange }) {
  let place = null; // of the chosen face, as shares of the photo's width and height

  const chosen = () => fieldset.querySelector("input:checked").value;
  const radio = (value) => fieldset.querySelector(`[value=${value}]`);
  const canPaste = () => chosen() === "face" || chosen() === "cover";
  const whole = () => chosen() === "faces" || (canPaste() && paste.checked);

  function describe() {
    pasteRow.hidden = !canPaste();
    note.textContent = (place ? "The face that you chose." : WORDS[chosen()]) + (canPaste() && paste.checked ? PUT_BACK : "");
  }

  function choose(value) {
    radio(value).checked = true;
    place = null;
    describe();
  }

  function offer(direction) {
    for (const value of ["face", "faces"]) radio(value).parentElement.hidden = direction.framing === "picture";
    choose(direction.framing === "face" ? "face" : "cover");
  }

  /** Choose the face at a place in the photo, or none in particular. */
  function chooseFace(share) {
    choose("face");
    place = share;
    describe();
  }

  function faceOptions(photo) {
    if (chosen() === "faces") return { face: "all" };
    if (chosen() !== "face") return { face: "none" };
    if (!place || !photo.width) return { face: "auto" };
    return { face: "at", x: Math.round(place.x * photo.width), y: Math.round(place.y * photo.height) };
  }

  function options(photo) {
    const searched = chosen() === "face" || chosen() === "faces";
    const fit = searched ? "cover" : chosen();
    return { fit, ...faceOptions(photo), ...(whole() ? { paste: true } : {}) };
  }

  fieldset.addEventListener("change", () => {
    choose(chosen());
    onChange();
  });
  paste.addEventListener("change", () => {
    describe();
    onChange();
  });
  describe();
  return { offer, options, chooseFace, choose, chosen, whole, forget: () => choose(chosen()) };
}
