/** Take photos that are picked, dropped anywhere, or pasted. */

const firstPicture = (files) => [...files].find((file) => file.type.startsWith("image/")) ?? files[0];

function watchInput(input, onPhoto) {
  input.addEventListener("change", () => {
    const file = firstPicture(input.files);
    input.value = ""; // so that picking the same file again fires `change`
    if (file) onPhoto(file);
  });
}

function watchDrop(onPhoto, onMistake) {
  // dragenter and dragleave also fire for child elements; only leaving the window has no relatedTarget.
  const setDragging = (dragging) => document.body.classList.toggle("dragging", dragging);
  addEventListener("dragenter", () => setDragging(true));
  addEventListener("dragleave", (event) => event.relatedTarget ?? setDragging(false));
  addEventListener("dragover", (event) => event.preventDefault());
  addEventListener("drop", (event) => {
    event.preventDefault();
    setDragging(false);
    const file = firstPicture(event.dataTransfer.files);
    if (file) onPhoto(file);
    else onMistake("That was not a file. Save the picture first, then drop the saved file here.");
  });
}

function watchPaste(onPhoto, onMistake) {
  addEventListener("paste", (event) => {
    const file = firstPicture(event.clipboardData.files);
    if (file) onPhoto(file);
    else onMistake("The clipboard contains no picture. Copy a picture first, then paste it here.");
  });
}

/** Call `onPhoto(file)` for every photo, `onMistake(sentence)` for a drop or paste without a file. */
export function watchIntake({ inputs, onPhoto, onMistake }) {
  for (const input of inputs) watchInput(input, onPhoto);
  watchDrop(onPhoto, onMistake);
  watchPaste(onPhoto, onMistake);
}
