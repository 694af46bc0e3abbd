/** Choose and describe the size of the translated picture. */

const STEPS = [512, 1024];
const DEFAULT_SIDE = 1024; // px: sharp on a screen and in a message
const LOSSLESS_SIDE = 512; // px: an enlarged picture takes five times JPEG's bytes as PNG

const longer = ({ width, height }) => Math.max(width, height);

/** Return width and height of the translated part of a photo, in the photo's pixels, as the service computes them. */
function shownPart(photo, network, fit) {
  if (fit === "contain") return photo;
  const ratios = [photo.width / network.width, photo.height / network.height];
  const scale = fit === "cover" ? Math.min(...ratios) : longer(photo) / longer(network);
  return { width: network.width * scale, height: network.height * scale };
}

function option(value, words) {
  return Object.assign(document.createElement("option"), { value, textContent: words });
}

/** Return the available sides `[{side, words}]`, ascending: the network's, round numbers, the photo's. */
function offers(photo, network, fit) {
  const own = longer(network);
  const most = photo.width ? Math.round(longer(shownPart(photo, network, fit))) : own;
  const between = STEPS.filter((side) => side > own && side < most).map((side) => ({ side, words: `${side} px` }));
  const all = [{ side: own, words: `${own} px, the model's own` }, ...between];
  return most > own ? [...all, { side: most, words: `${most} px, as your photo` }] : all;
}

/**
 * Return the choice of a size. `options(photo, network, fit)` returns the options of POST /translate for a photo
 * `{width, height}` (null if unknown), `show(...)` fills the choice. The chosen size is kept, as far as a photo allows.
 */
export function createSize({ select, row, onChange }) {
  let wanted = DEFAULT_SIDE;
  select.addEventListener("change", () => {
    wanted = Number(select.value);
    onChange();
  });

  const sideOf = (all) => (all.findLast(({ side }) => side <= wanted) ?? all[0]).side;

  function options(photo, network, fit) {
    const side = sideOf(offers(photo, network, fit));
    if (side === longer(network)) return {}; // the network's output, unchanged
    return { size: side, format: side > LOSSLESS_SIDE ? "jpeg" : "png" };
  }

  /** Offer the sizes of a photo; none if it is translated at its own or if the answer is the whole photo. */
  function show(photo, network, fit, whole) {
    const all = offers(photo, network, fit);
    row.hidden = whole || fit === "native" || all.length === 1;
    select.replaceChildren(...all.map(({ side, words }) => option(side, words)));
    select.value = sideOf(all);
  }
  return { options, show };
}

const KINDS = { "image/png": "PNG", "image/jpeg": "JPEG", "image/webp": "WebP", "image/gif": "GIF" };

/** Return "1024 × 768 px, JPEG. Enlarged from the 128 px that this model paints." `whole`: it has the photo's own size. */
export function sizeWords({ media_type, width, height }, network, whole) {
  const own = longer(network);
  const enlarged = !whole && Math.max(width, height) > own ? ` Enlarged from the ${own} px that this model paints.` : "";
  return `${width} × ${height} px, ${KINDS[media_type] ?? media_type}.${enlarged}`;
}
