// Connect the controls of each section with its pictures.

const { sections } = JSON.parse(document.getElementById("data").textContent);
const elements = [...document.querySelectorAll("[data-section]")];
const viewer = new Viewer(document.querySelector(".viewer"));

elements.forEach((section, index) => {
  new Order(section, sections[index]);
  const heatMaps = new HeatMaps(section, sections[index]);
  const grid = Object.assign(new Grid(section), { heatMaps });
  heatMaps.select.addEventListener("change", () => grid.keepReachable());
  const boxes = [...section.querySelectorAll(".shows input")];
  section.querySelector(".shows").addEventListener("change", () => {
    section.dataset.hide = boxes.filter((box) => !box.checked).map((box) => box.value).join(" ");
    grid.keepReachable();
  });
  section.querySelector(".grid").addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    grid.makeCurrent(button);
    viewer.open(grid);
  });
});

document.querySelector("[name=direction]")?.closest("fieldset").addEventListener("change", (event) => {
  elements.forEach((section, index) => { section.hidden = index !== Number(event.target.value); });
});
