/* Puts the parts of the page together: what is chosen in one place is chosen everywhere. */
"use strict";
(function () {
  var data = JSON.parse(document.getElementById("page-data").textContent);
  var words = window.corridorWords, map = corridorLayers;
  document.documentElement.classList.add("alive");

  function all(selector) { return Array.prototype.slice.call(document.querySelectorAll(selector)); }

  var profile = corridorProfile.start(data, words.get, map);
  corridorRanking.start(data.scores, words.get);
  corridorTable.start();
  corridorFlows.start(data.flows, words);

  document.addEventListener("corridor:choose", function (event) {
    var id = event.detail.id;
    all(".card").forEach(function (card) { card.hidden = card.dataset.id !== id; });
    all(".ranks li, .metrics tbody tr").forEach(function (node) {
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
  document.getElementById("language").addEventListener("change", function (event) { words.choose(event.target.value); });
  /* The search offers names in the chosen language, and still knows all others. */
  var offered = document.getElementById("place-names"), english = offered.innerHTML;
  document.addEventListener("corridor:language", function () {
    offered.innerHTML = english;
    var there = all("#place-names option").map(function (option) { return option.value; });
    map.names().forEach(function (name) {
      if (there.indexOf(name) < 0) { offered.appendChild(document.createElement("option")).value = name; }
    });
  });
  var place = document.getElementById("place");
  function seek() {
    document.getElementById("found").textContent = !place.value || map.find(place.value) ? "" : words.get("page.not_found");
  }
  document.getElementById("search").addEventListener("submit", function (event) { event.preventDefault(); seek(); });
  place.addEventListener("input", function (event) {
    if (event.inputType === "insertReplacementText") { seek(); } // a suggestion was taken
  });

  var frame = document.querySelector(".map-frame"), legend = document.querySelector(".legend");
  frame.parentNode.appendChild(legend);
  legend.classList.remove("leaflet-control");
  legend.open = true;
  var more = document.querySelector(".more-findings"), wasOpen = false;
  function forPrint() {
    if (more && !document.documentElement.classList.contains("printing")) { wasOpen = more.open; more.open = true; }
    document.documentElement.classList.add("printing");
    map.map.invalidateSize({ animate: false });
    map.show();
    profile.resize(640);
  }
  function afterPrint() {
    if (more) { more.open = wasOpen; }
    document.documentElement.classList.remove("printing");
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

  document.dispatchEvent(new CustomEvent("corridor:choose", { detail: { id: data.chosen } }));
  map.show();
  if (location.hash === "#print") { forPrint(); }
  document.documentElement.classList.add("ready");
})();
