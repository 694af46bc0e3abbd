/** Play an animated translation, or stop at one of its frames, which can have heat maps. */

import { fetchAttention } from "./api.js";

const MOST_PX = 1024; // of the longer side of a frame's pictures, the most that the service draws

/**
 * Return the player. `show(result, {held})` offers it for an animated result, stopped at its first frame if `held`, and
 * hides it for others.
 * `onFrame(number)` is called when a frame is shown alone, `onPlay()` when the animation plays.
 */
export function createPlayer({ panel, stage, onFrame, onPlay, onFailure }) {
  const [button, slider, words] = ["#play", "#frame-number", "#frame-words"].map((id) => panel.querySelector(id));
  let result = null;
  let paused = false;
  let aborter = new AbortController();

  function describe() {
    const count = Number(slider.max) + 1;
    button.textContent = paused ? "Play" : "Pause";
    words.textContent = paused ? `Frame ${Number(slider.value) + 1} of ${count}` : `${count} frames`;
    slider.setAttribute("aria-valuetext", `Frame ${Number(slider.value) + 1} of ${count}`);
  }

  /** Return a frame of the photo or of the translation: an overlay without colours. */
  async function still(base, frame, signal) {
    const { answer } = result;
    const size = Math.min(MOST_PX, Math.max(answer.image.width, answer.image.height));
    const options = { network: "generator", frame, view: "overlay", base, alpha: 0, size };
    return (await fetchAttention(answer.attention.href, options, signal)).blob;
  }

  /** Show the frame that the slider names, alone. */
  async function pause() {
    aborter.abort();
    aborter = new AbortController();
    const { signal } = aborter;
    const frame = Number(slider.value);
    paused = true;
    describe();
    onFailure(null);
    onFrame(frame);
    try {
      const [source, translation] = await Promise.all(["source", "translation"].map((base) => still(base, frame, signal)));
      if (!signal.aborted) await stage.showStill(source, translation);
    } catch (error) {
      if (!signal.aborted) onFailure(error, pause);
    }
  }

  async function play() {
    aborter.abort();
    paused = false;
    describe();
    onPlay();
    await stage.showAgain(result.picture);
  }

  function show(shown, { held }) {
    aborter.abort();
    result = shown;
    paused = false;
    const frames = result.answer.animation?.frames ?? 1;
    panel.hidden = frames < 2 || !result.answer.attention?.href;
    if (panel.hidden) return;
    slider.max = frames - 1;
    slider.value = 0;
    describe();
    if (held || matchMedia("(prefers-reduced-motion: reduce)").matches) pause();
  }

  /** Stop at the present frame, if the animation plays. */
  function hold() {
    if (!panel.hidden && !paused) pause();
  }

  button.addEventListener("click", () => (paused ? play() : pause()));
  slider.addEventListener("input", pause);
  return { show, hold };
}
