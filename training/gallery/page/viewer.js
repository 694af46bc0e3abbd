// Enlarge a picture beside its source; the arrow keys lead to the others.

class Viewer {
  constructor(dialog) {
    this.dialog = dialog;
    this.title = dialog.querySelector("h2");
    this.source = dialog.querySelector("[data-view=source]");
    this.cell = dialog.querySelector("[data-view=cell]");
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
    this.cell.querySelector("img").src = current.querySelector("img").src;
    this.cell.querySelector("img").alt = current.ariaLabel;
    const { kind } = current.closest(".cell").dataset;
    const note = current.nextElementSibling.textContent;
    this.cell.querySelector("figcaption").textContent = kind ? `${kind}${note ? `, ${note}` : ""}` : "source";
    // A disabled button would lose the focus, and with it the keys.
    for (const button of this.moves) button.ariaDisabled = String(!this.grid.neighbour(button.dataset.move));
  }
}
