/** How large the translated picture comes back, and in which words the page says so. */

const STEPS = [512, 1024];
const DEFAULT_SIDE = 1024; // px: sharp on a screen and in a message
const LOSSLESS_SIDE = 512; // px: a larger one was enlarged, and as PNG has five times JPEG's bytes

const longer = ({ width, height }) => Math.max(width, height);

/** Width and height of what is translated of a photo, in its own pixels, as the service reckons them. */
function shownPart(photo, network, fit) {
  if (fit === "contain") return photo;
  const ratios = [photo.width / network.width, photo.height / network.height];
  const scale = fit === "cover" ? Math.min(...ratios) : longer(photo) / longer(network);
  return { width: network.width * scale, height: network.height * scale };
}

function option(value, words) {
  return Object.assign(document.createElement("option"), { value, textContent: words });
}

/** The sides on offer `[{side, words}]`, ascending: the network's own, round numbers, the photo's own. */
function offers(photo, network, fit) {
  const own = longer(network);
  const most = photo.width ? Math.round(longer(shownPart(photo, network, fit))) : own;
  const between = STEPS.filter((side) => side > own && side < most).map((side) => ({ side, words: `${side} px` }));
  const all = [{ side: own, words: `${own} px, the model's own` }, ...between];
  return most > own ? [...all, { side: most, words: `${most} px, as your photo` }] : all;
}

/**
 * The choice of a size; `choose(photo, network, fit)` fills it for a photo `{width, height}` (null if unknown)
 * and returns the options of POST /translate. What a person chose stays as near as the photo allows.
 */
export function createSize({ select, row, onChange }) {
  let wish = DEFAULT_SIDE;
  select.addEventListener("change", () => {
    wish = Number(select.value);
    onChange();
  });

  function choose(photo, network, fit) {
    const all = offers(photo, network, fit);
    const { side } = all.findLast((each) => each.side <= wish) ?? all[0];
    select.replaceChildren(...all.map((each) => option(each.side, each.words)));
    select.value = side;
    row.hidden = all.length === 1;
    if (side === longer(network)) return {}; // exactly what the network painted
    return { size: side, format: side > LOSSLESS_SIDE ? "jpeg" : "png" };
  }
  return { choose };
}

const KINDS = { "image/png": "PNG", "image/jpeg": "JPEG", "image/webp": "WebP" };

/** "1024 × 768 px, JPEG. Enlarged from the 128 px that the model paints." */
export function sizeWords({ media_type, width, height }, network) {
  const own = longer(network);
  const enlarged = Math.max(width, height) > own ? ` Enlarged from the ${own} px that this model paints.` : "";
  return `${width} × ${height} px, ${KINDS[media_type] ?? media_type}.${enlarged}`;
}
