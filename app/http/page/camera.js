/** Take a photo with the phone's camera app, or with a viewfinder in the page. */

const REASONS = {
  NotAllowedError: "The browser was not allowed to use the camera. Allow it in the address bar, or choose a photo instead.",
  NotFoundError: "No camera was found. Connect one, or choose a photo instead.",
  NotReadableError: "The camera is in use by another program. Close that program, or choose a photo instead.",
};
const NOT_SECURE = "Browsers allow the camera only on localhost or over HTTPS. Choose a photo instead.";

/** The camera cannot be used; the message says why and what to do. */
export class NoCamera extends Error {}

const isPhone = () => matchMedia("(hover: none) and (pointer: coarse)").matches;

/** Return the camera's video as a stream; throws NoCamera. */
export async function openStream() {
  if (!navigator.mediaDevices) throw new NoCamera(NOT_SECURE);
  const video = { facingMode: "user", width: { ideal: 1280 }, height: { ideal: 1280 } };
  try {
    return await navigator.mediaDevices.getUserMedia({ video, audio: false });
  } catch (error) {
    throw new NoCamera(REASONS[error.name] ?? `The camera did not start (${error.name}). Choose a photo instead.`);
  }
}

function snapshot(video) {
  // Square and mirrored like the viewfinder, so that the photo is what was shown.
  const side = Math.min(video.videoWidth, video.videoHeight);
  const canvas = Object.assign(document.createElement("canvas"), { width: side, height: side });
  const context = canvas.getContext("2d");
  context.setTransform(-1, 0, 0, 1, side, 0);
  context.drawImage(video, (side - video.videoWidth) / 2, (side - video.videoHeight) / 2);
  return new Promise((resolve) => {
    canvas.toBlob((blob) => resolve(new File([blob], "camera.jpg", { type: "image/jpeg" })), "image/jpeg", 0.92);
  });
}

/** Return the camera dialog. `open()` throws NoCamera; `onPhoto(file)` gets the photo. */
export function createCamera({ dialog, capture, onPhoto }) {
  const video = dialog.querySelector("video");
  const shutter = dialog.querySelector("#shutter");

  const stopStream = () => {
    for (const track of video.srcObject?.getTracks() ?? []) track.stop();
    video.srcObject = null;
  };
  video.addEventListener("loadeddata", () => (shutter.disabled = false));
  dialog.addEventListener("close", stopStream);
  dialog.querySelector("#camera-cancel").addEventListener("click", () => dialog.close());
  shutter.addEventListener("click", async () => {
    const photo = await snapshot(video);
    dialog.close();
    onPhoto(photo);
  });

  async function open() {
    if (isPhone()) return capture.click();
    shutter.disabled = true; // until the first frame: before it a photo would be black
    video.srcObject = await openStream();
    dialog.showModal();
    shutter.focus();
  }
  return { open };
}
