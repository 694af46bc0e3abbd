// Draw every chart, and move one cursor in all of them.

const { steps, charts, sheets } = JSON.parse(document.getElementById("data").textContent);
const drawn = [...document.querySelectorAll("[data-chart]")].map(
  (figure) => new Chart(figure, charts[figure.dataset.chart], steps),
);

let pending = null;
function pointAll(at) {
  if (pending === null) requestAnimationFrame(() => { const last = pending; pending = null; drawn.forEach((each) => each.point(last.at)); });
  pending = { at };
}
for (const each of drawn) {
  each.plot.addEventListener("pointermove", (event) => pointAll(each.under(event)));
  each.plot.addEventListener("pointerdown", (event) => pointAll(each.under(event)));
  each.plot.addEventListener("pointerleave", () => pointAll(null));
}

const sliders = [...document.querySelectorAll("[data-smoothing]")];
function smooth(weight) {
  for (const slider of sliders) {
    slider.value = weight;
    slider.nextElementSibling.textContent = Number(weight).toFixed(2);
  }
  for (const each of drawn) {
    if (!each.chart.smooth) continue;
    each.smoothing = Number(weight);
    each.draw();
  }
}
for (const slider of sliders) slider.addEventListener("input", () => smooth(slider.value));
if (sliders.length) smooth(sliders[0].value);

const samples = document.getElementById("samples");
if (samples) showSamples(samples, sheets);
