/* Puts the parts of the page together: what is chosen in one place is chosen everywhere. */
"use strict";
(function () {
  var data = JSON.parse(document.getElementById("page-data").textContent);
  var words = window.corridorWords, map = corridorLayers;
  document.documentElement.classList.add("alive");

  function all(selector, root) { return Array.prototype.slice.call((root || document).querySelectorAll(selector)); }

  var profile = corridorProfile.start(data, words.get, map);
  corridorRanking.start(data.scores, words.get);
  corridorTable.start();
  corridorFlows.start(data.flows, words, data.glance);
  corridorGlance.start(data, words);
  corridorReach.start(data.reach, map.map, words);

  document.addEventListener("corridor:choose", function (event) {
    var id = event.detail.id;
    all(".card").forEach(function (card) { card.hidden = card.dataset.id !== id; });
    all(".ranks li, .metrics tbody tr, .glance-table tr[data-id]").forEach(function (node) {
      node.classList.toggle("chosen", node.dataset.id === id);
      var button = node.querySelector("button.route");
      if (button) { button.setAttribute("aria-pressed", String(node.dataset.id === id)); }
    });
  });
  document.addEventListener("click", function (event) {
    var button = event.target.closest("button.route");
    if (button) {
      document.dispatchEvent(new CustomEvent("corridor:choose", { detail: { id: button.closest("[data-id]").dataset.id } }));
    }
  });

  /* Of many buttons alike one is reached by Tab, the others from it by the arrow keys. */
  function rove(box, selector) {
    if (!box) { return; }
    function shown(node) { return node.checkVisibility ? node.checkVisibility() : node.offsetParent !== null; } // the first lays nothing out
    function items() { return all(selector, box).filter(shown); }
    function only(node) { all(selector, box).forEach(function (other) { other.tabIndex = other === node ? 0 : -1; }); }
    function refresh() {
      var seen = items();
      if (seen.length && !seen.some(function (node) { return node.tabIndex === 0; })) { only(seen[0]); }
    }
    var found = items();
    if (found.length) { only(found[0]); }
    box.addEventListener("focusin", function (event) {
      var node = event.target.closest(selector);
      if (node) { only(node); }
    });
    box.addEventListener("keydown", function (event) {
      var seen = items(), at = seen.indexOf(document.activeElement), step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
      if (at < 0 || (step === undefined && event.key !== "Home" && event.key !== "End")) { return; }
      var cell = document.activeElement.closest("td"), next = null;
      if (cell && (event.key === "ArrowDown" || event.key === "ArrowUp")) { next = below(cell, step, selector); }
      next = next || seen[event.key === "Home" ? 0 : event.key === "End" ? seen.length - 1 : Math.min(Math.max(at + step, 0), seen.length - 1)];
      event.preventDefault();
      next.focus();
    });
    document.addEventListener("corridor:regime", refresh);
    document.addEventListener("corridor:choose", refresh);
  }
  function below(cell, step, selector) {
    var line = cell.parentNode;
    do { line = step > 0 ? line.nextElementSibling : line.previousElementSibling; } while (line && !line.cells[cell.cellIndex].querySelector(selector));
    return line && line.cells[cell.cellIndex].querySelector(selector);
  }
  rove(document.getElementById("glance"), "button.route");
  rove(document.getElementById("matrix"), "button.cell");
  rove(document.getElementById("ranking"), ".ranks button.route");
  rove(document.querySelector("#metrics thead"), ".sort");
  rove(document.querySelector("#metrics tbody"), "button.route");
  rove(document.querySelector(".downloads"), "button");
  rove(document.querySelector(".chosen-route"), "summary");

  document.getElementById("language").addEventListener("change", function (event) { words.choose(event.target.value); });
  /* The search offers names in the chosen language, and still knows all others. */
  var offered = document.getElementById("place-names"), english = offered.innerHTML;
  document.addEventListener("corridor:language", function () {
    offered.innerHTML = english;
    var there = all("#place-names option").map(function (option) { return option.value; });
    map.names().forEach(function (name) {
      if (there.indexOf(name) < 0) { offered.appendChild(document.createElement("option")).value = name; }
    });
    document.title = document.getElementById("title").textContent;
    sayAge();
  });
  var place = document.getElementById("place");
  function seek() {
    var hit = place.value ? map.find(place.value) : "";
    document.getElementById("found").textContent = hit === null ? words.get("page.not_found") : hit;
  }
  document.getElementById("search").addEventListener("submit", function (event) { event.preventDefault(); seek(); });
  place.addEventListener("input", function (event) {
    if (event.inputType === "insertReplacementText") { seek(); } // a suggestion was taken
  });

  /* Data of over half a year are said to be old, on the day when the page is read. */
  function sayAge() {
    var box = document.getElementById("age"), of = data.asOf.match(/^(\d{4})-(\d{2})/), today = new Date();
    var months = of ? (today.getFullYear() - Number(of[1])) * 12 + today.getMonth() + 1 - Number(of[2]) : 0;
    box.hidden = months <= 6;
    if (!box.hidden) { words.put(box, { t: "page.old", fill: { count: months } }); }
  }
  sayAge();

  var frame = document.querySelector(".map-frame"), legend = document.querySelector(".legend");
  frame.parentNode.appendChild(legend);
  legend.classList.remove("leaflet-control");
  legend.open = window.innerWidth > 520; // on a phone it would stand between the map and the routes
  /* Reached without Tab: the map zooms by + and -, distances are measured with the pointer, the legend stands open. */
  all(".leaflet-control-zoom a, .map-tool [data-i18n-label='map.measure'], .legend summary").forEach(function (node) { node.tabIndex = -1; });
  /* Texts that all routes share span the columns that are seen: all, or the chosen one's on paper and on a phone. */
  function span() {
    var heads = all("#conditions-table thead [data-id]");
    var seen = heads.filter(function (head) { return getComputedStyle(head).display !== "none"; }).length;
    all("#conditions-table td.words").forEach(function (cell) { cell.colSpan = seen; });
    all("#conditions-table .condition th").forEach(function (cell) { cell.colSpan = seen + 1; });
  }
  var phone = window.matchMedia("(max-width: 520px)");
  phone.addEventListener("change", span);
  /* What is printed: findings and what the data can't say unfolded, the chosen rules as text. */
  var folded = all(".more-findings, .limits-box details.notes, .legend"), wasOpen = [];
  function forPrint() {
    if (!document.documentElement.classList.contains("printing")) {
      wasOpen = folded.map(function (node) { return node.open; });
      folded.forEach(function (node) { node.open = true; });
    }
    var regime = document.getElementById("regime");
    if (regime) { document.getElementById("rules-row").dataset.chosen = regime.selectedOptions[0].textContent; }
    document.documentElement.classList.add("printing");
    span();
    fill();
    map.map.invalidateSize({ animate: false });
    map.show();
  }
  /* Each sheet of the brief is scaled so that it fills its page. */
  var SHEETS = [[".top", ".brief", ".desk"], [".findings-box", ".matrix-box"], ["#rules"], ["#conditions", ".limits-box", ".sources-box"]];
  var SHEET_MM = 177, PX_PER_MM = 96 / 25.4;
  function fill() {
    SHEETS.forEach(function (names, index) {
      var parts = names.map(function (name) { return document.querySelector(name); }).filter(Boolean);
      if (!parts.length) { return; }
      parts[0].classList.toggle("sheet", index > 0);
      var low = 0.5, high = 1.25;
      for (var step = 0; step < 7; step++) {
        var scale = (low + high) / 2;
        parts.forEach(function (part) { part.style.zoom = scale; });
        var top = parts[0].getBoundingClientRect().top, bottom = parts[parts.length - 1].getBoundingClientRect().bottom;
        if (bottom - top <= SHEET_MM * PX_PER_MM) { low = scale; } else { high = scale; }
      }
      parts.forEach(function (part) { part.style.zoom = low; });
    });
  }
  function afterPrint() {
    folded.forEach(function (node, index) { node.open = wasOpen[index]; });
    document.documentElement.classList.remove("printing");
    span();
    all(".sheet, .top, .brief, .desk, main > section").forEach(function (part) { part.style.zoom = ""; });
    map.map.invalidateSize({ animate: false });
    map.show();
    profile.show(chosen());
  }
  function chosen() {
    var card = all(".card").find(function (node) { return !node.hidden; });
    return card ? card.dataset.id : data.chosen;
  }
  window.addEventListener("beforeprint", forPrint);
  window.addEventListener("afterprint", afterPrint);
  document.getElementById("print").addEventListener("click", function () { window.print(); });
  new ResizeObserver(function () { map.map.invalidateSize({ animate: false }); }).observe(frame);
  corridorTakeaway.start(data.study, map.map, map.candidates, chosen);

  var languages = document.getElementById("language");
  if (languages.value !== "en") { words.choose(languages.value); }
  document.dispatchEvent(new CustomEvent("corridor:choose", { detail: { id: data.chosen, quiet: true } }));
  var first = corridorState.start({ map: map.map, layers: map.layers, chosen: chosen,
    has: function (id) { return data.candidates.some(function (one) { return one.id === id; }); } });
  if ("print" in first) { forPrint(); }
  document.documentElement.classList.add("ready");
  (window.requestIdleCallback || window.setTimeout)(function () {
    document.documentElement.classList.add("settled");
    if (phone.matches) { span(); }
  });
})();
