/* All that is chosen stands in the address after the #, so that a link or a bookmark brings it back. */
"use strict";
var corridorState = (function () {
  function read() {
    var found = {};
    location.hash.replace(/^#/, "").split("&").forEach(function (pair) {
      var at = pair.indexOf("=");
      if (at > 0) {
        try { found[pair.slice(0, at)] = decodeURIComponent(pair.slice(at + 1)); } catch (error) { /* not of this page */ }
      } else if (pair) { found[pair] = ""; }
    });
    return found;
  }

  /* Controls by their id (value or checked); route, weights, layers, the table's order and the map have ways of their own. */
  function start(page) {
    var first = read(), quiet = true, waiting = null;
    var plain = ["language", "regime", "perspective", "flow-year", "flow-pair", "reach-when", "reach-limit"];
    var ticked = ["all-columns", "reach-on", "as-if-opened"];
    function node(id) { return document.getElementById(id); }
    function set(id, value) {
      var control = node(id);
      if (!control || value === undefined || control.value === value) { return; }
      if (control.matches("select") && !Array.prototype.some.call(control.options, function (o) { return o.value === value; })) { return; }
      control.value = value;
      control.dispatchEvent(new Event(control.matches("select") ? "change" : "input"));
    }
    function sliders() { return Array.prototype.slice.call(document.querySelectorAll(".weights input[type=range]")); }
    function restore(asked) {
      plain.forEach(function (id) { set(id, asked[id]); });
      ticked.forEach(function (id) {
        if (node(id) && node(id).checked !== (asked[id] === "1")) {
          node(id).checked = asked[id] === "1";
          node(id).dispatchEvent(new Event("change"));
          node(id).dispatchEvent(new Event("input"));
        }
      });
      if (asked.weights) {
        asked.weights.split(",").forEach(function (value, index) {
          var slider = sliders()[index];
          if (slider && /^\d{1,3}(\.\d)?$/.test(value)) { slider.value = value; }
        });
        if (sliders().length) { sliders()[0].dispatchEvent(new Event("input")); }
      }
      if (asked.when === "before" || asked.when === "after") {
        var radio = document.querySelector("input[name=flow-when][value=" + asked.when + "]");
        if (radio && !radio.checked) { radio.checked = true; radio.dispatchEvent(new Event("change")); }
      }
      if (asked.route && page.has(asked.route)) {
        document.dispatchEvent(new CustomEvent("corridor:choose", { detail: { id: asked.route } }));
      }
      if (asked.sort) { document.dispatchEvent(new CustomEvent("corridor:sort", { detail: { by: asked.sort } })); }
      if (asked.hidden !== undefined) {
        var hidden = asked.hidden.split(",");
        Object.keys(page.layers).forEach(function (name) {
          page.map[hidden.indexOf(name) < 0 ? "addLayer" : "removeLayer"](page.layers[name]);
        });
      }
      var view = (asked.map || "").split("/").map(Number);
      if (view.length === 3 && view.every(isFinite)) { page.map.setView([view[1], view[2]], view[0], { animate: false }); }
    }
    function write() {
      if (quiet) { return; }
      var parts = [];
      function put(key, value) { parts.push(key + "=" + encodeURIComponent(value).replace(/%2[CF]/g, decodeURIComponent)); }
      plain.forEach(function (id) { if (node(id) && node(id).value) { put(id, node(id).value); } });
      ticked.forEach(function (id) { if (node(id) && node(id).checked) { put(id, "1"); } });
      put("route", page.chosen());
      if (node("perspective") && !node("perspective").value) {
        put("weights", sliders().map(function (slider) { return slider.value; }).join(","));
      }
      var when = document.querySelector("input[name=flow-when]:checked");
      if (when) { put("when", when.value); }
      var order = document.getElementById("metrics").dataset.sort;
      if (order) { put("sort", order); }
      var hidden = Object.keys(page.layers).filter(function (name) { return !page.map.hasLayer(page.layers[name]); });
      if (hidden.length) { put("hidden", hidden.join(",")); }
      var at = page.map.getCenter();
      put("map", [page.map.getZoom().toFixed(2), at.lat.toFixed(4), at.lng.toFixed(4)].join("/"));
      history.replaceState(null, "", "#" + parts.join("&"));
    }
    function soon() { clearTimeout(waiting); waiting = setTimeout(write, 60); }
    restore(first);
    quiet = "print" in first;
    document.addEventListener("change", soon);
    document.addEventListener("input", soon);
    document.addEventListener("corridor:choose", soon);
    document.addEventListener("corridor:regime", soon);
    document.addEventListener("corridor:sorted", soon);
    page.map.on("moveend overlayadd overlayremove", soon);
    window.addEventListener("hashchange", function () { quiet = true; restore(read()); quiet = false; });
    return first;
  }
  return { start: start, read: read };
})();
