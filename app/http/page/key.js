/** The API key that a service may require: stored for this tab, sent to this service only. */

const NAME = "ugatit-key";

/** Return the headers of a request; none without a key. */
export function keyHeaders() {
  const key = sessionStorage.getItem(NAME);
  return key ? { Authorization: `Bearer ${key}` } : {};
}

/** Return a form for the key; it calls `act` once the key is stored. */
export function keyForm(act) {
  const form = Object.assign(document.createElement("form"), { className: "key" });
  const label = Object.assign(document.createElement("label"), { textContent: "API key " });
  // The pattern admits only characters that are valid in a header.
  const input = Object.assign(document.createElement("input"), { type: "password", autocomplete: "off", required: true, pattern: "[!-~]+" });
  const button = Object.assign(document.createElement("button"), { textContent: "Use this key" });
  label.append(input);
  form.append(label, button);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    sessionStorage.setItem(NAME, input.value);
    act();
  });
  return form;
}
