// Enlarge a picture beside its source, a heat map beside the network's other ones; the arrow keys lead on.

class Viewer {
  constructor(dialog) {
    this.dialog = dialog;
    this.title = dialog.querySelector("h2");
    this.source = dialog.querySelector("[data-view=source]");
    this.cell = dialog.querySelector("[data-view=cell]");
    this.pair = dialog.querySelector(".pair");
    this.moves = [...dialog.querySelectorAll("[data-move]")];
    dialog.querySelector("[data-act=close]").addEventListener("click", () => dialog.close());
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
    dialog.addEventListener("keydown", (event) => this.move(event.key) && event.preventDefault());
    // The browser first returns the focus to the picture that was enlarged first.
    dialog.addEventListener("close", () => this.shown.focus());
    for (const button of this.moves) button.addEventListener("click", () => this.move(button.dataset.move));
  }

  open(grid) {
    this.grid = grid;
    this.show();
    this.dialog.showModal();
  }

  /** Go to the neighbour in a direction; return whether the key was one of the viewer's. */
  move(key) {
    if (!this.moves.some((button) => button.dataset.move === key)) return false;
    const next = this.grid.neighbour(key);
    if (next) {
      this.grid.makeCurrent(next);
      this.show();
    }
    return true;
  }

  show() {
    const { current } = this.grid;
    this.shown = current;
    const source = current.closest(".row").querySelector("button");
    const name = source.nextElementSibling.textContent, label = current.closest(".column")?.querySelector(".label").textContent;
    this.title.textContent = label ? `${name} · ${label}` : name;
    this.source.hidden = current === source;
    this.source.querySelector("img").src = source.querySelector("img").src;
    const note = current.parentElement.querySelector("small");
    const cell = current.closest(".cell"), { kind } = cell.dataset;
    const drawn = [...current.children].map((child) => child.cloneNode(true));
    this.cell.querySelector(".shown").replaceChildren(...drawn);
    this.cell.querySelector("img:last-of-type").alt = current.ariaLabel;
    const words = [kind === "attention" ? this.grid.heatMaps.chosen.name : kind ?? "source", kind ? note.textContent : ""];
    this.cell.querySelector("figcaption").textContent = words.filter(Boolean).join(", ");
    this.showParts(kind === "attention" ? this.grid.heatMaps.others(cell) : []);
    // A disabled button would lose the focus, and with it the keys.
    for (const button of this.moves) button.ariaDisabled = String(!this.grid.neighbour(button.dataset.move));
  }
  /** Show the other heat maps of the network beside the chosen one. */
  showParts(others) {
    for (const figure of this.pair.querySelectorAll("[data-view=part]")) figure.remove();
    for (const { drawn, caption } of others) {
      const figure = document.createElement("figure"), words = document.createElement("figcaption");
      figure.dataset.view = "part";
      words.textContent = caption;
      figure.append(...drawn, words);
      this.pair.append(figure);
    }
    this.pair.classList.toggle("many", others.length > 0);
  }
}
