/** Show the directions, and the details of the chosen one. */

import { fetchDirections } from "./api.js";
import { markdown } from "./markdown.js";

const PROVIDERS = {
  CPUExecutionProvider: "CPU",
  CUDAExecutionProvider: "NVIDIA GPU (CUDA)",
  TensorrtExecutionProvider: "NVIDIA GPU (TensorRT)",
};

const LOADING_POLL_MS = 2000;

const capitalised = (words) => words.charAt(0).toUpperCase() + words.slice(1);

/** Return whether a direction translates; a degraded one does. */
const serves = ({ state }) => state === "ready" || state === "degraded";

/** Return "selfie → anime", with the name if another direction has the same domains; only the name before loading. */
function directionWords(direction, all) {
  const pair = ({ name, source, target }) => (source ? `${source} → ${target}` : name);
  const alone = all.filter((one) => pair(one) === pair(direction)).length === 1;
  return alone ? pair(direction) : `${pair(direction)} · ${direction.name}`;
}

function pill(direction, chosen, all) {
  const label = document.createElement("label");
  const input = Object.assign(document.createElement("input"), {
    type: "radio", name: "direction", value: direction.name, checked: direction === chosen,
    disabled: !serves(direction),
  });
  const words = document.createElement("span");
  words.append(directionWords(direction, all));
  if (direction.state !== "ready") words.append(` (${direction.state})`);
  label.title = direction.reason ?? "";
  label.append(input, words);
  return label;
}

/** Show one radio button per direction, with the state of those that are not ready; disable those that do not serve. */
export function showDirections(fieldset, directions, chosen) {
  fieldset.replaceChildren(fieldset.querySelector("legend"), ...directions.map((one) => pill(one, chosen, directions)));
}

/** Return whether a direction's translations can be translated back: its opposite serves. */
export function hasOpposite({ source, target }, directions) {
  return directions.some((one) => one.name === `${target}2${source}` && serves(one));
}

/** Return "Selfie in. Anime out." */
export function headline({ source, target }) {
  return `${capitalised(source)} in. ${capitalised(target)} out.`;
}

/** Return the direction in the page's address, else the first one that serves. */
function firstChoice(directions) {
  const named = new URLSearchParams(location.search).get("direction");
  const serving = directions.filter(serves);
  return serving.find((one) => one.name === named) ?? serving[0];
}

/**
 * Resolve to the first choice once a direction serves; the server may be loading. `onDirections(directions, choice)` is
 * called at each look, with the choice undefined while there is none.
 */
export async function waitForDirections({ onDirections }) {
  for (;;) {
    const directions = await fetchDirections();
    const ready = firstChoice(directions);
    onDirections(directions, ready);
    if (ready) return ready;
    await new Promise((resolve) => setTimeout(resolve, LOADING_POLL_MS));
  }
}

/** Return the words above the first buttons: without a direction that serves, why there is none. */
export function invitation(directions, ready = null) {
  if (ready) return "Start with a photo";
  if (directions.length === 0) return "This server has no model yet";
  return directions.find((one) => one.reason)?.reason ?? "No model is ready yet";
}

function facts({ model, method, image, provider, precision, licence, limits, state, reason }) {
  const size = `${image.width} × ${image.height} px${image.fixed ? "" : ", other sizes possible"}`;
  const rows = [
    ["Model", `${model.name}, version ${model.version}`], ["Method", method], ["Picture", size],
    ["Runs on", `${PROVIDERS[provider] ?? provider}, ${precision}`], ["Licence", licence], ["Limits", limits],
    [state === "ready" ? "Note" : "Problem", reason],
  ];
  return rows.filter(([, words]) => words).flatMap(([name, words]) => [
    Object.assign(document.createElement("dt"), { textContent: name }),
    Object.assign(document.createElement("dd"), { textContent: words }),
  ]);
}

/** Show the model card of a direction. */
export function showCard(about, direction) {
  about.hidden = false;
  about.querySelector("summary").textContent = `About the model ${direction.model.name}`;
  about.querySelector("dl").replaceChildren(...facts(direction));
  about.querySelector("article").replaceChildren(...markdown(direction.card ?? ""));
}

const SMALL_SIDE = 256; // px: the paper's size; a smaller model looks coarse
const FIRST_SENTENCE = /^.+?[.!?](?=\s|$)/;

/** Return the first sentence of the first paragraph below the card's table: the author's description. */
function authorsWords(card) {
  const paragraphs = card.split(/\n\s*\n/).map((paragraph) => paragraph.trim());
  const table = paragraphs.findLastIndex((paragraph) => paragraph.startsWith("|"));
  const written = paragraphs.slice(table + 1).find((paragraph) => /^[^#|>`\-*\d]/.test(paragraph)) ?? "";
  return table < 0 ? "" : (written.replace(/\s+/g, " ").match(FIRST_SENTENCE)?.[0] ?? "");
}

/** Return what to expect of a model's pictures, in a few sentences. */
export function expectations({ image, limits, card }) {
  const side = Math.max(image.width, image.height);
  const size = side < SMALL_SIDE ? `This is a small model: it paints ${image.width} × ${image.height} px.` : "";
  const uses = limits ? `Limits: ${limits.replace(/[.\s]+$/, "")}.` : "";
  return [size, authorsWords(card ?? ""), uses].filter(Boolean).join(" ");
}
