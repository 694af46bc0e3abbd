// Move between the pictures of a grid with the keyboard; only one of them is in the Tab order.

class Grid {
  constructor(section) {
    this.section = section;
    this.grid = section.querySelector(".grid");
    this.makeCurrent(this.grid.querySelector(".rows button"));
    this.grid.addEventListener("keydown", (event) => this.press(event));
    this.grid.addEventListener("focusin", (event) => event.target.matches("button") && this.makeCurrent(event.target));
  }

  rows() {
    return [...this.grid.querySelectorAll(".rows > .row")].map((row) => [...row.querySelectorAll("button")].filter((button) => button.offsetParent));
  }

  makeCurrent(button) {
    if (this.current) this.current.tabIndex = -1;
    this.current = button;
    button.tabIndex = 0;
  }

  /** Make the source current where the current picture is hidden, or the grid could not be reached. */
  keepReachable() {
    if (!this.current.offsetParent) this.makeCurrent(this.current.closest(".row").querySelector("button"));
  }

  /** Return the picture that a key leads to, or undefined. */
  neighbour(key, far = false) {
    const rows = this.rows();
    const y = rows.findIndex((row) => row.includes(this.current)), x = rows[y].indexOf(this.current);
    const end = rows.length - 1;
    switch (key) {
      case "ArrowLeft": return rows[y][x - 1];
      case "ArrowRight": return rows[y][x + 1];
      case "ArrowUp": return this.inColumn(rows[y - 1], x);
      case "ArrowDown": return this.inColumn(rows[y + 1], x);
      case "PageUp": return this.inColumn(rows[Math.max(0, y - 5)], x);
      case "PageDown": return this.inColumn(rows[Math.min(end, y + 5)], x);
      case "Home": return far ? rows[0][0] : rows[y][0];
      case "End": return far ? rows[end].at(-1) : rows[y].at(-1);
      default: return undefined;
    }
  }

  inColumn(row, x) {
    return row?.[Math.min(x, row.length - 1)];
  }

  press(event) {
    if (event.altKey || event.metaKey) return;
    const next = this.neighbour(event.key, event.ctrlKey);
    if (!next) return;
    event.preventDefault();
    next.focus();
  }
}
