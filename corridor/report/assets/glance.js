/* The first screen and the tables of rules: they follow the chosen rules and route. */
"use strict";
var corridorGlance = (function () {
  function all(selector, root) { return Array.prototype.slice.call((root || document).querySelectorAll(selector)); }
  function add(parent, tag, className) {
    var node = parent.appendChild(document.createElement(tag));
    if (className) { node.className = className; }
    return node;
  }
  function figure(parent, text, className) {
    var node = add(parent, "span", className);
    window.corridorWords.fresh(node, text);
    return node;
  }

  function start(data, words) {
    var glance = data.glance, table = document.getElementById("glance"), body = table && table.tBodies[0], now = { id: data.chosen, regime: "" };

    /* The answer, who would run it, and the routes in the order of the chosen rules. */
    function answer(regime) {
      var opened = glance.opened[regime], tick = document.getElementById("as-if-opened");
      if (tick) { document.getElementById("opened-row").hidden = !opened; }
      var found = opened && tick.checked ? opened : glance.cases[regime], box = document.getElementById("answer");
      if (!found) { return; }
      box.textContent = "";
      found.answer.forEach(function (message) { words.put(add(box, "p"), message); });
      all("#who dd").forEach(function (node, index) {
        node.textContent = "";
        if (found.who[index]) {
          var span = add(node, "span");
          span.dataset.text = "";
          words.fresh(span, found.who[index]);
        }
      });
      if (!body) { return; }
      found.order.forEach(function (id) { row(id, found.rows[id]); });
    }
    function row(id, found) {
      var line = all("tr", body).find(function (node) { return node.dataset.id === id; });
      if (!line) { return; }
      body.appendChild(line);
      line.classList.toggle("uncovered", !found.covered);
      var rank = line.querySelector(".rank");
      if (found.rank) { words.put(rank, found.rank); } else { rank.textContent = ""; delete rank.dataset.i18n; }
      found.cells.forEach(function (cell, index) {
        var box = line.cells[index + 1];
        box.textContent = "";
        box.className = cell ? cell.level : "";
        if (!cell) { words.put(add(box, "span"), { t: "glance.uncovered" }); return; }
        if (cell.words) { words.put(add(box, "b"), cell.words); }
        if (cell.figure) { box.appendChild(document.createTextNode(" ")); figure(box, cell.figure, "fig n"); }
        if (cell.range) { box.appendChild(document.createTextNode(" ")); figure(box, cell.range, "range n"); }
      });
    }

    /* How the conditions fare with the chosen route under the chosen rules. */
    function fare() {
      var box = document.getElementById("fare-said"), found = glance.cases[now.regime], said = found && found.rows[now.id] && found.rows[now.id].fare;
      if (!box) { return; }
      var mark = data.candidates.find(function (one) { return one.id === now.id; }), badge = document.querySelector("#fare .badge");
      badge.textContent = mark.letter;
      badge.style.backgroundColor = mark.colour;
      box.textContent = "";
      words.put(add(box, "span"), said || { t: "glance.uncovered" });
    }
    /* On a phone each cell carries the head of its column. */
    function heads() {
      var texts = table ? all("thead th", table).map(function (head) {
        return all("span", head).filter(function (node) { return !node.querySelector("span"); }).map(function (node) { return node.textContent; }).join(", ");
      }) : [];
      all("#glance tbody td").forEach(function (cell) { cell.dataset.head = texts[cell.cellIndex]; });
    }
    /* Conditions: figures by route, and what the rules declare. */
    function conditions(regime) {
      var found = data.conditions && data.conditions[regime];
      if (!found) { return; }
      all("#conditions-table tr[data-row]").forEach(function (line) {
        var value = found[Number(line.dataset.row)];
        if (line.dataset.kind === "metric") { metric(line, value); }
        if (line.dataset.kind === "attribute") { declared(line, value); }
      });
    }
    function metric(line, cells) {
      cells.forEach(function (cell, index) {
        var box = line.cells[index + 1];
        box.textContent = "";
        if (cell[0] || !cell[2]) { figure(box, cell[0] || "–", "n"); }
        if (cell[1]) { box.appendChild(document.createTextNode(" ")); figure(box, cell[1], "range n"); }
        if (cell[2]) {
          box.appendChild(document.createTextNode(" "));
          words.put(add(box, "span", "status"), cell[2]);
        }
      });
    }
    function declared(line, value) {
      var text = line.cells[1], source = line.cells[2];
      text.textContent = source.textContent = "";
      if (!value) { return; }
      var span = add(text, "span");
      span.dataset.text = "";
      span.dir = "auto";
      words.fresh(span, value[0]);
      var ref = add(source, "span", "ref");
      ref.textContent = "[" + value[1] + "] ";
      add(ref, "bdi").textContent = value[2];
    }
    function mark(regime) {
      all("[data-rules]").forEach(function (node) { node.classList.toggle("now", node.dataset.rules === regime); });
    }
    document.addEventListener("corridor:regime", function (event) {
      answer(event.detail.regime);
      conditions(event.detail.regime);
      mark(event.detail.regime);
      now.regime = event.detail.regime;
      fare();
    });
    document.addEventListener("corridor:choose", function (event) {
      var id = event.detail.id;
      now.id = id;
      fare();
      all(".glance-table tr[data-id], .matrix tr[data-id], .conditions [data-id]").forEach(function (node) {
        node.classList.toggle("chosen", node.dataset.id === id);
      });
    });
    /* A cell of the matrix chooses both its route and its rules. */
    all("#matrix button.cell").forEach(function (button) {
      button.addEventListener("click", function () {
        var regime = document.getElementById("regime"), wanted = button.closest("td").dataset.rules;
        regime.value = wanted;
        regime.dispatchEvent(new Event("change"));
        var id = button.closest("tr").dataset.id;
        document.dispatchEvent(new CustomEvent("corridor:choose", { detail: { id: id } }));
      });
    });
    var select = document.getElementById("regime");
    now.regime = select ? select.value : Object.keys(glance.cases)[0];
    mark(select ? select.value : "");
    heads();
    document.addEventListener("corridor:language", heads);
  }
  return { start: start };
})();
