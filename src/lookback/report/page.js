// What a reader may do with the page: sort tables, switch models on and off, read values, look at a part of the times.
// Nothing here is needed to read it. Names come from users: they are compared and written as text, never as markup.
"use strict";

const MISSING = "–";
const STEP = { ArrowLeft: -1, ArrowRight: 1, ArrowDown: -1, ArrowUp: 1, PageDown: -10, PageUp: 10 };
const NEAREST = 10; // times that are shown at the least

function made(name, attributes = {}, text = "") {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.textContent = text;
  return element;
}

const clamp = (value, low, high) => Math.min(Math.max(value, low), Math.max(low, high));

// --- tables ---------------------------------------------------------------------------------------------

/** The number that a cell begins with: of "−1,234.5 ± 0.2 s" it is −1234.5; "<0.001" comes before 0.001. */
function number(text) {
  const found = /^([<>]?)\s*([+\-−]?)(∞|\d[\d,]*(?:\.\d+)?(?:e[+\-−]?\d+)?)/i.exec(text);
  if (!found) return NaN;
  const digits = found[3].replaceAll(",", "").replace("−", "-");
  const size = digits === "∞" ? Infinity : Number(digits);
  const value = found[2] && found[2] !== "+" ? -size : size;
  return found[1] ? value + (found[1] === "<" ? -1 : 1) * 1e-9 * Math.abs(value) : value;
}

function sortable(table) {
  const rows = [...table.tBodies[0].rows];
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    if (head.classList.contains("forest")) return; // a picture of the column "difference"
    const button = made("button", { type: "button" });
    button.append(...head.childNodes);
    head.append(button);
    head.setAttribute("aria-sort", "none");
    button.addEventListener("click", () => {
      const next = { none: "ascending", ascending: "descending", descending: "none" }[head.getAttribute("aria-sort")];
      for (const other of heads) if (other.hasAttribute("aria-sort")) other.setAttribute("aria-sort", "none");
      head.setAttribute("aria-sort", next);
      table.tBodies[0].append(...(next === "none" ? rows : sorted(rows, column, next === "ascending" ? 1 : -1)));
    });
  });
}

/** The rows in order of a column; those without a value last, whichever way it goes. */
function sorted(rows, column, sign) {
  const texts = new Map(rows.map((row) => [row, (row.cells[column].dataset.sort ?? row.cells[column].textContent).trim()]));
  const empty = (row) => ["", MISSING].includes(texts.get(row));
  const numbers = column > 0 && rows.every((row) => empty(row) || !Number.isNaN(number(texts.get(row))));
  const compared = (a, b) => {
    if (empty(a) || empty(b)) return empty(a) - empty(b);
    const [left, right] = [texts.get(a), texts.get(b)];
    if (!numbers) return sign * left.localeCompare(right, undefined, { numeric: true });
    const [x, y] = [number(left), number(right)];
    return x === y ? 0 : sign * (x < y ? -1 : 1); // not their difference: ∞ − ∞ is no number
  };
  return [...rows].sort(compared);
}

// --- models ---------------------------------------------------------------------------------------------

function switches(section) {
  const box = section.querySelector(".models");
  if (!box) return;
  const owned = [...section.querySelectorAll("[data-model]")];
  const buttons = [...box.querySelectorAll("[data-toggles]")];
  const summary = box.querySelector("summary");
  const set = (button, on) => {
    button.setAttribute("aria-pressed", on);
    for (const element of owned) {
      if (element.dataset.model === button.dataset.toggles) element.classList.toggle("off", !on);
    }
    const shown = buttons.filter((one) => one.getAttribute("aria-pressed") === "true").length;
    summary.textContent = `Models shown: ${shown} of ${buttons.length}`;
  };
  for (const button of buttons) {
    button.addEventListener("click", () => set(button, button.getAttribute("aria-pressed") !== "true"));
    set(button, true);
  }
  box.querySelector(".all").addEventListener("click", () => buttons.forEach((button) => set(button, true)));
  box.hidden = false;
}

// --- values ---------------------------------------------------------------------------------------------

const tip = made("div", { class: "tip", "aria-hidden": "true" }); // what it says stands in aria-valuetext as well

/** What can be read off a plot: places along it, each with its lines of text. */
class Reader {
  constructor(plot) {
    this.plot = plot;
    this.svg = plot.querySelector("svg");
    this.part = [0, 1]; // of the axis, that is shown
    this.at = -1;
    const { places, labels } = plot.dataset;
    if (places !== undefined) {
      this.shares = places.split(" ").map((place) => Number(place) / 100);
      this.labels = labels.split("\n");
      this.lines = [...this.svg.querySelectorAll("[data-values]")].map((line) => [line, line.dataset.values.split("\n")]);
      this.lines.sort(([a], [b]) => a.matches(".band") - b.matches(".band")); // the interval is drawn first and read last
    } else {
      this.marks = [...this.svg.querySelectorAll("title")].map((title) => title.parentElement);
      this.marks = this.marks.filter((mark) => mark !== this.svg);
    }
    this.count = this.shares ? this.shares.length : this.marks.length;
    if (this.count) this.build();
  }

  build() {
    const title = this.svg.querySelector("title").textContent;
    // A slider: its arrow keys reach the page through a screen reader, and its value is read out whenever it changes.
    this.area = made("div", { class: "reader", role: "slider", tabindex: "0", "aria-label": `${title}: values` });
    this.area.setAttribute("aria-valuemin", "1");
    this.area.setAttribute("aria-valuemax", this.count);
    this.area.setAttribute("aria-valuenow", "1");
    this.area.setAttribute("aria-valuetext", this.text(this.near(0, 1)).join(", "));
    this.area.style.left = this.plot.style.paddingLeft;
    this.area.style.right = this.plot.style.paddingRight;
    this.cursor = made("div", { class: this.shares ? "cursor" : "ring", hidden: "" });
    this.area.append(this.cursor);
    this.plot.append(this.area);
    this.area.addEventListener("pointermove", (event) => this.point(event));
    this.area.addEventListener("pointerdown", (event) => this.point(event));
    this.area.addEventListener("pointerleave", () => document.activeElement !== this.area && this.hide());
    this.area.addEventListener("focus", () => this.show(this.near(Math.max(this.at, 0), 1)));
    this.area.addEventListener("blur", () => this.hide());
    this.area.addEventListener("keydown", (event) => this.key(event));
  }

  visible(i) {
    if (!this.shares) return !this.marks[i].closest(".off");
    return this.shares[i] >= this.part[0] - 1e-6 && this.shares[i] <= this.part[1] + 1e-6;
  }

  /** The first place from `i` on that is shown, in that direction; else the last one before it. */
  near(i, step) {
    const inside = clamp(i, 0, this.count - 1);
    for (let j = inside; j >= 0 && j < this.count; j += step) if (this.visible(j)) return j;
    for (let j = inside; j >= 0 && j < this.count; j -= step) if (this.visible(j)) return j;
    return -1;
  }

  /** Where a place is, in pixels from the corner of the area. */
  place(i) {
    const box = this.area.getBoundingClientRect();
    if (this.shares) return [(box.width * (this.shares[i] - this.part[0])) / (this.part[1] - this.part[0]), box.height / 3];
    const mark = this.marks[i].getBoundingClientRect();
    return [(mark.left + mark.right) / 2 - box.left, (mark.top + mark.bottom) / 2 - box.top];
  }

  text(i) {
    if (i < 0) return ["nothing is shown"];
    if (!this.shares) return [this.marks[i].querySelector("title").textContent];
    const shown = this.lines.filter(([line, values]) => !line.closest(".off") && values[i] !== MISSING);
    return [this.labels[i], ...shown.map(([line, values]) => `${line.dataset.name} ${values[i]}`)];
  }

  point(event) {
    const box = this.area.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    let [best, least] = [-1, Infinity];
    for (let i = 0; i < this.count; i += 1) {
      if (!this.visible(i)) continue;
      const [across, down] = this.place(i);
      const distance = this.shares ? Math.abs(across - x) : Math.hypot(across - x, down - y);
      if (distance < least) [best, least] = [i, distance];
    }
    this.show(best);
  }

  key(event) {
    const { key } = event;
    if (key === "Escape") return this.hide();
    if (!(key in STEP) && key !== "Home" && key !== "End") return undefined;
    event.preventDefault();
    const step = STEP[key] ?? (key === "Home" ? 1 : -1);
    const from = key === "Home" ? 0 : key === "End" ? this.count - 1 : this.at + step;
    return this.show(this.near(from, Math.sign(step)));
  }

  show(i) {
    const lines = this.text(i);
    this.area.setAttribute("aria-valuetext", lines.join(", "));
    if (i < 0) return this.hide();
    this.at = i;
    this.area.setAttribute("aria-valuenow", i + 1);
    const [x, y] = this.place(i);
    this.cursor.hidden = false;
    this.cursor.style.left = `${x}px`;
    if (!this.shares) this.cursor.style.top = `${y}px`;
    tip.replaceChildren(...lines.map((line) => made("div", {}, line)));
    this.area.append(tip);
    // Beside the place, on the side that has more room, and never beyond the plot.
    const left = parseFloat(this.plot.style.paddingLeft);
    const beside = x < this.area.clientWidth / 2 ? x + 12 : x - tip.offsetWidth - 12;
    tip.style.left = `${clamp(beside, -left, this.plot.clientWidth - left - tip.offsetWidth)}px`;
    tip.style.top = `${this.shares ? 4 : y + 12}px`;
    return undefined;
  }

  hide() {
    this.cursor.hidden = true;
    if (tip.parentElement === this.area) tip.remove();
  }

  // --- a part of the axis -------------------------------------------------------------------------------

  zoom(first, last) {
    const whole = first === 0 && last === this.count - 1;
    this.part = whole ? [0, 1] : [this.shares[first], this.shares[last]];
    const inner = this.svg.querySelector("svg[viewBox]");
    this.box ??= inner.getAttribute("viewBox").split(" ").map(Number);
    const [, top, width, height] = this.box;
    const [from, to] = this.part;
    inner.setAttribute("viewBox", `${width * from} ${top} ${width * (to - from)} ${height}`);
    this.ticks(whole, first, last);
    this.hide();
  }

  /** The axis written anew: each label stands at a time that is there. */
  ticks(whole, first, last) {
    this.old ??= [...this.svg.querySelectorAll(":scope > text.tick.mid")];
    for (const text of this.old) text.style.display = whole ? "" : "none";
    for (const text of this.fresh ?? []) text.remove();
    this.fresh = [];
    if (whole) return;
    const fit = Math.floor(this.area.clientWidth / (8 * this.labels[first].length + 16));
    const count = clamp(Math.min(fit, 6), 2, last - first + 1);
    for (let k = 0; k < count; k += 1) {
      const i = Math.round(first + ((k + 0.5) * (last - first)) / count);
      const text = document.createElementNS("http://www.w3.org/2000/svg", "text");
      const share = (this.shares[i] - this.part[0]) / (this.part[1] - this.part[0]);
      text.setAttribute("x", `${100 * share}%`);
      text.setAttribute("y", this.old[0].getAttribute("y"));
      text.setAttribute("class", "tick mid");
      text.textContent = this.labels[i];
      this.svg.append(text);
      this.fresh.push(text);
    }
  }
}

/** Two sliders for all plots of a group, and a drag of the mouse over one of them. */
function zooming(group, readers) {
  const own = readers.filter((reader) => group.contains(reader.plot) && reader.plot.dataset.zoom !== undefined);
  if (!own.length) return;
  const last = own[0].count - 1;
  const box = made("fieldset", { class: "zoom" });
  const ends = ["from", "to"].map((name, i) => {
    const input = made("input", { type: "range", min: 0, max: last, value: i * last });
    const label = made("label", {}, `${name} `);
    const output = made("output");
    label.append(input, output);
    input.addEventListener("input", () => apply(i));
    return { input, label, output };
  });
  const reset = made("button", { type: "button" }, "all times");
  const note = made("span", { class: "mouse" }, "or drag over a chart");
  box.append(made("legend", {}, "Times shown"), ...ends.map((end) => end.label), reset, note);
  group.prepend(box);

  function apply(moved = -1) {
    const values = ends.map((end) => Number(end.input.value));
    const least = Math.min(NEAREST, last);
    if (moved === 0) values[0] = Math.min(values[0], values[1] - least);
    if (moved === 1) values[1] = Math.max(values[1], values[0] + least);
    values[0] = clamp(values[0], 0, last - least);
    values[1] = clamp(values[1], values[0] + least, last);
    ends.forEach((end, i) => {
      end.input.value = values[i];
      end.output.textContent = own[0].labels[values[i]];
      end.input.setAttribute("aria-valuetext", own[0].labels[values[i]]);
    });
    reset.disabled = values[0] === 0 && values[1] === last;
    // Of another number of times, the same part.
    for (const reader of own) reader.zoom(...values.map((v) => Math.round((v / last) * (reader.count - 1))));
  }

  reset.addEventListener("click", () => {
    ends.forEach((end, i) => (end.input.value = i * last));
    apply();
    ends[0].input.focus(); // the button is switched off now
  });
  for (const reader of own) dragging(reader, (from, to) => {
    ends[0].input.value = Math.round((from / (reader.count - 1)) * last);
    ends[1].input.value = Math.round((to / (reader.count - 1)) * last);
    apply();
  });
  apply();
}

function dragging(reader, chosen) {
  const { area } = reader;
  const band = made("div", { class: "chosen", hidden: "" });
  let start = null;
  area.append(band);
  area.addEventListener("pointerdown", (event) => {
    if (event.pointerType !== "mouse" || event.button !== 0) return;
    start = { x: event.clientX, at: reader.at };
    area.setPointerCapture(event.pointerId);
  });
  area.addEventListener("pointermove", (event) => {
    if (!start) return;
    const left = area.getBoundingClientRect().left;
    band.hidden = Math.abs(event.clientX - start.x) < 6;
    band.style.left = `${Math.min(start.x, event.clientX) - left}px`;
    band.style.width = `${Math.abs(event.clientX - start.x)}px`;
  });
  const end = (event) => {
    if (start && !band.hidden && event.type === "pointerup") {
      chosen(Math.min(start.at, reader.at), Math.max(start.at, reader.at));
    }
    start = null;
    band.hidden = true;
  };
  area.addEventListener("pointerup", end);
  area.addEventListener("pointercancel", end);
}

document.querySelectorAll("table.sorts").forEach(sortable);
document.querySelectorAll("section.task").forEach(switches);
const readers = [...document.querySelectorAll(".plot")].map((plot) => new Reader(plot)).filter((reader) => reader.area);
document.querySelectorAll(".group").forEach((group) => zooming(group, readers));
