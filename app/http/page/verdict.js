/** Show the probability that the photo is of the source domain. */

const $ = (id) => document.getElementById(id);

/** Return 0.976 as "98 %"; never "0 %" or "100 %". */
function percent(probability) {
  if (probability > 0.99) return "over 99 %";
  if (probability < 0.01) return "under 1 %";
  return `${Math.round(probability * 100)} %`;
}

function words(probability, { source, target }) {
  if (probability >= 0.5) return `How sure the network is that your photo is “${source}” and not “${target}”.`;
  return `The network thinks that your photo is “${target}” rather than “${source}”, so expect surprises.`;
}

/** Show the probability (0 to 1) that the photo is of the source domain; null is not shown. */
export function showVerdict(probability, direction) {
  $("belief").hidden = probability === null;
  if (probability === null) return;
  $("probability").textContent = `${percent(probability)} ${direction.source}`;
  $("meter").style.setProperty("--share", probability);
  $("belief-words").textContent = words(probability, direction);
}
