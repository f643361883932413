/* Long-distance flows: a schematic map whose lines are as wide as the shares of the branches, before and after a route. */
"use strict";
var corridorFlows = (function () {
  var NAMESPACE = "http://www.w3.org/2000/svg";
  var SCALE = 2.2, THIN = 0.8;

  function start(data, words, rules) {
    var box = document.getElementById("flows");
    if (!box || !data) { return; }
    var now = { id: "", regime: "", year: String(data.years[data.years.length - 1]), after: true };
    var year = box.querySelector("#flow-year"), pair = box.querySelector("#flow-pair"), body = box.querySelector("#flow-pairs tbody"), said = box.querySelector("#flow-said");
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
      names.push([node("text", { x: city[1] + 4, y: city[2] - 4, "class": "flow-name", translate: "no" }, drawing), city[0], city]);
    });
    /* Names stand right of their places, else left, above or below; one that finds no room is told by pointing at it. */
    function spread() {
      var taken = [];
      names.forEach(function (entry) {
        var city = entry[2], text = entry[0], wide = text.textContent.length * 5.8, placed = null;
        [[4, -4], [-4 - wide, -4], [-wide / 2, -7], [-wide / 2, 13], [4, 11], [-4 - wide, 11]].some(function (shift) {
          var x = city[1] + shift[0], y = city[2] + shift[1], own = [x - 1, y - 9, x + wide + 1, y + 2];
          var free = !taken.some(function (other) { return own[0] < other[2] && other[0] < own[2] && own[1] < other[3] && other[1] < own[3]; });
          if (free) { placed = [x, y]; taken.push(own); }
          return free;
        });
        text.style.display = placed ? "" : "none";
        if (placed) { text.setAttribute("x", placed[0]); text.setAttribute("y", placed[1]); }
      });
    }
    function spaced(value) { return words.number(words.grouped(value)); }
    function number(value) { return value === null ? "–" : spaced(value); }
    function signed(value) { return value === null ? "–" : (value > 0 ? "+" : value < 0 ? "−" : "") + spaced(Math.abs(value)); }
    function cell(row, text, kind) {
      var made = row.appendChild(document.createElement(kind || "td")), said = made.appendChild(document.createElement("bdi"));
      said.textContent = text;
      if (kind === "th") { said.translate = false; } // names of places and ways
      if (kind === "th") { made.scope = "row"; }
    }
    function range(cells) { return cells[1] === null ? "–" : number(cells[1]) + " (" + number(cells[0]) + "–" + number(cells[2]) + ")"; }
    function pairName(pair) { return words.text(pair[0]) + " – " + words.text(pair[1]); }
    function way(index) { return index === null ? null : data.ways[index]; }
    function countries(parts) {
      return parts.map(function (part) {
        return (part[0] === "sea" ? words.get("flows.at_sea") : words.text(data.countries[part[0]] || part[0])) + " " + number(part[1]);
      }).join(", ");
    }
    function operators(of) {
      var named = of.operators.map(words.text);
      if (of.unnamed.length) { named.push(words.get("flows.unnamed", { where: countries(of.unnamed) })); }
      return named.join("; ") || "–";
    }
    function borders(of) {
      return of.borders.map(function (part) {
        var name = words.text(part[0]) + "–" + words.text(part[1]);
        return part[2].length ? words.get("flows.customs_line", { border: name, union: part[2].map(words.text).join(" / ") }) : name;
      }).join("; ");
    }
    function without(of) {
      return of.without.map(function (part) {
        return words.text(data.countries[part[0]] || part[0]) + " " + (part[1] === null ? words.get("flows.no_way") : "×" + number(part[1]));
      }).join(", ") || "–";
    }
    /* All ways of the chosen pair, the widest share first. */
    function choices(found, change) {
      var rows = box.querySelector("#flow-choices tbody"), chosen = Number(pair.value);
      rows.textContent = "";
      data.branches.map(function (branch, index) { return [branch, data.choices[found.choices[index]], change && data.choices[change.choices[index]]]; })
        .filter(function (one) { return one[0][2] === chosen; })
        .sort(function (a, b) { return b[1][3] - a[1][3]; })
        .forEach(function (one) {
          var row = rows.appendChild(document.createElement("tr"));
          cell(row, words.text(one[0][0]), "th");
          cell(row, one[1][1] === null ? words.get("flows.no_way") : range(one[1].slice(0, 3)));
          cell(row, number(one[1][3]));
          cell(row, one[2] ? signed(one[2][4]) : "–");
        });
    }
    function years(of) {
      if (of.years[0] === null) { return words.get("flows.no_year"); }
      return of.years[0] === of.years[1] ? String(of.years[0]) : of.years[0] + "–" + of.years[1];
    }
    /* Who controls the ways: described, not scored. */
    function control(found) {
      var truck = box.querySelector("#flow-control tbody"), rail = box.querySelector("#flow-rail tbody"), own = 0;
      truck.textContent = rail.textContent = "";
      found.rows.forEach(function (at, index) {
        var cells = data.rows[at], by = way(cells[0]), train = way(cells[6]), row = truck.appendChild(document.createElement("tr"));
        cell(row, pairName(data.pairs[index]), "th");
        cell(row, by ? words.text(by.name) : words.get("flows.no_way"));
        cell(row, by ? by.hours.map(number).join(" + ") : "–");
        cell(row, by ? countries(by.km) : "–");
        cell(row, by ? borders(by) || "–" : "–");
        cell(row, by ? number(by.own) : "–");
        cell(row, by ? without(by) : "–");
        own += by ? by.own : 0;
        row = rail.appendChild(document.createElement("tr"));
        cell(row, pairName(data.pairs[index]), "th");
        if (!train) { cell(row, words.get("flows.no_way")); for (var n = 0; n < 7; n++) { cell(row, "–"); } return; }
        own += train.own;
        cell(row, words.text(train.name));
        cell(row, operators(train));
        cell(row, borders(train) || "–");
        cell(row, number(train.breaks));
        cell(row, number(train.missing));
        cell(row, train.missing ? years(train) : words.get("flows.open_now"));
        cell(row, number(train.capacity));
        cell(row, number(train.own));
      });
      box.querySelector("#flow-own").hidden = !own;
      var who = rules && rules.cases[now.regime] && rules.cases[now.regime].who;
      box.querySelectorAll("#flow-who dd").forEach(function (node, index) { node.textContent = who && who[index] ? words.text(who[index]) : "–"; });
      box.querySelector("#flow-notes").textContent = data.notes.map(function (note) { return words.text(note[0]) + ": " + words.text(note[1]); }).join(". ");
    }
    function show() {
      names.forEach(function (name) { name[0].textContent = words.text(name[1]); });
      spread();
      var key = now.id + "|" + now.regime, own = data.cases[key], alone = data.cases["|"][now.year];
      var there = own && own[now.year], found = now.after && there ? there : alone;
      data.widths[found.widths].forEach(function (share, index) {
        lines[index].style.strokeWidth = (share > 0 ? THIN + SCALE * share : THIN) + "px";
        lines[index].classList.toggle("used", share > 0);
      });
      body.textContent = "";
      found.rows.forEach(function (at, index) {
        var row = body.appendChild(document.createElement("tr")), ends = data.pairs[index], cells = data.rows[at], by = way(cells[0]);
        var change = there ? data.rows[there.rows[index]] : null;
        if (!index || data.pairs[index - 1][2] !== ends[2]) { row.className = "first"; }
        cell(row, pairName(ends), "th");
        cell(row, words.get("flow_axis." + ends[2]));
        cell(row, by ? words.text(by.name) : words.get("flows.no_way"));
        cell(row, by ? range(by.days) : "–");
        cell(row, range(cells.slice(1, 4)));
        cell(row, change ? signed(change[4]) : "–");
        cell(row, change ? signed(change[5]) : "–");
      });
      Array.prototype.forEach.call(pair.options, function (option, index) { option.textContent = pairName(data.pairs[index]); });
      choices(found, there);
      control(found);
      var say = there ? there.said : data.unknown[key] ? [data.unknown[key]] : [];
      said.textContent = say.map(function (message) { return words.get(message.t, message.fill); }).join(" ");
    }
    data.pairs.forEach(function (one, index) { pair.appendChild(document.createElement("option")).value = String(index); });
    pair.value = String(Math.max(0, data.pairs.findIndex(function (one) { return one[2] === "north-south"; })));
    pair.addEventListener("change", show);
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
