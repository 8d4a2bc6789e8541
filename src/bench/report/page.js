"use strict";
// Draws the charts again as the reader asks for them. Without this script the page has the same
// charts, absolute and logarithmic. Text from the record is only ever set as text.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const names = data.targets.map((target) => target.name);
  const state = { ratio: false, log: true, hidden: new Set() };
  const fewest = data.fewest_for_interval;
  const NS = "http://www.w3.org/2000/svg";

  const groups = [];
  for (const figure of data.figures) {
    const last = groups[groups.length - 1];
    if (last && last[0].workload === figure.workload && last[0].metric === figure.metric) last.push(figure);
    else groups.push([figure]);
  }

  const scaled = (number, step, units) => {
    let at = 0;
    while (Math.abs(number) >= step && at + 1 < units.length) { number /= step; at++; }
    const size = Math.abs(number);
    return number.toFixed(size >= 100 || number === 0 ? 0 : size >= 10 ? 1 : 2) + units[at];
  };
  const show = (number, unit) => ({
    "ns": () => scaled(number, 1000, [" ns", " µs", " ms", " s"]),
    "B": () => scaled(number, 1024, [" B", " KiB", " MiB", " GiB"]),
    "B/s": () => scaled(number, 1024, [" B/s", " KiB/s", " MiB/s", " GiB/s"]),
    "1/s": () => scaled(number, 1000, [" /s", " k/s", " M/s"]),
      "count": () => Number.isInteger(number) ? String(number) : scaled(number, Infinity, [""]),
  }[unit] || (() => scaled(number, Infinity, [""])))();

  const tickText = (number, unit) => show(number, unit).replace(/\.00?(?= |$)/, "");

  const make = (name, attributes, parent, text) => {
    const element = document.createElementNS(NS, name);
    for (const key in attributes) element.setAttribute(key, attributes[key]);
    if (text !== undefined) element.textContent = text;
    parent.appendChild(element);
    return element;
  };

  // What is drawn of a target: its value, or its ratio to the baseline (which is 1 then).
  const estimate = (cell) => {
    if (!state.ratio) return cell.value;
    if (cell.ratio) return cell.ratio;
    return data.targets[names.indexOf(cell.target)].baseline ? { median: 1, low: 1, high: 1 } : null;
  };
  const visible = (figure) => figure.targets.filter((cell) => !state.hidden.has(cell.target) && estimate(cell));

  const makeAxis = (values, from, to) => {
    const good = values.filter((value) => state.log ? value > 0 : isFinite(value));
    let low = Math.min(...good), high = Math.max(...good);
    if (!good.length) low = high = 1;
    const place = state.log ? Math.log10 : (value) => value;
    let a = state.log ? place(low) - 0.06 : Math.min(0, low), b = state.log ? place(high) + 0.06 : high * 1.05 || 1;
    if (state.log && b - a < 0.3) { const middle = (a + b) / 2; a = middle - 0.15; b = middle + 0.15; }
    const axis = (value) => from + Math.max(0, Math.min(1, ((state.log && !(value > 0) ? a : place(value)) - a) / (b - a))) * (to - from);
    axis.ticks = (most, unit) => {
      const ticks = [];
      if (state.log && unit.startsWith("B")) {
        const bits = Math.log2(10), first = Math.ceil(a * bits), last = Math.floor(b * bits);
        let stride = 1;
        while (last - first >= stride * most) stride *= 2;
        for (let power = first; power <= last; power++) if (power % stride === 0) ticks.push(Math.pow(2, power));
        return ticks;
      }
      if (!state.log) {
        const step = Math.pow(10, Math.floor(Math.log10((b - a) / most)));
        const wide = step * [1, 2, 5, 10].find((n) => (b - a) / (step * n) <= most);
        for (let tick = Math.ceil(a / wide) * wide; tick <= b; tick += wide) ticks.push(tick);
        return ticks;
      }
      for (const steps of [[1, 2, 5], [1, 3], [1]]) {
        ticks.length = 0;
        for (let decade = Math.floor(a); decade <= b; decade++)
          for (const step of steps) { const at = Math.log10(step) + decade; if (at >= a && at <= b) ticks.push(step * Math.pow(10, decade)); }
        if (ticks.length <= most) return ticks;
      }
      const stride = Math.floor(ticks.length / most) + 1;
      return ticks.filter((_, at) => at % stride === 0);
    };
    return axis;
  };

  const tip = document.createElement("div");
  tip.id = "tip"; tip.hidden = true; tip.setAttribute("role", "status");
  document.body.appendChild(tip);
  const tell = (element, words) => {
    const open = () => {
      const box = element.getBoundingClientRect();
      tip.textContent = words; tip.hidden = false;
      tip.style.left = Math.max(6, Math.min(box.left, innerWidth - tip.offsetWidth - 6)) + "px";
      tip.style.top = (box.top > tip.offsetHeight + 10 ? box.top - tip.offsetHeight - 6 : box.bottom + 6) + "px";
    };
    const close = () => { tip.hidden = true; };
    element.setAttribute("tabindex", "0"); element.setAttribute("aria-label", words);
    for (const event of ["pointerenter", "focus", "click"]) element.addEventListener(event, open);
    for (const event of ["pointerleave", "blur"]) element.addEventListener(event, close);
  };
  const words = (figure, cell) => {
    const it = cell.value;
    let text = cell.target + ": " + show(it.median, figure.unit) + (cell.rounds.length < fewest ? ", range " : ", 99 % ") + show(it.low, figure.unit) + " to " + show(it.high, figure.unit) +
      "; " + cell.rounds.length + (cell.rounds.length === 1 ? " round" : " rounds");
    if (cell.ratio) text += "; ×" + cell.ratio.median.toFixed(2) + " (" + cell.ratio.low.toFixed(2) + " to " + cell.ratio.high.toFixed(2) + ")";
    if (cell.outliers) text += "; outliers: " + cell.outliers;
    if (cell.disturbed) text += "; disturbed: " + cell.disturbed;
    return text;
  };
  const colour = (name) => "t" + names.indexOf(name) % 8;
  const short = (name) => name.length > 20 ? name.slice(0, 19) + "…" : name;

  const drawRows = (svg, figure) => {
    const cells = visible(figure), unit = state.ratio ? "ratio" : figure.unit;
    const W = 400, L = 122, R = 74, ROW = 19, bottom = 8 + ROW * cells.length;
    const values = cells.flatMap((cell) => [estimate(cell).low, estimate(cell).high, estimate(cell).median].concat(state.ratio ? [] : cell.rounds));
    const axis = makeAxis(values, L, W - R);
    svg.setAttribute("viewBox", "0 0 " + W + " " + (bottom + 22));
    for (const tick of axis.ticks(4, unit)) {
      make("line", { class: "g", x1: axis(tick), x2: axis(tick), y1: 8, y2: bottom }, svg);
      make("text", { class: "a", x: axis(tick), y: bottom + 14, "text-anchor": "middle" }, svg, tickText(tick, unit));
    }
    cells.forEach((cell, row) => {
      const y = 8 + ROW * (row + 0.5), it = estimate(cell), group = make("g", { class: colour(cell.target) }, svg);
      make("rect", { class: "hit", x: 0, y: y - ROW / 2, width: W, height: ROW }, group);
      make("text", { x: L - 8, y: y + 4, "text-anchor": "end" }, group, short(cell.target));
      if (!state.ratio) for (const round of cell.rounds) make("circle", { class: "r", cx: axis(round), cy: y, r: 2.5 }, group);
      make("line", { class: "w", x1: axis(it.low), x2: axis(it.high), y1: y, y2: y }, group);
      make("circle", { class: "d", cx: axis(it.median), cy: y, r: 4 }, group);
      make("text", { x: W - R + 8, y: y + 4 }, group, state.ratio ? "×" + show(it.median, "ratio") : show(it.median, unit));
      tell(group, words(figure, cell));
    });
  };

  const drawCurves = (svg, figures) => {
    const W = 400, H = 260, unit = state.ratio ? "ratio" : figures[0].unit, xUnit = figures[0].x_name === "bytes" ? "B" : "count";
    const least = Math.min(...figures.map((figure) => figure.x).filter((x) => x > 0), Infinity);
    const placed = (x) => state.log && !(x > 0) ? (isFinite(least) ? least / 4 : 1) : x;
    const xAxis = makeAxis(figures.map((figure) => placed(figure.x)), 64, W - 16);
    const yAxis = makeAxis(figures.flatMap((figure) => visible(figure).map((cell) => estimate(cell).median)), H, 8);
    const shown = names.filter((name) => figures.some((figure) => visible(figure).some((cell) => cell.target === name)));
    svg.setAttribute("viewBox", "0 0 " + W + " " + (H + 36 + 19 * Math.ceil(shown.length / 3)));
    for (const tick of yAxis.ticks(6, unit)) {
      make("line", { class: "g", x1: 64, x2: W - 16, y1: yAxis(tick), y2: yAxis(tick) }, svg);
      make("text", { class: "a", x: 58, y: yAxis(tick) + 4, "text-anchor": "end" }, svg, tickText(tick, unit));
    }
    for (const tick of xAxis.ticks(5, xUnit)) make("text", { class: "a", x: xAxis(tick), y: H + 14, "text-anchor": "middle" }, svg, tickText(tick, xUnit));
    make("text", { class: "a", x: W / 2, y: H + 28, "text-anchor": "middle" }, svg, figures[0].x_name);
    shown.forEach((name, number) => {
      const group = make("g", { class: colour(name) }, svg);
      const points = figures.map((figure) => [figure, visible(figure).find((cell) => cell.target === name)]).filter((pair) => pair[1]);
      const path = points.map(([figure, cell], at) => (at ? "L" : "M") + xAxis(placed(figure.x)) + " " + yAxis(estimate(cell).median)).join("");
      make("path", { class: "l", d: path, "stroke-dasharray": names.indexOf(name) >= 8 ? "5 3" : "none" }, group);
      const stride = Math.ceil(points.length / 20);
      points.forEach(([figure, cell], at) => {
        if (at % stride && at + 1 !== points.length) return;
        tell(make("circle", { class: "d", cx: xAxis(placed(figure.x)), cy: yAxis(estimate(cell).median), r: 3.5 }, group),
          show(figure.x, xUnit) + " " + figure.x_name + "; " + words(figure, cell));
      });
      const x = 16 + 130 * (number % 3), y = H + 44 + 19 * Math.floor(number / 3);
      make("circle", { class: "d", cx: x, cy: y - 4, r: 4 }, group);
      make("text", { x: x + 9, y: y }, group, short(name));
    });
  };

  const drawAll = () => {
    tip.hidden = true;
    for (const holder of document.querySelectorAll("figure[data-chart]")) {
      const figures = groups[Number(holder.dataset.chart)];
      const svg = document.createElementNS(NS, "svg");
      svg.setAttribute("role", "group"); svg.setAttribute("aria-label", figures[0].metric);
      if (figures[0].x_name) drawCurves(svg, figures); else drawRows(svg, figures[0]);
      holder.querySelector("svg").replaceWith(svg);
    }
  };

  const controls = document.getElementById("controls");
  const choice = (label, options, pick) => {
    const set = document.createElement("fieldset");
    set.setAttribute("aria-label", label);
    options.forEach(([text, value], at) => {
      const holder = document.createElement("label"), input = document.createElement("input");
      input.type = "radio"; input.name = label; input.value = String(value); input.checked = at === 0;
      input.addEventListener("change", () => { pick(value); drawAll(); });
      holder.append(input, text); set.append(holder);
    });
    controls.append(set);
  };
  choice("values", [["absolute", false], ["ratio to the baseline", true]], (value) => { state.ratio = value; });
  choice("scale", [["logarithmic", true], ["linear", false]], (value) => { state.log = value; });
  const theme = document.createElement("button");
  theme.type = "button"; theme.id = "theme"; theme.textContent = "light or dark";
  theme.addEventListener("click", () => {
    const root = document.documentElement;
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  });
  controls.append(theme);
  const chooser = document.createElement("details"), summary = document.createElement("summary"), targets = document.createElement("fieldset");
  summary.textContent = "Targets"; targets.setAttribute("aria-label", "targets");
  for (const name of names) {
    const holder = document.createElement("label"), input = document.createElement("input");
    input.type = "checkbox"; input.value = name; input.checked = true;
    input.addEventListener("change", () => { input.checked ? state.hidden.delete(name) : state.hidden.add(name); drawAll(); });
    holder.append(input, name); targets.append(holder);
  }
  chooser.append(summary, targets); controls.append(chooser);
  controls.hidden = false;
  drawAll();

  // What a verdict rests on, for a finger that cannot hover.
  for (const cell of document.querySelectorAll("td.v[title]")) { const why = cell.title; cell.removeAttribute("title"); tell(cell, why); }
  document.documentElement.dataset.ready = "yes";
})();
