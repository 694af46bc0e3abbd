/** The attention panel: whose map, in which colours, how strongly, and what it means in words. */

import { fetchAttention } from "./api.js";
import { pictureName, save } from "./download.js";

const HEAT_PX = 512;
const OVERLAY_PX = 1024;

// The generator looks at the photo; the discriminators judge the picture it made.
const BASES = { generator: "source", local: "translation", global: "translation" };
const LABELS = { off: "Off", generator: "Generator", local: "Local", global: "Global" };
const WORDS = {
  off: () => "Lay a heat map over the picture to see what the networks paid attention to.",
  generator: ({ source, target }) =>
    `The parts that tell this ${source} from ${target}: where the generator puts its effort. Shown over the photo.`,
  local: ({ target }) =>
    `What the local discriminator, which judges patch by patch, weighs to tell real ${target} from this. Shown over the translation.`,
  global: ({ target }) =>
    `What the global discriminator, which judges the picture as a whole, weighs to tell real ${target} from this. Shown over the translation.`,
};

function radio(network) {
  const label = document.createElement("label");
  const input = Object.assign(document.createElement("input"), { type: "radio", name: "network", value: network });
  const words = Object.assign(document.createElement("span"), { textContent: LABELS[network] });
  label.append(input, words);
  return label;
}

/** `onFailure(error, retry)` shows a refusal; with `null` it takes the last one away. */
export function createAttention({ panel, stage, onFailure }) {
  const $ = (id) => panel.querySelector(`#${id}`);
  let current = null; // {href, direction, photoName} of the translation on the easel
  let pictures = new Map(); // heat map blobs of that translation, by network and colours
  let network = "off";
  let asking = new AbortController();

  async function heatmap(colormap, signal) {
    const key = `${network} ${colormap}`;
    if (!pictures.has(key)) {
      const options = { network, view: "heatmap", colormap, size: HEAT_PX };
      const kept = pictures; // a later translation has its own
      kept.set(key, await fetchAttention(current.href, options, signal));
    }
    return pictures.get(key);
  }

  function describe(colormap) {
    $("attention-words").textContent = WORDS[network](current.direction);
    $("attention-controls").hidden = network === "off";
    $("legend").dataset.colormap = colormap;
  }

  /** Lay the chosen map over the picture; a later choice overtakes an earlier one. */
  async function update() {
    asking.abort();
    asking = new AbortController();
    const { signal } = asking;
    const colormap = $("colormap").value;
    onFailure(null);
    describe(colormap);
    panel.setAttribute("aria-busy", "true");
    try {
      const blob = network === "off" ? null : await heatmap(colormap, signal);
      if (!signal.aborted) await stage.showHeat(blob);
    } catch (error) {
      if (signal.aborted) return;
      stage.showHeat(null); // a map that is not the chosen one would mislead
      onFailure(error, update);
    } finally {
      if (!signal.aborted) panel.removeAttribute("aria-busy");
    }
  }

  function chooseNetwork(chosen) {
    network = chosen;
    if (network !== "off") stage.setSplit(BASES[network] === "source" ? 100 : 0);
    return update();
  }

  function setOpacity() {
    $("opacity-value").textContent = `${$("opacity").value} %`;
    stage.setOpacity($("opacity").value / 100);
  }

  async function saveOverlay() {
    const { href, direction, photoName } = current;
    const look = { colormap: $("colormap").value, alpha: $("opacity").value / 100, size: OVERLAY_PX };
    const whose = network;
    onFailure(null);
    try {
      const blob = await fetchAttention(href, { network: whose, view: "overlay", base: BASES[whose], ...look });
      save(blob, pictureName(photoName, blob, direction.name, "attention", whose));
    } catch (error) {
      onFailure(error, saveOverlay);
    }
  }

  /** Offer the maps this translation has; the one that was chosen before stays chosen. */
  function show(href, direction, photoName) {
    current = { href, direction, photoName };
    pictures = new Map();
    const offered = ["off", ...Object.keys(BASES).filter((name) => direction.attention[name])];
    if (!offered.includes(network)) network = "off";
    $("networks").replaceChildren($("networks").querySelector("legend"), ...offered.map(radio));
    $("networks").querySelector(`[value=${network}]`).checked = true;
    panel.hidden = false;
    return update();
  }

  /** No translation, or one without attention: nothing to show and nothing asked. */
  function hide() {
    asking.abort();
    panel.hidden = true;
    stage.showHeat(null);
  }

  $("networks").addEventListener("change", (event) => chooseNetwork(event.target.value));
  $("colormap").addEventListener("change", update);
  $("opacity").addEventListener("input", setOpacity);
  $("download-overlay").addEventListener("click", saveOverlay);
  setOpacity();
  return { show, hide };
}
