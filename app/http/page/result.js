/** Show the result of a photo: the pictures, what the network says of them, and what can be done with them. */

import { expectations, headline } from "./directions.js";
import { pictureName, save } from "./download.js";
import { inputWords } from "./input_words.js";
import { canShare, share } from "./share.js";
import { sizeWords } from "./size.js";
import { showVerdict } from "./verdict.js";

/**
 * Return the display of results. `show(item)` shows a photo's; `onMistake(sentence)` is called if sharing fails,
 * `onWhole()` if the person wants the whole photo.
 */
export function createResult({ panel, status, stage, attention, player, faces, size, onMistake, onWhole }) {
  const $ = (id) => panel.querySelector(`#${id}`);
  let item = null; // the shown one

  const nameOf = ({ file, result }) => pictureName(file.name, result.picture, result.direction.name);

  function describe({ answer, picture, upload, direction, fit, whole }, canPaste) {
    showVerdict(answer.attention?.source_probability ?? null, direction);
    size.show(upload, direction.image, fit, whole);
    $("size-words").textContent = sizeWords(answer.image, direction.image, whole || fit === "native");
    $("input-words").textContent = inputWords(answer, upload, direction.image);
    $("input-words").hidden = !$("input-words").textContent;
    $("expectations").textContent = expectations(direction);
    $("download").textContent = whole ? "Download the whole photo" : "Download the translation";
    $("share").textContent = whole ? "Share the whole photo" : "Share";
    $("share").hidden = !canShare(picture);
    $("whole").hidden = whole || !canPaste;
  }

  async function showPictures({ answer, picture, upload, direction, whole, framed }, signal) {
    if (!stage.shows(upload.blob)) await stage.showSource(upload.blob, direction, framed, signal);
    if (signal.aborted) return;
    if (!whole) stage.frameSource(answer.framing?.corners, answer.image);
    await stage.showTranslation(picture, answer.image);
    if (!signal.aborted) await faces.show(answer.faces ?? [], upload.blob);
  }

  /** Show the result of a photo, until `signal` is aborted. */
  async function show(shown, { canPaste, signal }) {
    item = shown;
    const { answer, direction } = item.result;
    describe(item.result, canPaste);
    status.textContent = `Translated in ${(answer.timings_ms.total / 1000).toFixed(2)} s.`;
    await showPictures(item.result, signal);
    if (signal.aborted) return;
    const href = answer.attention?.href;
    if (href) attention.show(href, direction, item.file.name);
    player.show(item.result, { held: attention.isOn() });
  }

  async function sharePicture() {
    try {
      await share(item.result.picture, nameOf(item), headline(item.result.direction));
    } catch (error) {
      onMistake(`The picture could not be shared (${error.name}). Download it instead.`);
    }
  }

  const saveOne = (each) => save(each.result.picture, nameOf(each));
  $("download").addEventListener("click", () => saveOne(item));
  $("share").addEventListener("click", sharePicture);
  $("whole").addEventListener("click", onWhole);
  return { show, save: saveOne };
}
