/* Long-distance flows: a schematic map whose lines are as wide as the shares of the branches, before and after a route. */
"use strict";
var corridorFlows = (function () {
  var NAMESPACE = "http://www.w3.org/2000/svg";
  var SCALE = 2.2, THIN = 0.8;

  function start(data, words) {
    var box = document.getElementById("flows");
    if (!box || !data) { return; }
    var now = { id: "", regime: "", year: String(data.years[data.years.length - 1]), after: true };
    var year = box.querySelector("#flow-year"), body = box.querySelector("tbody"), said = box.querySelector("#flow-said");
    var drawing = box.querySelector("svg"), lines = [], names = [];

    function node(name, attributes, parent) {
      var made = document.createElementNS(NAMESPACE, name);
      Object.keys(attributes).forEach(function (key) { made.setAttribute(key, attributes[key]); });
      return parent.appendChild(made);
    }
    data.lines.forEach(function (line) {
      lines.push(node("line", { x1: line[0], y1: line[1], x2: line[2], y2: line[3], "class": "flow " + line[4] + " " + line[5] }, drawing));
    });
    data.cities.forEach(function (city) {
      node("circle", { cx: city[1], cy: city[2], r: 2.5, "class": "flow-city" }, drawing);
      names.push([node("text", { x: city[1] + 4, y: city[2] - 4, "class": "flow-name" }, drawing), city[0]]);
    });
    function spaced(value) { return words.number(String(value).replace(/\B(?=(\d{3})+(?!\d))/g, "\u202f")); }
    function number(value) { return value === null ? "–" : spaced(value); }
    function signed(value) { return value === null ? "–" : (value > 0 ? "+" : value < 0 ? "−" : "") + spaced(Math.abs(value)); }
    function cell(row, text, kind) {
      var made = row.appendChild(document.createElement(kind || "td"));
      made.appendChild(document.createElement("bdi")).textContent = text;
      if (kind === "th") { made.scope = "row"; }
    }
    function show() {
      names.forEach(function (name) { name[0].textContent = words.text(name[1]); });
      var own = data.cases[now.id + "|" + now.regime], alone = data.cases["|"][now.year];
      var there = own && own[now.year], found = now.after && there ? there : alone;
      data.widths[found.widths].forEach(function (share, index) {
        lines[index].style.strokeWidth = (share > 0 ? THIN + SCALE * share : THIN) + "px";
        lines[index].classList.toggle("used", share > 0);
      });
      body.textContent = "";
      found.rows.forEach(function (cells, index) {
        var row = body.appendChild(document.createElement("tr")), pair = data.pairs[index];
        cell(row, words.text(pair[0]) + " – " + words.text(pair[1]), "th");
        cell(row, cells[0] ? words.text(cells[0]) : words.get("flows.no_way"));
        cell(row, cells[2] === null ? "–" : number(cells[2]) + " (" + number(cells[1]) + "–" + number(cells[3]) + ")");
        cell(row, there ? signed(there.rows[index][4]) : "–");
        cell(row, there ? signed(there.rows[index][5]) : "–");
      });
      said.textContent = there ? there.said.map(function (message) { return words.get(message.t, message.fill); }).join(" ") : "";
    }
    year.addEventListener("change", function () { now.year = year.value; show(); });
    box.querySelectorAll("input[name=flow-when]").forEach(function (choice) {
      choice.addEventListener("change", function () { now.after = choice.value === "after"; show(); });
    });
    document.addEventListener("corridor:choose", function (event) { now.id = event.detail.id; show(); });
    document.addEventListener("corridor:regime", function (event) { now.regime = event.detail.regime; show(); });
    document.addEventListener("corridor:language", show);
    var regime = document.getElementById("regime");
    now.regime = regime ? regime.value : "";
    show();
  }
  return { start: start };
})();
