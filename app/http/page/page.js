/** The page: take a photo, show its translation and its heat maps. */

import { fetchDirections, pictureBlob, translate } from "./api.js";
import { createAttention } from "./attention.js";
import { createCamera } from "./camera.js";
import { expectations, headline, serves, showCard, showDirections } from "./directions.js";
import { pictureName, save } from "./download.js";
import { clearFailure, showFailure, tryAgain } from "./failure.js";
import { createFaces } from "./faces.js";
import { createFraming } from "./framing.js";
import { inputWords } from "./input_words.js";
import { watchIntake } from "./intake.js";
import { prepare } from "./prepare.js";
import { canShare, share } from "./share.js";
import { createSize, sizeWords } from "./size.js";
import { createStage } from "./stage.js";
import { showVerdict } from "./verdict.js";

const $ = (id) => document.getElementById(id);
const LOADING_POLL_MS = 2000;
const SAMPLE = "page/sample.jpg";
const NO_FACE = "Use a photo in which a face is larger and turned less, or translate the centre of this one.";
const stage = createStage($("frame"));
const attention = createAttention({
  panel: $("attention"),
  stage,
  onFailure: showAttentionFailure,
});
const size = createSize({ select: $("size"), row: $("size-row"), onChange: () => translatePhoto() });
const framing = createFraming({
  fieldset: $("fit"),
  pasteRow: $("paste-row"),
  paste: $("paste"),
  note: $("fit-words"),
  onChange: () => translatePhoto(),
});
const faces = createFaces({
  panel: $("faces"),
  map: $("face-map"),
  onChoose: (place) => {
    framing.chooseFace(place);
    translatePhoto();
  },
});
const camera = createCamera({ dialog: $("camera"), capture: $("capture"), onPhoto: takePhoto });

let directions = [];
let direction = null; // the chosen one
let photo = null; // the file to translate
let small = false; // whether to send a smaller copy
let picture = null; // the translation's blob
let aborter = new AbortController();

function setState(state) {
  $("main").dataset.state = state;
  $("frame").setAttribute("aria-busy", String(state === "busy"));
}

function showToast(words) {
  $("toast").hidden = !words;
  $("toast-words").textContent = words;
}

/** Translate a new photo instead of the one before. */
function takePhoto(file) {
  photo = file;
  small = false;
  framing.forget();
  faces.hide();
  showToast("");
  return translatePhoto();
}

async function translatePhoto() {
  if (!photo || !direction) return;
  aborter.abort();
  aborter = new AbortController();
  const { signal } = aborter;
  const chosen = direction;
  let upload = null;
  let sent = 0; // share of the upload, 0 to 1
  showBusy();
  try {
    const whole = framing.whole();
    upload = await prepare(photo, { direction: chosen, small, whole });
    if (signal.aborted) return;
    const part = framing.options(upload);
    const sizes = whole ? size.chooseWhole() : size.choose(upload, chosen.image, part.fit);
    const moving = upload.animated ? { format: "webp" } : {};
    const options = { direction: chosen.name, ...part, ...sizes, ...moving };
    const shown = part.face && part.face !== "none" ? "contain" : part.fit; // until its frame is known
    const onProgress = (share) => {
      sent = share;
      if (!signal.aborted) showProgress(share, chosen);
    };
    const [answer] = await Promise.all([
      translate(upload.blob, options, { signal, onProgress }),
      stage.showSource(upload.blob, chosen, whole ? "contain" : shown, signal),
    ]);
    if (!whole) stage.frameSource(answer.framing?.corners, answer.image);
    await showAnswer(answer, { upload, chosen, whole }, signal);
  } catch (error) {
    if (!signal.aborted) showProblem(error, upload, sent);
  }
}

function showBusy() {
  clearFailure($("failure"));
  attention.hide();
  setWorking("Preparing the photo …");
  $("sent").hidden = true;
  setState("busy");
  $("frame").scrollIntoView({ block: "nearest" }); // the buttons for a photo may be far below
}

/** Show the current work, also to screen readers; call it only when the kind of work changes. */
function setWorking(words) {
  $("working").textContent = words;
  $("status").textContent = words;
}

/** Show the progress of the upload; `share` 1 means that the translation has begun. */
function showProgress(share, chosen) {
  $("sent").hidden = share === 1;
  $("sent").value = share;
  if (share === 1) return setWorking(`Translating ${chosen.source} to ${chosen.target} …`);
  if (!$("status").textContent.startsWith("Sending")) $("status").textContent = "Sending the photo …";
  $("working").textContent = `Sending the photo, ${Math.floor(share * 100)} % …`;
}

async function showAnswer(answer, { upload, chosen, whole }, signal) {
  picture = pictureBlob(answer.image);
  setState("result");
  showVerdict(answer.attention?.source_probability ?? null, chosen);
  $("size-words").textContent = sizeWords(answer.image, chosen.image, whole);
  $("input-words").textContent = inputWords(answer, upload, chosen.image);
  $("input-words").hidden = !$("input-words").textContent;
  $("expectations").textContent = expectations(chosen);
  $("share").hidden = !canShare(picture);
  $("status").textContent = `Translated in ${(answer.timings_ms.total / 1000).toFixed(2)} s.`;
  await stage.showTranslation(picture, answer.image);
  await faces.show(answer.faces ?? [], upload.blob);
  if (signal.aborted) return;
  if (answer.attention?.href) attention.show(answer.attention.href, chosen, photo.name);
  keepFocus($("split"));
}

function translateSmaller() {
  small = true;
  return translatePhoto();
}

function translateCentre() {
  framing.choose("cover");
  return translatePhoto();
}

/** Return the remedy of an error. If the upload was too slow or too large, only a smaller copy can succeed. */
function remedyFor(error, upload, sent) {
  const interrupted = error.code === "unreachable" && sent > 0 && sent < 1; // some proxies stop slow uploads
  if (upload?.smaller && (error.needsSmaller || interrupted)) {
    return { words: "Send a smaller copy", act: translateSmaller };
  }
  if (error.code === "no_face") return { words: "Translate the centre", act: translateCentre };
  return error.needsSmaller ? null : tryAgain(error, translatePhoto);
}

/** Return an error in the page's words, where the service's name options of the API. */
function inOwnWords(error) {
  if (error.code !== "no_face") return error;
  return Object.assign(error, { detail: NO_FACE });
}

function showProblem(failure, upload, sent) {
  const error = inOwnWords(failure);
  setState("error");
  $("status").textContent = "";
  showFailure($("failure"), error, remedyFor(error, upload, sent));
  keepFocus($("failure").querySelector("input, button"));
}

function showAttentionFailure(error, retry) {
  clearFailure($("attention-failure"));
  if (!error) return;
  const expired = error.status === 404; // heat maps are kept for minutes; a new translation has new ones
  const remedy = expired ? { words: "Translate again", act: translatePhoto } : tryAgain(error, retry);
  showFailure($("attention-failure"), error, remedy);
}

/** Move the focus to an element if the focused one is no longer shown. */
function keepFocus(element) {
  const lost = document.activeElement === document.body || document.activeElement.offsetParent === null;
  if (lost) element?.focus({ preventScroll: true });
}

function stop() {
  aborter.abort();
  photo = null;
  $("status").textContent = "Stopped.";
  setState("empty");
}

/** Return the direction in the page's address, else the first one that serves. */
function firstChoice() {
  const named = new URLSearchParams(location.search).get("direction");
  const serving = directions.filter(serves);
  return serving.find((one) => one.name === named) ?? serving[0];
}

function choose(chosen) {
  direction = chosen;
  history.replaceState(null, "", `?${new URLSearchParams({ direction: chosen.name })}`); // for reloading and sharing
  framing.offer(chosen);
  faces.hide();
  $("part-words").textContent = framing.chosen() === "face" ? "Its face is found and translated." : "Its centre is translated.";
  $("headline").textContent = headline(chosen);
  showCard($("about"), chosen);
}

function reloadDirections() {
  clearFailure($("failure"));
  setState("empty");
  return loadDirections();
}

function invitation(ready) {
  if (ready) return "Start with a photo";
  if (directions.length === 0) return "This server has no model yet";
  return directions.find((one) => one.reason)?.reason ?? "No model is ready yet";
}

/** Show the directions; repeat while the server is loading, until one is ready. */
async function loadDirections() {
  try {
    directions = await fetchDirections();
  } catch (error) {
    setState("error");
    return showFailure($("failure"), error, tryAgain(error, reloadDirections));
  }
  const ready = firstChoice();
  showDirections($("directions"), directions, ready);
  $("invitation").textContent = invitation(ready);
  if (!ready) return setTimeout(loadDirections, LOADING_POLL_MS);
  choose(ready);
  return translatePhoto(); // a photo may have been chosen before the directions were known
}

async function openCamera() {
  showToast("");
  try {
    await camera.open();
  } catch (error) {
    showToast(error.message);
  }
}

async function takeSample() {
  try {
    const response = await fetch(SAMPLE);
    if (!response.ok) throw new Error(response.statusText);
    takePhoto(new File([await response.blob()], "sample.jpg", { type: "image/jpeg" }));
  } catch {
    showToast("The sample could not be loaded. Check that you are online, or choose a photo of your own.");
  }
}

const savedName = () => pictureName(photo.name, picture, direction.name);

async function sharePicture() {
  try {
    await share(picture, savedName(), headline(direction));
  } catch (error) {
    showToast(`The picture could not be shared (${error.name}). Download it instead.`);
  }
}

const ACTIONS = { pick: () => $("file").click(), camera: openCamera, sample: takeSample, stop };

watchIntake({ inputs: [$("file"), $("capture")], onPhoto: takePhoto, onMistake: showToast });
document.addEventListener("click", (event) => ACTIONS[event.target.closest("[data-action]")?.dataset.action]?.());
$("toast-close").addEventListener("click", () => showToast(""));
for (const link of document.querySelectorAll("a[href='#about']")) {
  link.addEventListener("click", () => ($("about").open = true));
}
$("download").addEventListener("click", () => save(picture, savedName()));
$("share").addEventListener("click", sharePicture);
$("directions").addEventListener("change", (event) => {
  choose(directions.find((one) => one.name === event.target.value));
  translatePhoto();
});
attention.hide();
loadDirections();
