/** The API key that a service may ask for: kept for this tab, told to this service only. */

const NAME = "ugatit-key";

/** What a request must carry; nothing while no key was given. */
export function keyHeaders() {
  const key = sessionStorage.getItem(NAME);
  return key ? { Authorization: `Bearer ${key}` } : {};
}

/** A field for the key; `act` asks again with it. */
export function keyForm(act) {
  const form = Object.assign(document.createElement("form"), { className: "key" });
  const label = Object.assign(document.createElement("label"), { textContent: "API key " });
  // Header values are bytes: what no key can hold is left out of it here.
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
