/** Translate the camera continuously: one frame at a time, always the newest. */

import { translateFrame } from "./api.js";
import { NoCamera, openStream } from "./camera.js";
import { createFrames } from "./live_frames.js";

const WINDOW_MS = 2000; // over which frames are counted
const RATE_MS = 500; // between two updates of the shown rate: a faster one cannot be read
const OFFLINE_SECONDS = 2; // between attempts while the server cannot be reached

const wait = (milliseconds, signal) =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => resolve(clearTimeout(timer)), { once: true });
  });

/** Count frames: `frame()` at each one, `rate()` returns those of the last seconds per second. */
function createRate() {
  let times = [];
  const started = performance.now();
  const frame = () => times.push(performance.now());
  function rate() {
    const now = performance.now();
    times = times.filter((time) => time > now - WINDOW_MS);
    return times.length / (Math.min(WINDOW_MS, now - started) / 1000);
  }
  return { frame, rate };
}

/**
 * Return the live mode. `start()` throws NoCamera. `getDirection()` returns the current direction;
 * `onStop(words)` is called at its end, `onFailure(error)` after it if an error ended it, and `onPhoto(file)` gets a
 * frame that was taken as a photo.
 */
export function createLive({ panel, stage, getDirection, onStart, onStop, onFailure, onPhoto }) {
  const $ = (id) => panel.querySelector(`#${id}`);
  const frames = createFrames($("live-video"));
  let aborter = null; // of the running session

  function setWords(words) {
    $("live-words").textContent = words;
  }

  function stop(words = "") {
    if (!aborter) return;
    aborter.abort();
    aborter = null;
    frames.close();
    onStop(words);
  }

  /** Say what is wrong and wait, as long as the service asks; end the session if waiting does not help. */
  async function recover(error, signal) {
    if (!error.retryable) {
      stop();
      return onFailure(error);
    }
    const seconds = Math.ceil(error.retryAfterSeconds || OFFLINE_SECONDS);
    for (let left = seconds; left > 0 && !signal.aborted; left -= 1) {
      setWords(`${error.title}. Continues in ${left} s.`);
      await wait(1000, signal);
    }
    setWords("");
  }

  async function translateNewest(signal) {
    const direction = getDirection();
    const overlay = $("live-heat").checked && direction.attention.generator;
    const sent = await frames.next(direction.image, Number($("live-zoom").value), signal);
    if (!sent) return false;
    const answer = await translateFrame(sent.blob, direction.name, { overlay, signal });
    const [picture, heat] = await Promise.all([answer.picture, answer.overlay].map((blob) => blob && createImageBitmap(blob)));
    if (signal.aborted) return false;
    stage.showFrame(heat ?? sent.shown, picture);
    picture.close();
    heat?.close();
    return true;
  }

  async function run(signal) {
    const counted = createRate();
    const shown = setInterval(() => ($("live-rate").textContent = String(Math.round(counted.rate()))), RATE_MS);
    signal.addEventListener("abort", () => clearInterval(shown));
    while (!signal.aborted) {
      try {
        if (await translateNewest(signal)) counted.frame();
      } catch (error) {
        if (!signal.aborted) await recover(error, signal);
      }
    }
  }

  /** Show what suits a direction. */
  function offer(direction) {
    $("live-heat-row").hidden = !direction.attention.generator;
    if (aborter) stage.startFrames(direction);
  }

  async function start() {
    stop();
    const session = new AbortController();
    aborter = session;
    try {
      await frames.open(await openStream(), () => stop("The camera was disconnected. Connect it, then start again."));
    } catch (error) {
      aborter = null;
      throw error instanceof NoCamera ? error : new NoCamera(`The camera did not start (${error.name}). Choose a photo instead.`);
    }
    if (session.signal.aborted) return frames.close();
    setWords("");
    $("live-rate").textContent = "–";
    onStart();
    offer(getDirection());
    run(session.signal);
  }

  async function takePhoto() {
    const photo = await frames.photo(getDirection().image, Number($("live-zoom").value));
    stop();
    onPhoto(photo);
  }

  document.addEventListener("visibilitychange", () => document.hidden && stop("Live mode stopped while the page was hidden."));
  $("live-photo").addEventListener("click", takePhoto);
  $("live-stop").addEventListener("click", () => stop());
  return { start, stop, offer };
}
