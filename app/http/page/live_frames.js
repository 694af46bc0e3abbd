/** The frames of a camera as pictures: as seen in a mirror, cut to the network's shape. */

import { CENTRE, shownPart } from "./view.js";

const SHOWN_SIDE = 512; // px of the longer side: what the page shows of a frame
const SENT_QUALITY = 0.85;
const PHOTO_QUALITY = 0.92;

function canvasOf({ width, height }) {
  return Object.assign(document.createElement("canvas"), { width, height });
}

function fit(canvas, { width, height }) {
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
}

const scaled = ({ width, height }, side) => {
  const scale = side / Math.max(width, height);
  return { width: Math.round(width * scale), height: Math.round(height * scale) };
};

/** Draw a part of a video over a canvas, left and right exchanged. */
function drawMirrored(canvas, video, part) {
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.setTransform(-1, 0, 0, 1, canvas.width, 0);
  context.drawImage(video, part.x, part.y, part.width, part.height, 0, 0, canvas.width, canvas.height);
}

const encode = (canvas, quality) => new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", quality));
const repaint = () => new Promise((resolve) => requestAnimationFrame(resolve));

/** Return the frames of a camera, which `video` plays. */
export function createFrames(video) {
  const shown = canvasOf({ width: 1, height: 1 });
  const sent = canvasOf({ width: 1, height: 1 });
  let last = -1; // the time of the frame that was sent last

  const partFor = ({ width, height }, zoom) =>
    shownPart({ width: video.videoWidth, height: video.videoHeight }, width / height, { ...CENTRE, zoom });

  /** Play a stream; `onEnd` is called if the camera stops by itself. */
  async function open(stream, onEnd) {
    video.srcObject = stream;
    last = -1;
    for (const track of stream.getVideoTracks()) track.addEventListener("ended", onEnd);
    await video.play();
  }

  function close() {
    for (const track of video.srcObject?.getTracks() ?? []) track.stop(); // `ended` does not fire for this
    video.srcObject = null;
  }

  /** Return the newest frame that was not sent yet `{shown, blob}`: to show, and at the network's size; null once aborted. */
  async function next(size, zoom, signal) {
    while (!signal.aborted && (video.currentTime === last || !video.videoWidth)) await repaint();
    if (signal.aborted) return null;
    last = video.currentTime;
    fit(shown, scaled(size, SHOWN_SIDE));
    fit(sent, size);
    drawMirrored(shown, video, partFor(size, zoom));
    sent.getContext("2d").drawImage(shown, 0, 0, size.width, size.height);
    return { shown, blob: await encode(sent, SENT_QUALITY) };
  }

  /** Return the present frame as a photo, at the camera's resolution. */
  async function photo(size, zoom) {
    const part = partFor(size, zoom);
    const canvas = canvasOf({ width: Math.round(part.width), height: Math.round(part.height) });
    drawMirrored(canvas, video, part);
    return new File([await encode(canvas, PHOTO_QUALITY)], "camera.jpg", { type: "image/jpeg" });
  }

  return { open, close, next, photo };
}
