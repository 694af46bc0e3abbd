/** The panel of heat maps: network, part, colours, opacity and an explanation. */

import { fetchAttention } from "./api.js";
import { explain, NETWORKS, PARTS, threeDigits } from "./attention_words.js";
import { pictureName, save } from "./download.js";

const HEAT_PX = 512;
const OVERLAY_PX = 1024;

// The generator's map is of the photo, the discriminators' maps are of the translation.
const BASES = { generator: "source", local: "translation", global: "translation" };

function radio(group, value, words) {
  const label = document.createElement("label");
  const input = Object.assign(document.createElement("input"), { type: "radio", name: group, value });
  label.append(input, Object.assign(document.createElement("span"), { textContent: words }));
  return label;
}

/** Offer choices as radio buttons below a fieldset's legend. */
function offer(fieldset, group, labels, chosen) {
  const radios = Object.entries(labels).map(([value, words]) => radio(group, value, words));
  fieldset.replaceChildren(fieldset.querySelector("legend"), ...radios);
  fieldset.querySelector(`[value=${chosen}]`).checked = true;
}

const only = (labels, offered) => Object.fromEntries(Object.entries(labels).filter(([value]) => offered(value)));

/** `onFailure(error, retry)` shows an error; `onFailure(null)` removes it. `onMap()` is called when a map is chosen. */
export function createAttention({ panel, stage, onFailure, onMap }) {
  const $ = (id) => panel.querySelector(`#${id}`);
  let current = null; // {href, direction, photoName} of the shown translation
  let frame = 0; // of an animation
  let pictures = new Map(); // heat maps of that translation, by network, part and colours
  let network = "off";
  let part = "both";
  let aborter = new AbortController();

  const frameOption = () => (frame > 0 ? { frame } : {});

  async function heatmap(colormap, signal) {
    const key = `${network} ${part} ${colormap} ${frame}`;
    if (!pictures.has(key)) {
      const options = { network, part, view: "heatmap", colormap, size: HEAT_PX, ...frameOption() };
      const kept = pictures; // a later translation replaces `pictures`
      kept.set(key, await fetchAttention(current.href, options, signal));
    }
    return pictures.get(key);
  }

  /** Return the declared maps of the chosen network; a replica of an older version declares none. */
  const declared = () => (current.direction.maps ?? []).filter((map) => map.network === network);

  /** Offer the parts of the network's map; one that the model lacks is not offered. */
  function offerParts() {
    const offered = only(PARTS, (each) => each === "both" || declared().some((map) => map.part === each));
    $("parts").hidden = Object.keys(offered).length < 2; // for Off too
    if (network !== "off" && !(part in offered)) part = "both";
    if (!$("parts").hidden) offer($("parts"), "part", offered, part);
    $("parts-missing").hidden = !$("parts").hidden || !declared().some(({ kind }) => kind === "relevance");
  }

  function describe(colormap) {
    $("attention-words").textContent = explain(network, part, current.direction, BASES[network]);
    $("attention-controls").hidden = network === "off";
    $("legend").dataset.colormap = colormap;
  }

  /** Show the values of the lowest and the highest colour, and where zero is between them; a flat map has one. */
  function showRange({ low, high }) {
    const known = Number.isFinite(high); // a replica of an older version or a proxy may leave the header out
    $("legend-low").textContent = known ? threeDigits(low) : "less";
    $("legend-high").textContent = !known ? "more" : low === high ? "everywhere" : threeDigits(high);
    $("legend").toggleAttribute("data-signed", low < 0 && high > 0);
    $("legend").style.setProperty("--zero", -low / (high - low));
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
      const map = network === "off" ? null : await heatmap(colormap, signal);
      if (signal.aborted) return;
      if (map) showRange(map);
      await stage.showHeat(map?.blob ?? null);
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
    offerParts();
    if (network !== "off") stage.setSplit(BASES[network] === "source" ? 100 : 0);
    if (network !== "off") onMap();
    return update();
  }

  /** Show the chosen map of a frame of an animation. */
  function showFrame(number) {
    frame = number;
    return update();
  }

  function turnOff() {
    frame = 0;
    $("networks").querySelector("[value=off]").checked = true;
    return chooseNetwork("off");
  }

  function choosePart(chosen) {
    part = chosen;
    return update();
  }

  function setOpacity() {
    $("opacity-value").textContent = `${$("opacity").value} %`;
    stage.setOpacity($("opacity").value / 100);
  }

  async function saveOverlay() {
    const { href, direction, photoName } = current;
    const rendering = { colormap: $("colormap").value, alpha: $("opacity").value / 100, size: OVERLAY_PX };
    const options = { network, part, view: "overlay", base: BASES[network], legend: true, ...rendering, ...frameOption() };
    const words = ["attention", network, ...(part === "both" ? [] : [part])];
    onFailure(null);
    try {
      const { blob } = await fetchAttention(href, options);
      save(blob, pictureName(photoName, blob, direction.name, ...words));
    } catch (error) {
      onFailure(error, saveOverlay);
    }
  }

  /** Offer the maps of a translation; keep the chosen network and part. */
  function show(href, direction, photoName) {
    current = { href, direction, photoName };
    frame = 0;
    pictures = new Map();
    const offered = only(NETWORKS, (name) => name === "off" || direction.attention[name]);
    if (!(network in offered)) network = "off";
    offer($("networks"), "network", offered, network);
    offerParts();
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
  $("parts").addEventListener("change", (event) => choosePart(event.target.value));
  $("colormap").addEventListener("change", update);
  $("opacity").addEventListener("input", setOpacity);
  $("download-overlay").addEventListener("click", saveOverlay);
  setOpacity();
  return { show, hide, showFrame, turnOff, isOn: () => network !== "off" };
}
