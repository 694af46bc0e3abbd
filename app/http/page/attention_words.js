/** What the panel of heat maps says about the networks and the parts of their maps. */

export const NETWORKS = { off: "Off", generator: "Generator", local: "Local", global: "Global" };
export const PARTS = { both: "Whole", average: "Average", maximum: "Maximum", classifier: "Classifier" };

const WHOLE = {
  generator: ({ source, target }) =>
    `The regions that distinguish this ${source} from ${target}: the generator weights them most.`,
  local: ({ target }) =>
    `The regions that the local discriminator, which looks at small patches, weights most to distinguish this from real ${target}.`,
  global: ({ target }) =>
    `The regions that the global discriminator, which looks at the whole picture, weights most to distinguish this from real ${target}.`,
};

const share = (pool) => (network) =>
  `What the classifier after ${pool} pooling adds to the ${network}'s whole map, and takes away below zero.`;

const PART_WORDS = {
  both: (network, direction) => WHOLE[network](direction),
  average: share("average"),
  maximum: share("max"),
  classifier: (network, { source, target }) =>
    network === "generator"
      ? `Where the generator's classifier sees ${source}: high values speak for ${source}, low ones for ${target}.`
      : `Where the ${network} discriminator's classifier sees real ${target}: high values speak for a real one, low ones for a translation.`,
};

/** Return what the chosen map shows. */
export function explain(network, part, direction, base) {
  if (network === "off") return "Choose a network to see which regions of the picture it weighted most.";
  const over = base === "source" ? "photo" : "translation";
  return `${PART_WORDS[part](network, direction)} Shown over the ${over}.`;
}

/** Return a value with three digits: 0.0123, 1230. */
export const threeDigits = (value) => String(Number(value.toPrecision(3))).replace("-", "−");
