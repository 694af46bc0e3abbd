/** Show how far a translation is, also to screen readers. */

/** Return the display: `begin(words)` starts it, `show(share, direction)` gets the sent share of the upload, 0 to 1. */
export function createProgress({ frame, status }) {
  const [words, bar] = ["#working", "#sent"].map((id) => frame.querySelector(id));

  /** Call it only when the kind of work changes: screen readers read it out. */
  function set(text) {
    words.textContent = text;
    status.textContent = text;
  }

  function begin(text) {
    set(text);
    bar.hidden = true;
  }

  /** `share` 1 means that the translation has begun. */
  function show(share, { source, target }) {
    bar.hidden = share === 1;
    bar.value = share;
    if (share === 1) return set(`Translating ${source} to ${target} …`);
    if (!status.textContent.startsWith("Sending")) status.textContent = "Sending the photo …";
    words.textContent = `Sending the photo, ${Math.floor(share * 100)} % …`;
  }
  return { begin, show };
}
