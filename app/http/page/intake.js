/** Take photos that are picked, dropped anywhere, or pasted, and the sample. */

/** Return the pictures among files; if none names its type, the first file, so that the service says what it is. */
function picturesOf(files) {
  const pictures = [...files].filter((file) => file.type.startsWith("image/"));
  return pictures.length ? pictures : [...files].slice(0, 1);
}

function watchInput(input, onPhotos) {
  input.addEventListener("change", () => {
    const files = picturesOf(input.files);
    input.value = ""; // so that picking the same file again fires `change`
    if (files.length) onPhotos(files);
  });
}

function watchDrop(onPhotos, onMistake) {
  // dragenter and dragleave also fire for child elements; only leaving the window has no relatedTarget.
  const setDragging = (dragging) => document.body.classList.toggle("dragging", dragging);
  addEventListener("dragenter", () => setDragging(true));
  addEventListener("dragleave", (event) => event.relatedTarget ?? setDragging(false));
  addEventListener("dragover", (event) => event.preventDefault());
  addEventListener("drop", (event) => {
    event.preventDefault();
    setDragging(false);
    const files = picturesOf(event.dataTransfer.files);
    if (files.length) onPhotos(files);
    else onMistake("That was not a file. Save the picture first, then drop the saved file here.");
  });
}

function watchPaste(onPhotos, onMistake) {
  addEventListener("paste", (event) => {
    const files = picturesOf(event.clipboardData.files);
    if (files.length) onPhotos(files);
    else onMistake("The clipboard contains no picture. Copy a picture first, then paste it here.");
  });
}

/** Call `onPhotos(files)` for the photos of each choice, `onMistake(sentence)` for a drop or paste without a file. */
export function watchIntake({ inputs, onPhotos, onMistake }) {
  for (const input of inputs) watchInput(input, onPhotos);
  watchDrop(onPhotos, onMistake);
  watchPaste(onPhotos, onMistake);
}

/** Return the sample face as a file. */
export async function fetchSample() {
  const response = await fetch("page/sample.jpg");
  if (!response.ok) throw new Error(response.statusText);
  return new File([await response.blob()], "sample.jpg", { type: "image/jpeg" });
}
