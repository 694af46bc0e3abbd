// Lay the chosen heat map of every picture over its source or its translation.

class HeatMaps {
  constructor(section, { rows, columns, maps }) {
    Object.assign(this, { section, rows, columns, maps });
    this.select = section.querySelector("[data-map]");
    this.select.closest("label").hidden = maps.length < 2;
    this.select.addEventListener("change", () => this.show());
    if (maps.length) this.show();
  }

  show() {
    for (const cell of this.section.querySelectorAll(".rows [data-kind=attention]")) this.fill(cell);
  }

  /** Show the chosen heat map in a cell, or why its column lacks it. The button stays, because it may have the focus. */
  fill(cell) {
    const index = Number(this.select.value), map = this.maps[index];
    const { row, column, heats } = this.of(cell), heat = heats[index];
    if (!cell.querySelector("button")) {
      cell.innerHTML = '<button type="button" tabindex="-1"></button><div class="missing"><span></span></div><small></small>';
    }
    const [button, missing, note] = cell.children;
    button.hidden = !heat;
    missing.hidden = Boolean(heat);
    missing.firstElementChild.textContent = map.missing[column] ?? "";
    note.textContent = heat?.words ?? "";
    button.replaceChildren(...(heat ? this.draw(cell, index) : []));
    button.ariaLabel = `${this.rows[row].name}, ${this.columns[column]}, attention, ${map.name}, ${note.textContent}`;
  }

  /** Return the number of a cell's row and column, and the heat maps there. */
  of(cell) {
    const row = Number(cell.closest(".row").dataset.row), column = Number(cell.parentElement.dataset.column);
    return { row, column, heats: this.rows[row].heats[column] };
  }

  /** Return a heat map over its picture, and the bar of its colours with a mark at zero. */
  draw(cell, index) {
    const heat = this.of(cell).heats[index];
    const under = this.maps[index].base === "source" ? cell.closest(".row").querySelector(".source img") : cell.parentElement.querySelector("[data-kind=translation] img");
    const stack = document.createElement("span"), bar = document.createElement("i");
    stack.className = "stack";
    for (const src of [under.src, heat.picture]) stack.append(Object.assign(new Image(), { src, alt: "", decoding: "async" }));
    bar.className = heat.flat ? "bar flat" : "bar";
    if (heat.zero !== null) bar.style.setProperty("--zero", heat.zero);
    return [stack, bar];
  }

  /** Return the network's heat maps that a cell does not show, drawn, with their captions. */
  others(cell) {
    const chosen = Number(this.select.value), { heats } = this.of(cell);
    return this.maps.flatMap(({ network, name }, index) => {
      if (index === chosen || network !== this.maps[chosen].network || !heats[index]) return [];
      return [{ drawn: this.draw(cell, index), caption: `${name}, ${heats[index].words}` }];
    });
  }

  get chosen() {
    return this.maps[Number(this.select.value)];
  }
}
