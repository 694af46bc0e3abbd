/** The panel of heat maps: network, colours, opacity and an explanation. */

import { fetchAttention } from "./api.js";
import { pictureName, save } from "./download.js";

const HEAT_PX = 512;
const OVERLAY_PX = 1024;

// The generator's map is of the photo, the discriminators' maps are of the translation.
const BASES = { generator: "source", local: "translation", global: "translation" };
const LABELS = { off: "Off", generator: "Generator", local: "Local", global: "Global" };
const WORDS = {
  off: () => "Choose a network to see which parts of the picture it weighted most.",
  generator: ({ source, target }) =>
    `The parts that distinguish this ${source} from ${target}: the generator weights them most. Shown over the photo.`,
  local: ({ target }) =>
    `The parts that the local discriminator, which looks at small patches, weights most to distinguish this from real ${target}. Shown over the translation.`,
  global: ({ target }) =>
    `The parts that the global discriminator, which looks at the whole picture, weights most to distinguish this from real ${target}. Shown over the translation.`,
};

function radio(network) {
  const label = document.createElement("label");
  const input = Object.assign(document.createElement("input"), { type: "radio", name: "network", value: network });
  const words = Object.assign(document.createElement("span"), { textContent: LABELS[network] });
  label.append(input, words);
  return label;
}

/** `onFailure(error, retry)` shows an error; `onFailure(null)` removes it. */
export function createAttention({ panel, stage, onFailure }) {
  const $ = (id) => panel.querySelector(`#${id}`);
  let current = null; // {href, direction, photoName} of the shown translation
  let pictures = new Map(); // heat map blobs of that translation, by network and colours
  let network = "off";
  let aborter = new AbortController();

  async function heatmap(colormap, signal) {
    const key = `${network} ${colormap}`;
    if (!pictures.has(key)) {
      const options = { network, view: "heatmap", colormap, size: HEAT_PX };
      const kept = pictures; // a later translation replaces `pictures`
      kept.set(key, await fetchAttention(current.href, options, signal));
    }
    return pictures.get(key);
  }

  function describe(colormap) {
    $("attention-words").textContent = WORDS[network](current.direction);
    $("attention-controls").hidden = network === "off";
    $("legend").dataset.colormap = colormap;
  }

  /** Show the chosen map over the picture; a later choice cancels an earlier one. */
  async function update() {
    aborter.abort();
    aborter = new AbortController();
    const { signal } = aborter;
    const colormap = $("colormap").value;
    onFailure(null);
    describe(colormap);
    panel.setAttribute("aria-busy", "true");
    try {
      const blob = network === "off" ? null : await heatmap(colormap, signal);
      if (!signal.aborted) await stage.showHeat(blob);
    } catch (error) {
      if (signal.aborted) return;
      stage.showHeat(null); // the previous map is not the chosen one
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
    const rendering = { colormap: $("colormap").value, alpha: $("opacity").value / 100, size: OVERLAY_PX };
    const chosen = network;
    onFailure(null);
    try {
      const blob = await fetchAttention(href, { network: chosen, view: "overlay", base: BASES[chosen], ...rendering });
      save(blob, pictureName(photoName, blob, direction.name, "attention", chosen));
    } catch (error) {
      onFailure(error, saveOverlay);
    }
  }

  /** Offer the maps of a translation; keep the chosen network. */
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

  /** Hide the panel: there is no translation, or it has no heat maps. */
  function hide() {
    aborter.abort();
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
