// A chart: lines over the steps, drawn as SVG at the available width.

const MARGIN = { top: 8, right: 8, bottom: 20, left: 44 };

function element(name, attributes = {}, text = "") {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.textContent = text;
  return made;
}

/** Return the bias-corrected exponential moving average of values; gaps stay gaps. */
function smoothed(values, weight) {
  let mean = 0, total = 0;
  return values.map((value) => {
    if (value === null) return null;
    mean = weight * mean + (1 - weight) * value;
    total = weight * total + (1 - weight);
    return mean / total;
  });
}

function ticks(low, high, count) {
  const rough = (high - low) / count || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((each) => each >= rough);
  const found = [];
  for (let place = Math.ceil(low / step - 1e-9); place * step <= high + step * 1e-9; place++) found.push(place * step);
  return found;
}

function short(value) {
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e6) return `${+(value / 1e6).toPrecision(3)} M`;
  if (size >= 1e4) return `${+(value / 1e3).toPrecision(3)} k`;
  if (size < 1e-3) return value.toExponential(1).replace("e-", "e−");
  return String(+value.toPrecision(3));
}

class Chart {
  constructor(figure, chart, steps) {
    Object.assign(this, { figure, chart, steps });
    this.plot = figure.querySelector(".plot");
    this.readouts = [...figure.querySelectorAll(".legend b:not([data-band])")];
    this.spread = figure.querySelector("[data-band]");
    this.smoothing = 0;
    this.at = null;
    new ResizeObserver(() => this.draw()).observe(this.plot);
  }

  draw() {
    const { chart, steps } = this;
    this.width = this.plot.clientWidth;
    this.height = this.plot.clientHeight;
    this.drawn = chart.lines.map(({ values }) => (this.smoothing ? smoothed(values, this.smoothing) : values));
    this.fit();
    const svg = element("svg", { viewBox: `0 0 ${this.width} ${this.height}`, "aria-hidden": "true" });
    this.drawAxes(svg);
    if (chart.band) svg.append(element("path", { class: "band", "data-line": 0, d: this.area(...chart.band) }));
    chart.lines.forEach(({ values }, index) => {
      const line = { "data-line": index % 6 };
      if (this.smoothing) svg.append(element("path", { ...line, class: "raw", d: this.path(values) }));
      svg.append(element("path", { ...line, d: this.path(this.drawn[index]) }));
    });
    this.cursor = element("line", { class: "cursor", y1: MARGIN.top, y2: this.height - MARGIN.bottom, visibility: "hidden" });
    svg.append(this.cursor);
    this.plot.replaceChildren(svg);
    this.point(this.at);
  }

  /** Set the ends of the vertical axis: all bold lines, and 98 % of the faint values. */
  fit() {
    const { ends, logarithmic, lines } = this.chart;
    const known = lines.flatMap(({ values }) => values).filter((value) => value !== null && (!logarithmic || value > 0)).sort((a, b) => a - b);
    const bold = this.drawn.flat().filter((value) => value !== null && (!logarithmic || value > 0));
    let low = Math.min(known[Math.floor(known.length * 0.01)] ?? 0, ...bold);
    let high = Math.max(known[Math.ceil(known.length * 0.99) - 1] ?? 1, ...bold);
    if (!logarithmic && low >= 0 && low < high / 2) low = 0;
    if (low === high) [low, high] = logarithmic ? [low / 2, high * 2] : [low - (Math.abs(low) || 1) / 2, high + (Math.abs(high) || 1) / 2];
    [this.low, this.high] = ends ?? [low, high];
    if (!ends && !logarithmic) this.high += (this.high - this.low) * 0.04;
  }

  x(index) {
    const { steps, width } = this;
    const first = steps[0], last = steps[steps.length - 1];
    const share = last === first ? 0.5 : (steps[index] - first) / (last - first);
    return MARGIN.left + share * (width - MARGIN.left - MARGIN.right);
  }

  y(value) {
    const { low, high, height } = this;
    const share = this.chart.logarithmic ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low);
    return height - MARGIN.bottom - Math.min(1, Math.max(0, share)) * (height - MARGIN.top - MARGIN.bottom);
  }

  path(values) {
    let d = "", down = false;
    values.forEach((value, index) => {
      const there = value !== null && !(this.chart.logarithmic && value <= 0);
      if (there) d += `${down ? "L" : "M"}${this.x(index).toFixed(1)} ${this.y(value).toFixed(1)}`;
      down = there || (down && this.chart.joined);
    });
    // A path of one point would be invisible.
    return /^M[\d. ]+$/.test(d) ? `${d}h0.01` : d;
  }

  area(low, high) {
    const there = low.map((_, index) => index).filter((index) => low[index] !== null && high[index] !== null);
    const at = (values) => (index) => `${this.x(index).toFixed(1)} ${this.y(values[index]).toFixed(1)}`;
    return there.length ? `M${[...there.map(at(high)), ...there.reverse().map(at(low))].join("L")}Z` : "";
  }

  drawAxes(svg) {
    const { steps, width, height } = this;
    for (const value of this.yTicks()) {
      const y = this.y(value);
      svg.append(element("line", { class: "grid", x1: MARGIN.left, x2: width - MARGIN.right, y1: y, y2: y }));
      svg.append(element("text", { x: MARGIN.left - 6, y: y + 4, "text-anchor": "end" }, short(value)));
    }
    const first = steps[0], last = steps[steps.length - 1];
    const room = width - MARGIN.left - MARGIN.right;
    for (const step of first === last ? [first] : ticks(first, last, Math.max(2, Math.floor(width / 110)))) {
      const x = first === last ? width / 2 : MARGIN.left + ((step - first) / (last - first)) * room;
      const anchor = x > width - 24 ? "end" : "middle";
      svg.append(element("text", { x, y: height - 4, "text-anchor": anchor }, short(step)));
    }
  }

  yTicks() {
    const { low, high, height } = this;
    if (!this.chart.logarithmic) return ticks(low, high, height < 150 ? 2 : 4);
    const found = [];
    for (let power = Math.floor(Math.log10(low)); 10 ** power <= high; power++) {
      found.push(...[1, 2, 5].map((factor) => factor * 10 ** power));
    }
    const inside = found.filter((value) => value >= low && value <= high);
    return inside.length > 6 ? inside.filter((value) => Math.abs(Math.log10(value) % 1) < 1e-9) : inside;
  }

  /** Show the cursor and the values at a step, or hide the cursor and show the last values. */
  point(at) {
    this.at = at;
    const index = at ?? this.steps.length - 1;
    this.readouts.forEach((readout, line) => {
      const value = this.drawn?.[line]?.[index];
      readout.textContent = value == null ? "–" : short(value);
    });
    if (this.spread) this.spread.textContent = this.chart.band.map((ends) => (ends[index] == null ? "–" : short(ends[index]))).join(" to ");
    if (!this.cursor) return;
    this.cursor.setAttribute("visibility", at === null ? "hidden" : "visible");
    for (const end of ["x1", "x2"]) this.cursor.setAttribute(end, this.x(index));
  }

  /** Return the index of the step under a pointer. */
  under(event) {
    const box = this.plot.getBoundingClientRect();
    const share = (event.clientX - box.left - MARGIN.left) / (box.width - MARGIN.left - MARGIN.right);
    const first = this.steps[0], last = this.steps[this.steps.length - 1];
    const wanted = first + Math.min(1, Math.max(0, share)) * (last - first);
    let low = 0, high = this.steps.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (this.steps[middle] < wanted) low = middle;
      else high = middle;
    }
    return wanted - this.steps[low] < this.steps[high] - wanted ? low : high;
  }
}
