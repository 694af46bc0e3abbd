// Show one sample sheet, selected by kind and step.

function showSamples(section, sheets) {
  const time = section.querySelector(".time input");
  const label = section.querySelector(".time output");
  const image = section.querySelector("img");
  const buttons = [...section.querySelectorAll(".time button")];
  const chosen = () => sheets[section.querySelector("[name=sheet]:checked").value];

  function show() {
    const { name, steps, pictures } = chosen();
    const place = Number(time.value);
    const step = steps[place].toLocaleString("en");
    image.src = pictures[place];
    image.alt = `${name}, step ${step}: a row for each picture, a labelled column for each stage`;
    label.textContent = `step ${step}`;
    time.setAttribute("aria-valuetext", `step ${step}`);
    buttons[0].disabled = place === 0;
    buttons[1].disabled = place === steps.length - 1;
  }

  function choose() {
    const { steps } = chosen();
    const before = time.dataset.step === undefined ? steps.length - 1 : steps.indexOf(Number(time.dataset.step));
    time.max = steps.length - 1;
    time.value = before < 0 ? steps.length - 1 : before;
    show();
  }

  time.addEventListener("input", () => {
    time.dataset.step = chosen().steps[time.value];
    show();
  });
  for (const button of buttons) {
    button.addEventListener("click", () => {
      time.value = Number(time.value) + Number(button.dataset.by);
      time.dispatchEvent(new Event("input"));
    });
  }
  section.querySelector(".choices").addEventListener("change", choose);
  choose();
}
