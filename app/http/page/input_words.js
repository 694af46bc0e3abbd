/** Say which faces were found and how well the photo suits the network, in words that one can act on. */

const SMALL_FACE = 0.5; // over the height of the frame
const TURNED_DEGREES = 15;
const BLURRED = 0.4;
const FEW_PIXELS = 0.7; // of the network's height: fewer pixels of a face are enlarged, and look soft

const SHARES = [[0.15, "a tenth"], [0.225, "a fifth"], [0.29, "a quarter"], [0.41, "a third"], [1, "less than half"]];

function sizeAdvice({ height, pixels }, network) {
  if (pixels < FEW_PIXELS * network.height) {
    return `Your face is only ${Math.round(pixels)} pixels high: move closer, or send a larger photo.`;
  }
  if (height >= SMALL_FACE) return null;
  return `Your face fills ${SHARES.find(([most]) => height < most)[1]} of the frame: move closer.`;
}

function turnAdvice({ turned_degrees: turned }) {
  if (Math.abs(turned) < TURNED_DEGREES) return null;
  return `Your head is tilted by ${Math.round(Math.abs(turned))}°: hold it straight.`;
}

function edgeAdvice({ box }, photo) {
  const margin = 0.1 * box.height;
  const inside = box.x > -margin && box.y > -margin
    && box.x + box.width < photo.width + margin && box.y + box.height < photo.height + margin;
  return inside ? null : "Your face is cut off: keep it inside the photo.";
}

function advice(face, input, photo, network) {
  const found = [
    sizeAdvice(input.face, network),
    turnAdvice(input.face),
    photo.width ? edgeAdvice(face, photo) : null,
    input.sharpness < BLURRED ? "Your face is blurred: hold still, and use more light." : null,
  ].filter(Boolean);
  return found.length ? found.join(" ") : "The photo suits the network well.";
}

/** Return sentences about the faces of an answer and what would help; none if no faces were searched for. */
export function inputWords({ faces, input }, photo, network) {
  if (!faces) return "";
  const translated = faces.filter((face) => face.translated);
  if (!faces.length) {
    return "No face was found, so the centre was translated. Use a photo in which a face is larger and turned less.";
  }
  if (translated.length > 1) {
    const which = translated.length < faces.length ? `The ${translated.length} largest of` : "All";
    return `${which} ${faces.length} faces were translated.`;
  }
  const others = faces.length > 1 ? `${faces.length} faces were found; choose another one under Framing. ` : "";
  return others + advice(translated[0], input, photo, network);
}
