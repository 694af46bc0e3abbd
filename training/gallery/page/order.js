// Sort the rows of a section by name, cycle error or CAM probability.

class Order {
  constructor(section, { rows, columns }) {
    Object.assign(this, { section, rows, columns, descending: false });
    this.list = section.querySelector(".rows");
    this.elements = [...this.list.children];
    this.key = section.querySelector("[data-key]");
    this.of = section.querySelector("[data-of]");
    this.button = section.querySelector("[data-order]");
    this.status = section.querySelector("[role=status]");
    this.of.closest("label").hidden = columns.length < 2;
    for (const option of this.key.options) {
      if (option.value !== "name") option.disabled = !columns.some((_, column) => this.known(option.value, column));
    }
    this.key.addEventListener("change", () => this.choose());
    this.of.addEventListener("change", () => this.sort());
    this.button.addEventListener("click", () => {
      this.descending = !this.descending;
      this.sort();
    });
    this.label();
  }

  known(key, column) {
    return this.rows.some((row) => row[key][column] !== null);
  }

  /** Begin with the pictures that need a look: the largest cycle error, the least certain classifier. */
  choose() {
    const key = this.key.value;
    this.descending = key === "cycle";
    for (const option of this.of.options) option.disabled = key !== "name" && !this.known(key, Number(option.value));
    if (this.of.selectedOptions[0].disabled) this.of.value = [...this.of.options].find((option) => !option.disabled).value;
    this.sort();
  }

  sort() {
    const key = this.key.value, column = Number(this.of.value), sign = this.descending ? -1 : 1;
    const value = (element) => this.rows[element.dataset.row][key][column];
    const byPlace = (one, other) => one.dataset.row - other.dataset.row;
    const byValue = (one, other) => {
      const [a, b] = [value(one), value(other)];
      if (a === null || b === null) return (a === null) - (b === null) || byPlace(one, other);
      return sign * (a - b) || byPlace(one, other);
    };
    this.elements.sort(key === "name" ? (one, other) => sign * byPlace(one, other) : byValue);
    this.list.append(...this.elements);
    this.label();
    const of = key === "name" || this.columns.length < 2 ? "" : ` of ${this.columns[column]}`;
    this.status.textContent = `Sorted by ${this.key.selectedOptions[0].textContent}${of}, ${this.button.textContent.toLowerCase()}.`;
  }

  label() {
    const byName = this.key.value === "name";
    this.of.disabled = byName;
    this.button.textContent = byName ? (this.descending ? "Z to A" : "A to Z") : this.descending ? "Highest first" : "Lowest first";
  }
}
