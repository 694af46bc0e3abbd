/** The page: take photos, show their translations and their heat maps. */

import { createAttention } from "./attention.js";
import { createCamera } from "./camera.js";
import { createCrop } from "./crop.js";
import { hasOpposite, headline, invitation, showCard, showDirections, waitForDirections } from "./directions.js";
import { saveAll } from "./download.js";
import { clearFailure, inOwnWords, remedyFor, showFailure, tryAgain } from "./failure.js";
import { createFaces } from "./faces.js";
import { createFraming } from "./framing.js";
import { fetchSample, watchIntake } from "./intake.js";
import { createLive } from "./live.js";
import { createPlayer } from "./player.js";
import { createProgress } from "./progress.js";
import { createQueue } from "./queue.js";
import { createResult } from "./result.js";
import { createSize } from "./size.js";
import { createStage } from "./stage.js";
import { createStrip } from "./strip.js";
import { createStyles } from "./styles.js";
import { translateItem } from "./translation.js";
import { CENTRE, viewOf } from "./view.js";
import { createWayBack } from "./way_back.js";

const $ = (id) => document.getElementById(id);
const MOST_PHOTOS = 16; // as many as the service takes in one batch

let directions = [];
let direction = null; // the chosen one
let showing = new AbortController(); // of the result that is being shown

const stage = createStage($("frame"));
const progress = createProgress({ frame: $("frame"), status: $("status") });
const player = createPlayer({
  panel: $("player"),
  stage,
  onFrame: (frame) => attention.showFrame(frame),
  onPlay: () => attention.turnOff(),
  onFailure: showAttentionFailure,
});
const attention = createAttention({ panel: $("attention"), stage, onFailure: showAttentionFailure, onMap: () => player.hold() });
const queue = createQueue({ work, onChange: showChange });
const strip = createStrip({ panel: $("strip"), onSelect: queue.select });
const size = createSize({ select: $("size"), row: $("size-row"), onChange: () => queue.again() });
const framing = createFraming({
  fieldset: $("fit"),
  pasteRow: $("paste-row"),
  paste: $("paste"),
  note: $("fit-words"),
  onChange: () => translateAll({ place: null, view: null }),
  onPaste: () => queue.again(),
  onHand: openCrop,
});
const faces = createFaces({ panel: $("faces"), map: $("face-map"), onChoose: (place) => translateShown({ place, view: null }) });
const styles = createStyles({ panel: $("styles"), onChoose: translateShown, onMistake: showToast });
const wayBack = createWayBack({ panel: $("way-back") });
const crop = createCrop({
  canvas: $("crop"),
  panel: $("crop-card"),
  onDone: (item, view) => translateShown({ view, place: null }),
  onCancel: closeCrop,
});
const camera = createCamera({ dialog: $("camera"), capture: $("capture"), onPhoto: (file) => takePhotos([file]) });
const live = createLive({
  panel: $("main"),
  stage,
  getDirection: () => direction,
  onStart: startLive,
  onStop: showEmpty,
  onFailure: (error) => showProblem(error, tryAgain(error, openLive)),
  onPhoto: (file) => takePhotos([file]),
});
const result = createResult({
  panel: $("result"),
  status: $("status"),
  stage,
  attention,
  player,
  faces,
  size,
  onMistake: showToast,
  onWhole: () => $("paste").click(),
});

function setState(state) {
  $("main").dataset.state = state;
  $("frame").setAttribute("aria-busy", String(state === "busy"));
}

function showToast(words) {
  $("toast").hidden = !words;
  $("toast-words").textContent = words;
}

/** Translate new photos instead of those before. */
function takePhotos(files) {
  live.stop();
  const taken = files.slice(0, MOST_PHOTOS);
  queue.open(taken);
  faces.hide();
  styles.hide();
  showToast(files.length > MOST_PHOTOS ? `At most ${MOST_PHOTOS} photos at once: the first ${MOST_PHOTOS} of ${files.length} were taken.` : "");
  if (direction) queue.run();
}

/** Translate the shown photo again, with its own choices. */
function translateShown(choices = {}) {
  Object.assign(queue.shown, choices);
  return queue.again([queue.shown]);
}

/** Translate all photos again, with the same choices for each. */
function translateAll(choices = {}) {
  for (const item of queue.items) Object.assign(item, choices);
  return queue.again();
}

function work(item, signal) {
  const isShown = () => item === queue.shown;
  const onProgress = (share) => isShown() && progress.show(share, direction);
  const onUpload = (upload, framed) => isShown() && stage.showSource(upload.blob, direction, framed, signal);
  return translateItem(item, { direction, framing, size, signal, onUpload, onProgress });
}

/** Show the changed state of a photo. */
function showChange(item) {
  strip.show(queue.items, queue.shown);
  if (item !== queue.shown) return;
  showing.abort();
  showing = new AbortController();
  crop.close();
  framing.show(item);
  if (item.state === "done") return showDone(item, showing.signal);
  if (item.state === "failed") return showItemProblem(item);
  showBusy(item);
}

function showBusy(item) {
  clearFailure($("failure"));
  attention.hide();
  faces.hide();
  progress.begin(item.state === "waiting" ? "Waiting for its turn …" : item.upload ? "Translating …" : "Preparing the photo …");
  const preview = item.upload?.blob ?? (item.state === "waiting" ? item.file : null); // of one whose work begins, the upload
  if (preview) stage.showSource(preview, direction, "cover", showing.signal);
  setState("busy");
  $("frame").scrollIntoView({ block: "nearest" }); // the buttons for a photo may be far below
}

async function showDone(item, signal) {
  clearFailure($("failure"));
  attention.hide();
  setState("result");
  await result.show(item, { canPaste: framing.canPaste(item), signal });
  if (signal.aborted) return;
  styles.show(item);
  wayBack.show(item, hasOpposite(item.result.direction, directions));
  keepFocus($("split"));
}

function translateSmaller() {
  return translateShown({ small: true });
}

function translateCentre() {
  if (queue.items.length > 1) return translateShown({ view: CENTRE });
  framing.choose("cover");
  return translateAll({ place: null, view: null });
}

function showItemProblem(item) {
  const acts = { onSmaller: translateSmaller, onCentre: translateCentre, onAgain: () => translateShown() };
  showProblem(inOwnWords(item.error), remedyFor(item, acts));
}

function showProblem(error, remedy) {
  setState("error");
  $("status").textContent = "";
  showFailure($("failure"), error, remedy);
  keepFocus($("failure").querySelector("input, button"));
}

function showAttentionFailure(error, retry) {
  clearFailure($("attention-failure"));
  if (!error) return;
  const expired = error.status === 404; // heat maps are kept for minutes; a new translation has new ones
  const remedy = expired ? { words: "Translate again", act: () => translateShown() } : tryAgain(error, retry);
  showFailure($("attention-failure"), error, remedy);
}

/** Move the focus to an element if the focused one is no longer shown. */
function keepFocus(element) {
  const lost = document.activeElement === document.body || document.activeElement.offsetParent === null;
  if (lost) element?.focus({ preventScroll: true });
}

function forgetPhotos() {
  queue.open([]);
  showing.abort();
  strip.show([], null);
  clearFailure($("failure"));
  attention.hide();
  styles.hide();
}

/** Show the page without a photo; `words` say why, if not the person asked for it. */
function showEmpty(words = "") {
  forgetPhotos();
  showToast(words);
  setState("empty");
  keepFocus(document.querySelector(".dropzone button"));
}

function stop() {
  queue.stop();
  $("status").textContent = "Stopped.";
  if (queue.shown) showChange(queue.shown);
  else showEmpty();
}

function startLive() {
  forgetPhotos();
  $("status").textContent = `Translating your camera's picture to ${direction.target}.`;
  setState("live");
  $("live-stop").focus({ preventScroll: true });
}

/** Let the person frame a part of the shown photo. */
async function openCrop() {
  const item = queue.shown;
  if (!item) return framing.show(null); // there is nothing to frame yet
  const { answer, upload } = item.result ?? {};
  const ratio = direction.image.width / direction.image.height;
  const start = answer?.framing?.corners && !item.view ? viewOf(answer.framing.corners, upload, ratio) : null;
  queue.hold(item);
  if (!(await crop.open(item, direction, start))) {
    showToast("This browser cannot show this photo, so it cannot be framed here. Save it as JPEG first.");
    return closeCrop(item);
  }
  showing.abort();
  attention.hide();
  clearFailure($("failure"));
  stage.setRatio(ratio);
  $("status").textContent = "Choose the part that the network gets.";
  setState("framing");
  $("crop").focus({ preventScroll: true });
}

function closeCrop(item) {
  crop.close();
  queue.release(item);
}

function choose(chosen) {
  direction = chosen;
  history.replaceState(null, "", `?${new URLSearchParams({ direction: chosen.name })}`); // for reloading and sharing
  framing.offer(chosen);
  live.offer(chosen);
  faces.hide();
  $("part-words").textContent = framing.chosen() === "face" ? "The face is found and translated." : "The centre is translated.";
  $("headline").textContent = headline(chosen);
  showCard($("about"), chosen);
}

function reloadDirections() {
  clearFailure($("failure"));
  setState("empty");
  return loadDirections();
}

async function loadDirections() {
  try {
    choose(await waitForDirections({ onDirections: showLoaded }));
  } catch (error) {
    setState("error");
    return showFailure($("failure"), error, tryAgain(error, reloadDirections));
  }
  return queue.run(); // a photo may have been chosen before the directions were known
}

function showLoaded(loaded, ready) {
  directions = loaded;
  showDirections($("directions"), directions, ready);
  $("invitation").textContent = invitation(directions, ready);
}

async function openCamera(open) {
  showToast("");
  try {
    await open();
  } catch (error) {
    showToast(error.message);
  }
}

function openLive() {
  if (direction) return openCamera(live.start);
  return showToast(`${invitation(directions)}. Try again in a moment.`);
}

async function takeSample() {
  try {
    takePhotos([await fetchSample()]);
  } catch {
    showToast("The sample could not be loaded. Check that you are online, or choose a photo of your own.");
  }
}

const ACTIONS = {
  pick: () => $("file").click(),
  camera: () => openCamera(camera.open),
  live: openLive,
  sample: takeSample,
  stop,
  saveAll: () => saveAll(queue.items, result.save),
};

watchIntake({ inputs: [$("file"), $("capture")], onPhotos: takePhotos, onMistake: showToast });
document.addEventListener("click", (event) => ACTIONS[event.target.closest("[data-action]")?.dataset.action]?.());
$("toast-close").addEventListener("click", () => showToast(""));
for (const link of document.querySelectorAll("a[href='#about']")) {
  link.addEventListener("click", () => ($("about").open = true));
}
$("directions").addEventListener("change", (event) => {
  choose(directions.find((one) => one.name === event.target.value));
  translateAll({ place: null, style: null, reference: null });
});
attention.hide();
loadDirections();
