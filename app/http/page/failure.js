/** Show an error in the page: what happened, what helps, and when to try again. */

import { keyForm } from "./key.js";

const NO_FACE = "Use a photo in which a face is larger and turned less, or translate the centre of this one.";

/** Return an error in the page's words, where the service's name options of the API. */
export function inOwnWords(error) {
  return error.code === "no_face" ? Object.assign(error, { detail: NO_FACE }) : error;
}

function element(name, className, text) {
  return Object.assign(document.createElement(name), { className, textContent: text });
}

/** Return a button that is disabled for some seconds and counts them down in its label. */
function remedyButton(seconds, { words, act }) {
  const button = element("button", "", "");
  button.type = "button";
  const tick = (left) => {
    button.disabled = left > 0;
    button.textContent = left > 0 ? `${words} in ${left} s` : words;
    if (left > 0) setTimeout(tick, 1000, left - 1);
  };
  tick(Math.ceil(seconds));
  button.addEventListener("click", act);
  return button;
}

/** Return the remedy of a problem: try again, enter a key, or null. */
export function tryAgain(problem, act) {
  if (problem.status === 401) return { act, withKey: true };
  return problem.retryable ? { words: "Try again", act } : null;
}

/**
 * Return the remedy of a photo's error, which calls one of `acts`. If its upload was too slow or too large, only a
 * smaller copy can succeed.
 */
export function remedyFor({ error, upload, sent }, { onSmaller, onCentre, onAgain }) {
  const interrupted = error.code === "unreachable" && sent > 0 && sent < 1; // some proxies stop slow uploads
  if (upload?.smaller && (error.needsSmaller || interrupted)) return { words: "Send a smaller copy", act: onSmaller };
  if (error.code === "no_face") return { words: "Translate the centre", act: onCentre };
  return error.needsSmaller ? null : tryAgain(error, onAgain);
}

/** Show a problem in `box` (a live region), with the button of its remedy `{words, act}`, if any. */
export function showFailure(box, problem, remedy = null) {
  const { title = "This page made a mistake", detail = `Reload the page and try again. (${problem.message})` } = problem;
  box.replaceChildren(element("strong", "", title), element("p", "", detail));
  if (remedy?.withKey) box.append(keyForm(remedy.act));
  else if (remedy) box.append(remedyButton(problem.retryAfterSeconds ?? 0, remedy));
  if (problem.requestId) box.append(element("small", "note", `Request ${problem.requestId}`));
}

export function clearFailure(box) {
  box.replaceChildren();
}
